//! What can go wrong, in words, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use pam_otp_core::policy::PolicyError;
use pam_otp_core::store::StoreError;
use pam_otp_core::token::{TokenError, TokenNameError};
use pam_otp_core::user::UserNameError;
use pam_otp_core::verify::Refusal;

use crate::events::NoLog;
use crate::mismatch::Mismatch;
use crate::policy::ChangeError;
use crate::reply::Object;
use crate::setup::SetupError;

mod hint;
pub(crate) mod table;

pub(crate) use table::Exit;

/// Why a command did not do what was asked. The texts hold names and paths as
/// they are: escape them before they are printed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The system does not know who calls.
    Caller(String),
    /// Only root may act for others.
    NotRoot,
    /// No user can have that name.
    UserName(UserNameError),
    /// The policy cannot be used.
    Policy(PolicyError),
    /// The record cannot be used.
    Store(StoreError),
    /// The record is in the system store, and the caller is not root.
    Administrators {
        /// What was closed.
        path: PathBuf,
        /// What the caller wanted.
        command: &'static str,
        /// Whose record it is.
        user: String,
    },
    /// There is none.
    NotEnrolled(String),
    /// The code does not open.
    Refused(Refusal),
    /// The same, where no recovery code will do.
    TokenRefused(Refusal),
    /// The two codes at a resync are not what a token shows one after the other.
    NotInARow,
    /// A recovery code at a resync.
    NoClock,
    /// A recovery code, where a code of the new token is asked for.
    NoPhone,
    /// The code at enrolment does not match.
    Mismatch(Mismatch),
    /// The person has tried often enough.
    NotConfirmed,
    /// Nothing was begun, or it is done already.
    NoPending(String),
    /// Nothing was begun that could be cancelled.
    NothingBegun(String),
    /// Another enrolment was begun while this one waited for its code.
    Overtaken,
    /// What was begun was not confirmed in time.
    PendingExpired(String),
    /// These tokens cannot be together in one record.
    Tokens(TokenError),
    /// Options that do not go together.
    Usage(String),
    /// Standard input ended.
    NoCode,
    /// The kernel gives no randomness.
    Random(getrandom::Error),
    /// The secret does not fit a QR code.
    Qr,
    /// What must be seen to be of use could not be written; two-factor login
    /// stays off.
    NotShown(io::Error),
    /// Reading or writing failed.
    Io(io::Error),
    /// Another token has that name.
    NameTaken(String),
    /// Only the administrator may do that.
    NotInCharge {
        /// What was to be done.
        command: &'static str,
        /// For whom, where that must be said.
        user: Option<String>,
    },
    /// No log can be read.
    NoLog(NoLog),
    /// No token can have that name.
    TokenName(TokenNameError),
    /// New recovery codes count, and nobody has seen them.
    CodesLost,
    /// The system store of a program that runs as an ordinary user.
    OthersStore {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: String,
        /// The policy that names it.
        policy: PathBuf,
        /// What was to be done.
        command: &'static str,
    },
    /// A file that the caller has named cannot be read, or not be made.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is nothing in it.
    NothingToImport,
    /// The person has given up. Seen only where the signal does not end the command.
    Interrupted,
    /// The policy cannot be changed so.
    Change(ChangeError),
    /// A stack is not changed, or not put back.
    Setup(SetupError),
    /// Some of what was to be imported was not. The answer says which.
    EntriesRefused {
        /// So many.
        refused: usize,
        /// Of so many.
        all: usize,
        /// What the file was taken for, if that is a guess and nothing in it is a token.
        guessed: Option<&'static str>,
    },
    /// `doctor` has found warnings, and nothing worse. The answer says which.
    Warnings,
    /// `doctor` has found what keeps people out, or lets them in. The answer says
    /// which.
    Faults,
}

