//! What can go wrong, in words, and what to do about it.

use std::fmt;
use std::io;

use pam_otp_core::policy::PolicyError;
use pam_otp_core::store::StoreError;
use pam_otp_core::user::UserNameError;
use pam_otp_core::verify::Refusal;

/// Why a command did not do what was asked. Nothing was changed then, except
/// what the text says.
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
    /// There is none.
    NotEnrolled(String),
    /// The code does not open.
    Refused(Refusal),
    /// The code at enrolment does not match.
    NotConfirmed,
    /// Standard input ended.
    NoCode,
    /// The kernel gives no randomness.
    Random(getrandom::Error),
    /// The secret does not fit a QR code.
    Qr,
    /// Our own tokens make no token file.
    Token(String),
    /// Reading or writing failed.
    Io(io::Error),
}

impl Error {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotRoot => Some("become root, or leave --user away".into()),
            Self::NotEnrolled(_) => Some("pam-otp enroll switches it on".into()),
            Self::Refused(Refusal::Ahead) => {
                Some("a clock was wrong: if not now, disable with a recovery code and enrol anew".into())
            }
            Self::NotConfirmed | Self::Refused(Refusal::Wrong | Refusal::OtherTime { .. }) => {
                Some("check that the clocks of this machine and of the phone are right".into())
            }
            Self::Refused(Refusal::Used) => Some("each code opens once: take the next one".into()),
            Self::Refused(Refusal::Throttled { .. }) => Some("a recovery code works at once".into()),
            Self::Refused(Refusal::Malformed) => {
                Some("a code has 6 to 8 digits, a recovery code 16 letters and digits".into())
            }
            Self::Store(StoreError::Enrolled(_)) => Some(
                "pam-otp show shows its key again; pam-otp disable removes it".into(),
            ),
            Self::Store(StoreError::Io { error, .. })
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                Some("records in the system store are the administrator's: ask for pam-otp --user NAME".into())
            }
            Self::Store(error) => error.hint(),
            _ => None,
        }
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
            Self::NotEnrolled(user) => write!(f, "two-factor login is not on for {user}"),
            Self::Refused(refusal) => f.write_str(match refusal {
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
            Self::NotConfirmed => f.write_str("the codes do not match; nothing was changed"),
            Self::NoCode => f.write_str("no code was given; nothing was changed"),
            Self::Random(error) => write!(f, "no randomness from the kernel: {error}"),
            Self::Qr => f.write_str("the key does not fit a QR code"),
            Self::Token(error) => f.write_str(error),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
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
