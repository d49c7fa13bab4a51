//! Why a record cannot be used. Every text names the path, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::geteuid;

use super::HOME_RECORD;
use crate::document::Fault;
use crate::policy::legacy::HOME_FILE;
use crate::state::slots::SlotsError;

/// Why a record cannot be used. None of these means "not enrolled".
#[derive(Debug)]
pub enum StoreError {
    /// The system's user database failed.
    Account {
        /// Whom we asked about.
        user: String,
        /// What it said.
        error: String,
    },
    /// This process cannot take the user's rights.
    NoRights {
        /// Whose.
        user: String,
    },
    /// The system does not know this user, or could not say.
    UnknownUser {
        /// Who.
        user: String,
    },
    /// Something on the way that others could have put there or changed.
    Insecure {
        /// Where.
        path: PathBuf,
        /// What.
        problem: Problem,
    },
    /// A directory that must be there.
    Missing(PathBuf),
    /// A state, but no token file beside it.
    NoToken(PathBuf),
    /// A token file without a byte in it.
    Empty(PathBuf),
    /// A token file larger than any can be.
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Most bytes.
        most: usize,
    },
    /// A token file that is malformed.
    Token {
        /// Which.
        path: PathBuf,
        /// Line, key, and what is wrong.
        fault: Fault,
    },
    /// A state file that is malformed.
    State {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        error: SlotsError,
    },
    /// Another process has held the lock for five seconds.
    Locked(PathBuf),
    /// The record was removed while we waited for an answer or for the lock.
    Gone(PathBuf),
    /// The record was replaced again and again while we waited.
    Unstable(PathBuf),
    /// There is a record already.
    Enrolled(PathBuf),
    /// Another program's file is in the place of a record, and is never written.
    Foreign(PathBuf),
    /// The process may not write files as large as this one (`RLIMIT_FSIZE`).
    FileLimit(PathBuf),
    /// The system says no.
    Io {
        /// To what.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What makes a path insecure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A symbolic link.
    Link,
    /// Not a directory.
    NotDirectory,
    /// Not a regular file.
    NotFile,
    /// It belongs to the wrong user.
    Owner {
        /// To this user id.
        uid: u32,
        /// And must belong to this one.
        expected: u32,
    },
    /// Others have rights on it.
    Mode {
        /// The mode that it has.
        mode: u32,
        /// The mode that it may have.
        allowed: u32,
    },
}

impl StoreError {
    pub(super) fn io(path: &Path, errno: Errno) -> Self {
        match errno {
            Errno::FBIG => Self::FileLimit(path.to_owned()),
            _ => Self::Io {
                path: path.to_owned(),
                error: errno.into(),
            },
        }
    }

    pub(super) fn insecure(path: &Path, problem: Problem) -> Self {
        Self::Insecure {
            path: path.to_owned(),
            problem,
        }
    }