impl Error {
    /// The reader of our output is gone, and nobody waits for the rest.
    pub(crate) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The word for programs, which stays the same.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Caller(_) => "unknown_caller",
            Self::NotRoot | Self::NotInCharge { .. } => "not_root",
            Self::NoLog(_) => "no_log",
            Self::UserName(_) => "bad_user_name",
            Self::Policy(_) => "bad_policy",
            Self::Store(StoreError::Io { error, .. }) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
                io::ErrorKind::ReadOnlyFilesystem => "read_only",
                _ => "unreadable_record",
            },
            Self::Store(error) => error.word(),
            Self::Administrators { .. } => "administrator_only",
            Self::NotEnrolled(_) => "not_enrolled",
            Self::Refused(refusal) | Self::TokenRefused(refusal) => refusal.word(),
            Self::NotInARow => "not_in_a_row",
            Self::NoClock | Self::NoPhone => "not_a_token_code",
            Self::Mismatch(Mismatch {
                seconds: Some(_), ..
            }) => "other_time",
            Self::Mismatch(_) | Self::NotConfirmed => "wrong_code",
            Self::NoPending(_) | Self::NothingBegun(_) => "no_pending",
            Self::Overtaken => "pending_replaced",
            Self::PendingExpired(_) => "pending_expired",
            Self::Tokens(TokenError::Twice(_)) | Self::NameTaken(_) => "name_taken",
            Self::Tokens(TokenError::TooMany(_)) => "too_many_tokens",
            Self::Tokens(TokenError::Missing(_)) => "no_such_token",
            Self::Tokens(TokenError::None) => "last_token",
            Self::Usage(_) => "usage",
            Self::NoCode | Self::Interrupted => "no_code",
            Self::Random(_) => "no_randomness",
            Self::Qr => "no_picture",
            Self::NotShown(_) => "not_shown",
            // Its kind has no name in Rust 1.85.
            Self::File { error, .. } if is_long_name(error) => "bad_file",
            Self::File { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
                io::ErrorKind::ReadOnlyFilesystem => "read_only",
                io::ErrorKind::NotFound
                | io::ErrorKind::AlreadyExists
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidInput => "bad_file",
                _ => "input_output",
            },
            Self::Io(_) => "input_output",
            Self::TokenName(_) => "bad_token_name",
            Self::CodesLost => "codes_lost",
            Self::OthersStore { .. } => "insecure_record",
            Self::NothingToImport => "nothing_to_import",
            Self::Change(error) => error.word(),
            Self::EntriesRefused { .. } => "entries_refused",
            Self::Warnings => "warnings_found",
            Self::Faults => "errors_found",
            Self::Setup(error) => error.code(),
        }
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        table::find(self.code()).map_or(Exit::Broken, |row| row.exit)
    }

    /// All that programs are told; `other` is whom `--user` names.
    pub(crate) fn object(&self, other: Option<&str>) -> Object {
        let mut object = Object::new();
        object.push("code", self.code());
        object.push("message", self.to_string());
        object.push("hint", self.hint(other));
        match self {
            Self::Refused(Refusal::Throttled { seconds })
            | Self::TokenRefused(Refusal::Throttled { seconds }) => {
                object.push("wait_seconds", *seconds);
            }
            Self::Refused(Refusal::OtherTime { seconds })
            | Self::TokenRefused(Refusal::OtherTime { seconds })
            | Self::Mismatch(Mismatch {
                seconds: Some(seconds),
                ..
            }) => {
                object.push("clock_off_seconds", *seconds);
            }
            Self::Store(error) => {
                object.push("path", error.path().map(|path| path.display().to_string()));
            }
            Self::Setup(SetupError::Changed { path, difference }) => {
                object.push("path", path.display().to_string());
                object.push("difference", difference.as_str());
            }
            _ => {}
        }
        object
    }
}

/// A name that no file can have.
pub(crate) fn is_long_name(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ENAMETOOLONG as i32)
}

