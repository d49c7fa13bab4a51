//! The administrator's rules for one login.
//!
//! Three layers, each overruling the one before: the policy file, its
//! `[service.NAME]` section, the arguments of the line in the PAM stack. All
//! three know the same keys, from one table: [`keys::KEYS`]. Anything unknown
//! or malformed in any of them is an error, and an error is a denial.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::arguments::Field;
use crate::date::Date;
use crate::document::Fault;
use crate::throttle::Throttle;
use crate::verify::Rules;

pub mod arguments;
pub mod exceptions;
mod file;
pub mod keys;
pub mod legacy;
mod without_record;

pub use arguments::Arguments;
pub use exceptions::Exceptions;
pub use file::{FileError, MAX_FILE, checked_text};
pub use legacy::LegacyFile;
pub use without_record::WithoutRecord;

/// Where the policy file lies unless an argument says otherwise.
pub const DEFAULT_FILE: &str = "/etc/security/pam_otp.toml";
/// Where the system store lies unless the policy says otherwise.
pub const DEFAULT_SYSTEM_STORE: &str = "/var/lib/pam-otp";

/// The rules, every key with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which store holds the records.
    pub store: StoreKind,
    /// The system store's directory; absolute.
    pub system_store: PathBuf,
    /// What becomes of a login that its disk cannot record.
    pub unwritable: Unwritable,
    /// The files of `pam_google_authenticator` that let in who has no record;
    /// `None` if none does.
    pub legacy: Option<LegacyFile>,
    /// How far a code may be off.
    pub rules: Rules,
    /// What becomes of a user without a record.
    pub unenrolled: Unenrolled,
    /// From when on a login without enrolling is refused, where it asks for that;
    /// unset, at once.
    pub enroll_by: Option<Date>,
    /// The same for users whom the require keys name.
    pub require_by: Option<Date>,
    /// Who needs no code, and who needs one in any case.
    pub exceptions: Exceptions,
    /// The question; unset, it depends on what is asked for.
    pub prompt: Option<String>,
    /// Whether the answer is shown while it is typed.
    pub echo: bool,
    /// How long libpam waits after a failure.
    pub fail_delay: Duration,
}

impl Default for Policy {
    /// The safe defaults: what an empty policy file means. The table of keys
    /// says the same in words, and a test compares them.
    fn default() -> Self {
        Self {
            store: StoreKind::Home,
            system_store: PathBuf::from(DEFAULT_SYSTEM_STORE),
            unwritable: Unwritable::Deny,
            legacy: Some(LegacyFile::default()),
            rules: Rules {
                window: 1,
                look_ahead: 10,
                drift: 2,
                throttle: Throttle {
                    tries: 3,
                    first_wait: 30,
                },
                remember: 0,
            },
            unenrolled: Unenrolled::Deny,
            enroll_by: None,
            require_by: None,
            exceptions: Exceptions::default(),
            prompt: None,
            echo: false,
            fail_delay: Duration::from_secs(2),
        }
    }
}

impl Policy {
    /// The rules for one login: the file that the arguments name or the default
    /// one, its section for the service, the arguments.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]; the login must then be denied.
    pub fn for_login(arguments: &Arguments, service: &str) -> Result<Self, PolicyError> {
        Self::for_login_with_default(arguments, Path::new(DEFAULT_FILE), service)
    }

    /// The same on a system whose default file is this one.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]; the login must then be denied.
    pub fn for_login_with_default(
        arguments: &Arguments,
        default: &Path,
        service: &str,
    ) -> Result<Self, PolicyError> {
        let path = arguments.policy.as_deref().unwrap_or(default);
        // A file that the stack names must be there; the default one need not.
        let text = file::load(path).map_err(|error| PolicyError::file(path, error))?;
        let mut policy = match text {
            Some(text) => {
                file::read(&text, service).map_err(|fault| PolicyError::fault(path, fault))?
            }
            None if arguments.policy.is_some() => {
                return Err(PolicyError::file(path, FileError::Missing));
            }
            None => Self::default(),
        };
        arguments.apply(&mut policy);
        Ok(policy)
    }

    /// The rules for one service that stand in the text of a policy file; for all
    /// others than have a section, if the service has no name.
    ///
    /// # Errors
    ///
    /// [`Fault`] names line and key, of any section.
    pub fn parse(text: &[u8], service: &str) -> Result<Self, Fault> {
        file::read(text, service)
    }

    /// Whether a login by a line with this field enrols a user without a record.
    #[must_use]
    pub fn enrols(&self, field: Field) -> bool {
        // A line that never asks cannot.
        self.unenrolled == Unenrolled::Enroll && field != Field::UseFirstPass
    }

    /// The day until which a user may put enrolling off; `None`: until no day.
    /// `required`: the require keys name the user.
    #[must_use]
    pub fn put_off_until(&self, required: bool) -> Option<Date> {
        if required {
            self.require_by
        } else {
            self.enroll_by
        }
    }

    /// The services that have a section in this file; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// [`PolicyError`].
    pub fn sections(path: &Path) -> Result<Option<Vec<String>>, PolicyError> {
        let text = file::load(path).map_err(|error| PolicyError::file(path, error))?;
        let sections = text.map(|text| file::sections(&text));
        let sections = sections.transpose();
        sections.map_err(|fault| PolicyError::fault(path, fault))
    }
}

/// Which store holds the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// `~/.pam-otp/`, the user's own.
    Home,
    /// A directory of root's, out of reach for the user's processes.
    System,
}

/// What becomes of a login that its disk cannot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// It is refused: who knows whether its code was used before?
    Deny,
    /// It is recorded in memory, and on the disk as soon as that can be.
    Volatile,
}

/// What becomes of a user without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unenrolled {
    /// No code, no login.
    Deny,
    /// The other modules of the stack decide alone.
    Allow,
    /// The login itself enrols the user.
    Enroll,
}

/// Why there is no policy.
#[derive(Debug)]
pub enum PolicyError {
    /// The file cannot be used at all.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// Something in the file is unknown or malformed.
    Fault {
        /// The file.
        path: PathBuf,
        /// Line, key, and what is wrong.
        fault: Fault,
    },
    /// An argument in the PAM stack is unknown or malformed.
    Argument(arguments::ArgumentError),
}

impl PolicyError {
    fn file(path: &Path, error: FileError) -> Self {
        Self::File {
            path: path.to_owned(),
            error,
        }
    }

    fn fault(path: &Path, fault: Fault) -> Self {
        Self::Fault {
            path: path.to_owned(),
            fault,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Fault { path, fault } => write!(f, "{}: {fault}", path.display()),
            Self::Argument(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PolicyError {}

impl From<arguments::ArgumentError> for PolicyError {
    fn from(error: arguments::ArgumentError) -> Self {
        Self::Argument(error)
    }
}

#[cfg(test)]
mod tests;