    /// The reason word of log lines.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Account { .. } => "user_database_failed",
            Self::NoRights { .. } => "no_rights",
            Self::UnknownUser { .. } => "unknown_user",
            Self::Insecure { .. } => "insecure_record",
            Self::Missing(_) => "missing_directory",
            Self::NoToken(_) | Self::Empty(_) | Self::TooLarge { .. } | Self::Token { .. } => {
                "bad_token_file"
            }
            Self::State { .. } => "bad_state_file",
            Self::Locked(_) => "locked_record",
            Self::Gone(_) | Self::Unstable(_) => "changed_record",
            Self::Enrolled(_) => "enrolled",
            Self::Foreign(_) => "foreign_file",
            Self::FileLimit(_) => "file_size_limit",
            Self::Io { .. } => "unreadable_record",
        }
    }

    /// The path that it is about.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Account { .. } | Self::NoRights { .. } | Self::UnknownUser { .. } => None,
            Self::Insecure { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Token { path, .. }
            | Self::State { path, .. }
            | Self::Io { path, .. }
            | Self::Missing(path)
            | Self::NoToken(path)
            | Self::Empty(path)
            | Self::Locked(path)
            | Self::Gone(path)
            | Self::Unstable(path)
            | Self::Enrolled(path)
            | Self::Foreign(path)
            | Self::FileLimit(path) => Some(path),
        }
    }

    /// What to do about it, where one thing is right for all.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let path = self.path().map(Path::display);
        match (self, path) {
            (
                Self::Insecure {
                    problem: Problem::Mode { allowed, .. },
                    ..
                },
                Some(path),
            ) => match allowed {
                0o755 => Some(format!("chmod go-w {path}")),
                _ => Some(format!("chmod {allowed:04o} {path}")),
            },
            (
                Self::Insecure {
                    path: at,
                    problem: Problem::Owner { uid, expected },
                },
                Some(path),
            ) => Some(
                // Somebody else may keep a store of their own there.
                if geteuid().is_root()
                    || at
                        .iter()
                        .any(|name| name == HOME_RECORD || name == HOME_FILE)
                {
                    format!("chown {expected} {path}")
                } else {
                    format!("it is for user id {uid} to use; ask the administrator")
                },
            ),
            (Self::State { error, .. }, _) if !matches!(error, SlotsError::Version(_)) => Some(
                "restore it from a backup, or have the administrator disable and enrol anew".into(),
            ),
            (Self::Locked(_), Some(path)) => Some(format!("fuser -v {path} shows which")),
            (Self::NoToken(_), _) => {
                Some("restore it from a backup, or enrol anew with pam-otp enroll".into())
            }
            (Self::Foreign(_), _) => {
                Some("pam-otp import makes a record of it; pam-otp disable sets it aside".into())
            }
            (Self::Enrolled(_), _) => Some("pam-otp disable removes it".into()),
            (Self::Missing(path), _) if path.as_os_str().is_empty() => Some(
                "give the user one; or keep records where none is needed: store = \"system\" in the policy"
                    .into(),
            ),
            (Self::Missing(_), Some(path)) => {
                Some(format!("mkdir -m 0700 {path}, or mount what belongs there"))
            }
            (Self::NoRights { .. }, _) => {
                Some("the program that runs PAM must be root or that user".into())
            }
            _ => None,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path().filter(|path| !path.as_os_str().is_empty()) {
            write!(f, "{}: ", path.display())?;
        }
        match self {
            Self::Account { user, error } => write!(f, "cannot look up user {user}: {error}"),
            Self::NoRights { user } => write!(f, "no right to act for user {user}"),
            Self::UnknownUser { user } => {
                write!(f, "user {user} is not known to this system")
            }
            Self::Insecure { problem, .. } => problem.fmt(f),
            Self::Missing(path) if path.as_os_str().is_empty() => {
                f.write_str("the user has no home directory")
            }
            Self::Missing(_) => f.write_str("no such directory"),
            Self::NoToken(_) => f.write_str("no such file, though there is a state beside it"),
            Self::Empty(_) => f.write_str("the file is empty"),
            Self::TooLarge { most, .. } => write!(f, "the file has more than {most} bytes"),
            Self::Token { fault, .. } => fault.fmt(f),
            Self::State { error, .. } => error.fmt(f),
            Self::Locked(_) => f.write_str("another process has kept it locked for 5 seconds"),
            Self::Gone(_) => f.write_str("the record was removed meanwhile"),
            Self::Unstable(_) => f.write_str("the record keeps being replaced"),
            Self::Foreign(_) => f.write_str("another program's file, which is never written"),
            Self::Enrolled(_) => f.write_str("there is a record already"),
            Self::FileLimit(_) => {
                f.write_str("this process may not write files of that size (ulimit -f)")
            }
            Self::Io { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("a symbolic link, which is not followed"),
            Self::NotDirectory => f.write_str("not a directory"),
            Self::NotFile => f.write_str("not a regular file"),
            Self::Owner { uid, expected } => {
                write!(
                    f,
                    "it belongs to user id {uid}, and must belong to {expected}"
                )
            }
            Self::Mode { mode, allowed } => {
                write!(
                    f,
                    "mode {mode:04o} gives others rights; it may be at most {allowed:04o}"
                )
            }
        }
    }
}
