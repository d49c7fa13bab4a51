//! The command line, its help and its errors: one definition.

use std::path::PathBuf;

use clap::Parser;
use pam_otp_core::policy::DEFAULT_FILE;

use crate::commands::Command;

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

    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
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
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let words = command.get_positionals().map(|_| "x");
            let arguments = ["pam-otp", name].into_iter().chain(words);
            let arguments = Arguments::parse_from(arguments);
            assert_eq!(arguments.command.name(), name);
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
