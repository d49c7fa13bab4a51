//! Why a stack is not changed, or not put back.

use std::fmt;
use std::path::PathBuf;

use pam_otp_stack::StackError;

/// What can be in the way. Nothing is changed then.
#[derive(Debug)]
pub(crate) enum SetupError {
    /// There is no such service.
    NoService(String),
    /// A line that is not understood.
    Stack(StackError),
    /// No change that was tried keeps what it must.
    NoPlace {
        /// The line in the way.
        place: String,
        /// What it does.
        why: &'static str,
        /// Another service, whose file this one includes.
        includes: Option<String>,
    },
    /// No line asks for a password.
    NoPassword(PathBuf),
    /// A symbolic link: another program's file, as a rule.
    Linked {
        /// The link.
        path: PathBuf,
        /// Where it goes.
        to: PathBuf,
    },
    /// The file is not as setup left it.
    Changed {
        /// Which.
        path: PathBuf,
        /// From what setup left to what is there.
        difference: String,
    },
    /// Setup has not changed this service.
    NotSetUp(String),
    /// A trial of this service runs.
    TrialRuns {
        /// The service.
        service: String,
        /// Seconds until it is over.
        seconds: u64,
    },
    /// No trial of this service runs.
    NoTrial(String),
    /// A trial was not confirmed in time.
    TrialOver(String),
    /// Nobody has logged in with a code.
    NotProven(String),
    /// What sshd would need.
    Sshd {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The watcher of a trial does not start.
    Watcher(String),
    /// A file cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
}

impl SetupError {
    /// A file cannot be read or written.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::File {
            path,
            error: error.to_string(),
        }
    }

    /// The word for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoService(_) => "unknown_service",
            Self::Stack(_) | Self::Linked { .. } => "bad_stack",
            Self::NoPlace { .. } | Self::NoPassword(_) => "no_place",
            Self::Changed { .. } => "changed_stack",
            Self::NotSetUp(_) => "not_set_up",
            Self::TrialRuns { .. } => "trial_runs",
            Self::NoTrial(_) => "no_trial",
            Self::TrialOver(_) => "trial_over",
            Self::NotProven(_) => "not_proven",
            Self::Sshd { .. } => "bad_sshd_settings",
            Self::Watcher(_) | Self::File { .. } => "input_output",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoService(_) => Some("ls /etc/pam.d shows their names".into()),
            Self::Stack(_) => {
                Some("nothing was changed; mend that line, or change the file by hand".into())
            }
            Self::NoPlace {
                includes: Some(other),
                ..
            } => Some(format!(
                "nothing was changed; it includes {other}: pam-otp setup {other} may do"
            )),
            Self::NoPlace { .. } | Self::NoPassword(_) => Some(
                "nothing was changed; put `auth required pam_otp.so` into the file by hand, see \
                 pam_otp(8)"
                    .into(),
            ),
            Self::Linked { to, .. } => Some(format!(
                "change {} by its own program, or put a file of its own there",
                to.display()
            )),
            Self::Changed { .. } => {
                Some("--force puts back what was there before setup all the same".into())
            }
            Self::NotSetUp(_) => Some("pam-otp setup tells which services it has changed".into()),
            Self::TrialRuns { service, .. } => Some(format!(
                "pam-otp setup {service} --confirm keeps the change, --undo ends it now"
            )),
            Self::NoTrial(service) => Some(format!(
                "one that is not confirmed in time is undone; pam-otp setup {service} --try 5m begins \
                 another"
            )),
            Self::TrialOver(service) => Some(format!(
                "pam-otp setup {service} --try 15m leaves more time"
            )),
            Self::NotProven(service) => Some(format!(
                "log in through {service} in another terminal, with a code, and confirm then"
            )),
            Self::Sshd { hint, .. } => Some(hint.clone()),
            Self::Watcher(_) | Self::File { .. } => None,
        }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService(service) => write!(f, "there is no PAM service {service}"),
            Self::Stack(error) => error.fmt(f),
            Self::NoPlace { place, why, .. } => {
                write!(f, "no place for the code is safe: {place}: {why}")
            }
            Self::NoPassword(path) => {
                write!(f, "{}: no line in it asks for a password", path.display())
            }
            Self::Linked { path, to } => {
                write!(f, "{}: a symbolic link to {}", path.display(), to.display())
            }
            Self::Changed { path, .. } => {
                write!(f, "{}: was changed since setup wrote it", path.display())
            }
            Self::NotSetUp(service) => write!(f, "setup has not changed {service}"),
            Self::TrialRuns { service, seconds } => {
                write!(f, "a trial of {service} runs, for {seconds} seconds more")
            }
            Self::NoTrial(service) => write!(f, "no trial of {service} runs"),
            Self::TrialOver(service) => write!(
                f,
                "the trial of {service} is over, and what was there is put back"
            ),
            Self::NotProven(service) => write!(
                f,
                "nobody has logged in through {service} with a code since the trial began"
            ),
            Self::Sshd { what, .. } => f.write_str(what),
            Self::Watcher(error) => write!(f, "the trial's watcher does not start: {error}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl From<StackError> for SetupError {
    fn from(error: StackError) -> Self {
        Self::Stack(error)
    }
}
