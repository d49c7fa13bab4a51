//! `pam-otp setup`: puts the code into a service's stack, and takes it out again.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use crate::error::Error;
use crate::reply::Reply;
use crate::session::Session;
use crate::setup;

/// What to set up, and how.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "options of a command line")]
#[command(group = ArgGroup::new("deed").args(["attempt", "confirm", "undo", "watch"]))]
pub(crate) struct Options {
    /// The PAM service: a file in /etc/pam.d, e.g. sshd, sudo, sudo-i, su, login,
    /// cockpit. Without one: tell what is set up
    #[arg(value_name = "SERVICE")]
    pub(crate) name: Option<String>,

    /// What is asked for: the stack's own password and a code, or, for sshd, a key
    /// and a code
    #[arg(long, value_enum, value_name = "METHOD", default_value_t = Method::PasswordAndCode)]
    pub(crate) method: Method,

    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,

    /// Undo it after this time, e.g. 5m, unless somebody logs in with a code and it
    /// is confirmed
    #[arg(long = "try", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) attempt: Option<std::time::Duration>,

    /// Keep what --try has changed
    #[arg(long)]
    pub(crate) confirm: bool,

    /// Put back what was there before
    #[arg(long, alias = "remove")]
    pub(crate) undo: bool,

    /// With --undo: also if the file was changed since
    #[arg(long, requires = "undo")]
    pub(crate) force: bool,

    /// Have a running sshd read its configuration again
    #[arg(long)]
    pub(crate) reload: bool,

    /// Change the stacks of the system below this directory by that system's policy,
    /// and not its sshd
    #[arg(long, value_name = "DIR", conflicts_with_all = ["attempt", "reload"])]
    pub(crate) root: Option<PathBuf>,

    /// End a trial when its time is over: what --try starts by itself
    #[arg(long, hide = true)]
    pub(crate) watch: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// The stack's own password, then a code
    #[value(name = "password+code")]
    PasswordAndCode,
    /// An SSH key, then a code
    #[value(name = "key+code")]
    KeyAndCode,
}

/// Shows the difference, asks, and changes the stack.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    if options.root.is_none() {
        session.require_root()?;
    }
    setup::run(session, options)
}
