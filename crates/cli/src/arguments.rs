//! The command line, its help and its errors: one definition.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use pam_otp_core::policy::DEFAULT_FILE;

/// One-time codes as a second factor for everything that logs in through PAM.
#[derive(Debug, Parser)]
#[command(name = "pam-otp", version, max_term_width = 80)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Act for this user instead of yourself (root only)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// Read this policy file
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) policy: PathBuf,

    /// Apply the policy's section for this PAM service
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) service: Option<String>,
}

/// What to do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Switch two-factor login on; asks for a code
    Enroll,
    /// Tell whether two-factor login is on, and how it stands
    Status,
    /// Tell whether a code would open now; uses it up, as a login does
    Verify,
    /// Follow a token that is far off; asks for two codes in a row
    Resync,
    /// Show key and QR code again; asks for a code or a recovery code
    Show,
    /// Switch two-factor login off; asks for a code or a recovery code
    Disable,
}

impl Command {
    /// Its name, as it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Status => "status",
            Self::Verify => "verify",
            Self::Resync => "resync",
            Self::Show => "show",
            Self::Disable => "disable",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_command_has_its_name() {
        for name in Arguments::command().get_subcommands() {
            let arguments = Arguments::parse_from(["pam-otp", name.get_name()]);
            assert_eq!(arguments.command.name(), name.get_name());
        }
    }

    #[test]
    fn every_command_and_option_is_in_the_manual_page() {
        let manual = include_str!("../../../man/pam-otp.1").replace("\\-", "-");
        for command in Arguments::command().get_subcommands() {
            assert!(
                manual.contains(&format!("pam-otp {}", command.get_name())),
                "{command}"
            );
        }
        for option in Arguments::command().get_arguments() {
            if let Some(name) = option.get_long() {
                assert!(manual.contains(&format!("--{name}")), "{name}");
            }
        }
    }
}
