//! `pam-otp`: enrol, show, verify and remove one-time codes.
//!
//! What stands where:
//!
//! - results on standard output: what a script or a person wants to keep; with
//!   `--json` one object, for errors too;
//! - everything else on standard error: warnings, and errors as
//!   `pam-otp: error: …`, followed by `pam-otp: hint: …` where something can be
//!   done; lower case, no full stop;
//! - questions too, where standard input is a terminal; nowhere else;
//! - codes come from standard input alone, never from arguments or the
//!   environment, where other users could read them;
//! - text that is not ours (user names, paths, what a file says) is escaped
//!   before it is printed: [`plain::plain`], or by JSON's own rules;
//! - exit status: 0 done, or [`error::Exit`].

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

mod arguments;
mod clock;
mod columns;
mod commands;
mod doctor;
mod error;
mod events;
mod examples;
mod first_login;
mod interrupt;
#[cfg(test)]
mod manual;
mod mismatch;
mod person;
mod plain;
mod policy;
mod policy_path;
mod present;
mod qr;
mod reply;
mod session;
mod setup;
mod shown;
mod sshd;
mod syslog;
mod without_record;

use arguments::{Arguments, Request};
use error::{Error, Exit};
use plain::plain;
use reply::Object;
use session::Session;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed our output has read enough, and is told nothing more.
        Err(error) if error.is_closed_output() => ExitCode::FAILURE,
        Err(error) => {
            tell(&arguments, &error);
            ExitCode::from(error.exit() as u8)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    match &arguments.request {
        Request::Completions { shell } => {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(&arguments::completions(*shell));
            let written = written.and_then(|()| stdout.flush());
            Ok(written.map_err(|error| reply::unwritten(&error))?)
        }
        Request::Doctor(_) => {
            let (reply, audience) = commands::doctor::run(arguments)?;
            reply.give_to(&audience)
        }
        Request::Command(command) => {
            let session = Session::start(arguments, command.name())?;
            command.run(&session)?.give(&session)
        }
    }
}

/// Says why it was not done.
fn tell(arguments: &Arguments, error: &Error) {
    let other = arguments.user.as_deref();
    if let Error::Faults | Error::Warnings = error {
        // The answer has them.
        return;
    }
    if let (Some(name), true) = (arguments.request.name(), arguments.json) {
        // This one stands in the answer already.
        if !matches!(error, Error::EntriesRefused { .. }) {
            let _ = reply::refuse(Some(name), error.object(other));
        }
        return;
    }
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "pam-otp: error: {}", plain(error));
    if let Some(hint) = error.hint(other) {
        let _ = writeln!(stderr, "pam-otp: hint: {}", plain(hint));
    }
}

/// Wrong usage, or `--help` and its like.
fn not_understood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || !std::env::args_os().any(|argument| argument == "--json") {
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() {
            Exit::Usage as u8
        } else {
            0
        });
    }
    let text = error.render().to_string();
    let mut object = Object::new();
    object.push("code", "usage");
    object.push("message", message(&text));
    object.push("hint", "see pam-otp --help");
    let _ = reply::refuse(None, object);
    ExitCode::from(Exit::Usage as u8)
}

/// What stands before the usage, in one line.
fn message(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    // A list of all commands is in the help.
    let lines = lines
        .map(str::trim)
        .filter(|line| !line.starts_with("[subcommands:"));
    let message = lines.collect::<Vec<_>>().join(" ");
    match message.strip_prefix("error: ") {
        Some(message) => message.to_owned(),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_is_one_line_without_the_usage() {
        let text = "error: these were not provided:\n  <OLD>\n  <NEW>\n\nUsage: pam-otp\n";
        assert_eq!(message(text), "these were not provided: <OLD> <NEW>");
        assert_eq!(message(""), "");
    }
}