/// Why a file that was named is of no use.
fn of_file(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match (error.raw_os_error(), error.kind()) {
        (_, io::ErrorKind::AlreadyExists) => {
            format!("{path}: is there already, and is never written over")
        }
        (_, io::ErrorKind::NotFound) => format!("{path}: no such file or directory"),
        (Some(_), io::ErrorKind::PermissionDenied) => format!("{path}: permission denied"),
        _ => format!("{path}: {error}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(error) => write!(f, "cannot tell who you are: {error}"),
            Self::NotRoot => f.write_str("only root may act for another user"),
            Self::UserName(error) => error.fmt(f),
            Self::Policy(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Administrators { path, .. } => write!(
                f,
                "{}: records in the system store are the administrator's",
                path.display()
            ),
            Self::NotEnrolled(user) => write!(f, "two-factor login is not on for {user}"),
            Self::Refused(refusal) | Self::TokenRefused(refusal) => f.write_str(match refusal {
                Refusal::Wrong => "the code is wrong",
                Refusal::Used => "the code was used before",
                Refusal::Empty => "no code was given",
                Refusal::Malformed => "that is not the form of a code",
                Refusal::Ahead => "the last code was used at a later time than it is now",
                Refusal::OtherTime { seconds } => {
                    let which = if *seconds < 0 { "behind" } else { "ahead" };
                    let seconds = seconds.unsigned_abs();
                    return write!(
                        f,
                        "that code is {seconds} seconds {which} of this machine's clock"
                    );
                }
                Refusal::Throttled { seconds } => {
                    return write!(f, "too many wrong codes; wait {seconds} seconds");
                }
                Refusal::Exhausted => "the token's counter is at its end",
            }),
            Self::NotInARow => {
                f.write_str("these are not two codes in a row of any token, within a day of now")
            }
            Self::NoClock => {
                f.write_str("a recovery code tells nothing of a clock; it is not used up")
            }
            Self::NoPhone => {
                f.write_str("a recovery code proves nothing about the app; it is not used up")
            }
            Self::Mismatch(mismatch) => f.write_str(&mismatch.what()),
            Self::Overtaken => f.write_str(
                "another enrolment was begun meanwhile, and takes the place of this one",
            ),
            Self::NoPending(user) | Self::NothingBegun(user) => {
                write!(f, "no enrolment of {user} waits to be confirmed")
            }
            Self::PendingExpired(user) => {
                write!(f, "the enrolment of {user} was not confirmed in time")
            }
            Self::Tokens(TokenError::None) => f.write_str("the last token cannot be removed"),
            Self::Tokens(error) => error.fmt(f),
            Self::Usage(error) => f.write_str(error),
            Self::NotConfirmed => f.write_str("the codes do not match; nothing was changed"),
            Self::NoCode => f.write_str("no code was given; nothing was changed"),
            Self::Interrupted => f.write_str("interrupted; nothing was changed"),
            Self::Random(error) => write!(f, "no randomness from the kernel: {error}"),
            Self::Qr => f.write_str("the key does not fit a QR code"),
            Self::NotShown(error) => {
                write!(
                    f,
                    "two-factor login stays off, for this cannot be shown: {error}"
                )
            }
            Self::Io(error) => error.fmt(f),
            Self::NoLog(error) => error.fmt(f),
            Self::NotInCharge { command, .. } => write!(f, "pam-otp {command} is for root only"),
            Self::NameTaken(name) => TokenError::Twice(name.clone()).fmt(f),
            Self::TokenName(error) => error.fmt(f),
            Self::CodesLost => f.write_str(
                "the new recovery codes could not be shown, and are lost; all others are void",
            ),
            Self::OthersStore { path, owner, .. } => write!(
                f,
                "{}: the store of user {owner}, which root keeps out of",
                path.display()
            ),
            Self::File { path, error } => f.write_str(&of_file(path, error)),
            Self::Change(error) => error.fmt(f),
            Self::NothingToImport => f.write_str("there is nothing to import"),
            Self::Setup(error) => error.fmt(f),
            Self::EntriesRefused { refused, all, .. } => {
                write!(f, "{refused} of {all} entries were not imported")
            }
            Self::Warnings => f.write_str("there are warnings among the findings"),
            Self::Faults => f.write_str("there are errors among the findings"),
        }
    }
}

impl From<pam_otp_qr::TooLong> for Error {
    fn from(_: pam_otp_qr::TooLong) -> Self {
        Self::Qr
    }
}

impl From<SetupError> for Error {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Tokens(error)
    }
}

impl From<TokenNameError> for Error {
    fn from(error: TokenNameError) -> Self {
        Self::TokenName(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UserNameError> for Error {
    fn from(error: UserNameError) -> Self {
        Self::UserName(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}
