//! Why the policy is not changed.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the policy is as it was.
#[derive(Debug)]
pub(crate) enum ChangeError {
    /// Others can write to the policy's directory.
    OpenDirectory(PathBuf),
    /// The file cannot be written.
    Unwritten {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process changes it, and holds this file.
    Busy(PathBuf),
    /// The text is laid out in a way that cannot be changed as it was meant.
    Layout(PathBuf),
    /// The system knows no user of that name.
    UnknownUser(String),
    /// The system knows no group of that name.
    UnknownGroup(String),
    /// These names do not stand in the policy's list.
    NotListed {
        /// The list's key.
        key: &'static str,
        /// The names.
        names: Vec<String>,
    },
}

impl ChangeError {
    /// The word for programs, which stays the same.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::OpenDirectory(_) => "insecure_policy",
            Self::Unwritten { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
                io::ErrorKind::ReadOnlyFilesystem => "read_only",
                _ => "input_output",
            },
            Self::Busy(_) => "policy_busy",
            Self::Layout(_) => "input_output",
            Self::UnknownUser(_) => "unknown_user",
            Self::UnknownGroup(_) => "unknown_group",
            Self::NotListed { .. } => "not_listed",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::OpenDirectory(path) => {
                let path = path.display();
                Some(format!("chown root {path}; chmod go-w {path}"))
            }
            Self::Unwritten { .. } => None,
            Self::Busy(_) => Some("run the command again".into()),
            Self::Layout(_) => {
                Some("change it with an editor; pam-otp status tells if it is right".into())
            }
            Self::UnknownUser(_) | Self::UnknownGroup(_) => {
                Some("check the spelling; --force names it all the same".into())
            }
            Self::NotListed { .. } => {
                Some("without names, the command tells who is; --service for a section".into())
            }
        }
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenDirectory(path) => {
                write!(f, "{}: others can write to this directory", path.display())
            }
            Self::Unwritten { path, error } => {
                write!(f, "{}: {error}; the policy is as it was", path.display())
            }
            Self::Busy(path) => write!(
                f,
                "{}: another process is changing the policy",
                path.display()
            ),
            Self::Layout(path) => write!(
                f,
                "{}: it is laid out in a way that this command cannot change; it is as it was",
                path.display()
            ),
            Self::UnknownUser(name) => write!(f, "the system knows no user {name}"),
            Self::UnknownGroup(name) => write!(f, "the system knows no group {name}"),
            Self::NotListed { key, names } => write!(
                f,
                "{key} does not name {}; nothing was changed",
                names.join(", ")
            ),
        }
    }
}
