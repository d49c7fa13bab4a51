//! The command line, its help and its errors: one definition.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use pam_otp_core::policy::DEFAULT_FILE;

use crate::commands::{self, Command};
use crate::examples;

/// One-time codes as a second factor for everything that logs in through PAM.
#[derive(Debug, Parser)]
#[command(name = "pam-otp", version, max_term_width = 80)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) request: Request,

    /// Act for this user instead of yourself (root only)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// The policy file, if it is not the default one.
    #[arg(long, global = true, value_name = "FILE", help = format!("Read this policy file instead of {DEFAULT_FILE}"))]
    pub(crate) policy: Option<PathBuf>,

    /// Apply the policy's section for this PAM service
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) service: Option<String>,

    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do, for a user or for a package.
#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    /// What concerns a user.
    #[command(flatten)]
    Command(Command),
    /// Tell whether a user would get in through a service, and how
    #[command(after_help = examples::help(commands::doctor::NAME))]
    Doctor(commands::doctor::Options),
    /// Write the script by which a shell completes the command line
    #[command(hide = true, after_help = examples::help("completions"))]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

impl Request {
    /// Its name, where it answers in JSON.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Command(command) => Some(command.name()),
            Self::Doctor(_) => Some(commands::doctor::NAME),
            Self::Completions { .. } => None,
        }
    }
}

/// The script for this shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "pam-otp", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_command_has_its_name() {
        let all = Arguments::command();
        for command in all.get_subcommands() {
            let name = command.get_name();
            let words = command.get_positionals().map(|_| "bash");
            let arguments = ["pam-otp", name].into_iter().chain(words);
            let request = Arguments::parse_from(arguments).request;
            assert_eq!(request.name().unwrap_or("completions"), name);
        }
    }
}
