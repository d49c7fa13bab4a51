//! `pam-otp`: enrol, show, verify and remove one-time codes.
//!
//! What stands where:
//!
//! - results on standard output: what a script or a person wants to keep;
//! - questions and everything else on standard error: errors as
//!   `pam-otp: error: …`, followed by `pam-otp: hint: …` where something can be
//!   done; lower case, no full stop;
//! - codes come from standard input alone, never from arguments or the
//!   environment, where other users could read them;
//! - text that is not ours (user names, paths, what a file says) is escaped
//!   before it is printed: [`plain::plain`];
//! - exit status: 0 done, 1 refused or failed, 2 wrong usage.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

mod arguments;
mod clock;
mod commands;
mod error;
mod person;
mod plain;
mod present;
mod qr;
mod session;
mod syslog;

use arguments::{Arguments, Command};
use error::Error;
use plain::plain;
use session::Session;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed our output has read enough, and is told nothing more.
        Err(error) if error.is_closed_output() => ExitCode::FAILURE,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            let _ = writeln!(stderr, "pam-otp: error: {}", plain(&error));
            if let Some(hint) = error.hint(arguments.user.as_deref()) {
                let _ = writeln!(stderr, "pam-otp: hint: {}", plain(hint));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let session = Session::start(arguments)?;
    match arguments.command {
        Command::Enroll => commands::enroll::run(&session),
        Command::Status => commands::status::run(&session),
        Command::Verify => commands::verify::run(&session),
        Command::Resync => commands::resync::run(&session),
        Command::Show => commands::show::run(&session),
        Command::Disable => commands::disable::run(&session),
    }
}
