//! How a login ends here, and the one table from that to a PAM return code.

use pam::constants::PamResultCode;
use pam_otp_core::enrolment::Confirmed;
use pam_otp_core::policy::PolicyError;
use pam_otp_core::policy::arguments::ArgumentError;
use pam_otp_core::policy::exceptions::Exemption;
use pam_otp_core::store::StoreError;
use pam_otp_core::user::UserNameError;
use pam_otp_core::verify::{Accepted, Kept, Means, Refusal};

use crate::event::Level;
use crate::host::HostError;

/// How a call of libpam into this module ends.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A code opened: the verifier's proof is inside.
    Granted(Accepted),
    /// A first login: a code of the new token was right, and all that makes it
    /// effective waits on disk.
    Confirmed(Box<Confirmed>),
    /// The stack has agreed: what was confirmed is effective.
    Enrolled,
    /// It could not be made effective.
    NotEnrolled(Denial),
    /// The policy says in words that this user needs no code.
    Skipped(Skip),
    /// A `split` line took a code off its field. It has checked nothing.
    Held,
    /// No.
    Denied(Denial),
}

/// Which words of the policy let a login pass without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// `unenrolled = "allow"`, and the user has no record.
    Unenrolled,
    /// `unenrolled = "enroll"`, and the user has put it off, for so many days at
    /// most.
    Postponed {
        /// Days until `enroll_by`, or `require_by`.
        days: u64,
    },
    /// `exempt_users`, `exempt_groups` or `exempt_networks`.
    Exempt(Exemption),
    /// `remember`, and a code was typed here lately.
    Remembered,
}

/// Why not.
#[derive(Debug)]
pub(crate) enum Denial {
    /// The answer does not open.
    Refused(Refusal),
    /// The user has no record, and the policy asks for one.
    Unenrolled,
    /// The user must enrol, and the application shows no messages.
    NotShown,
    /// The user must enrol, and has typed no code of the new token.
    NotConfirmed,
    /// What a login has confirmed is not there any more, or its time is over.
    NotThere,
    /// The user's name cannot be one.
    UserName(UserNameError),
    /// The record cannot be used.
    Store(StoreError),
    /// The policy or the line's arguments cannot be used.
    Policy(PolicyError),
    /// The application or libpam fails us.
    Host(HostError),
    /// A line of another type than `auth`.
    NotAuth,
    /// The host has no memory left.
    OutOfMemory,
    /// A fault of ours.
    Panic,
}

/// The table: word in the log, PAM return code, meaning. RETURN VALUES in the
/// module's manual page has the same rows, and a test holds it to that.
///
/// libpam reports the *first* failure of a stack. If a denial that comes at or
/// after the question had another code than a wrong password has, that code
/// would tell whether the password was right. So all of those have one; only
/// what is the same for every user, the policy, has another.
#[cfg(test)]
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    (
        "granted",
        "PAM_SUCCESS",
        "A code was right, unused, and is now spent on disk.",
    ),
    (
        "confirmed",
        "PAM_SUCCESS",
        "A first login: a code of the new token was right. It becomes effective in pam_setcred.",
    ),
    (
        "enrolled",
        "PAM_SUCCESS",
        "pam_setcred: what was confirmed is effective.",
    ),
    (
        "skipped",
        "PAM_IGNORE",
        "The policy says that this user needs no code here.",
    ),
    (
        "held",
        "PAM_IGNORE",
        "A split line: password and code were parted, nothing was checked.",
    ),
    (
        "denied",
        "PAM_AUTH_ERR",
        "Anything else, whatever the reason. The log tells it.",
    ),
    (
        "denied",
        "PAM_SERVICE_ERR",
        "The policy file, the line's arguments or the line's type cannot be used.",
    ),
    (
        "denied",
        "PAM_CRED_ERR",
        "pam_setcred: what was confirmed could not be made effective.",
    ),
];

impl Outcome {
    /// The PAM return code. The only place that makes one.
    pub(crate) fn pam_code(&self) -> PamResultCode {
        match self {
            Self::Granted(_) | Self::Confirmed(_) | Self::Enrolled => PamResultCode::PAM_SUCCESS,
            Self::NotEnrolled(_) => PamResultCode::PAM_CRED_ERR,
            Self::Skipped(_) | Self::Held => PamResultCode::PAM_IGNORE,
            Self::Denied(Denial::Policy(_) | Denial::NotAuth) => PamResultCode::PAM_SERVICE_ERR,
            Self::Denied(_) => PamResultCode::PAM_AUTH_ERR,
        }
    }

    /// The log's word for it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Granted(_) => "granted",
            Self::Confirmed(_) => "confirmed",
            Self::Enrolled => "enrolled",
            Self::Skipped(_) => "skipped",
            Self::Held => "held",
            Self::Denied(_) | Self::NotEnrolled(_) => "denied",
        }
    }

    /// The log's word for why.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Granted(accepted) => match accepted.means() {
                Means::Token(_) => "code",
                Means::Recovery { .. } => "recovery_code",
                // Two codes at once: no login asks for them.
                Means::Resync { .. } => "resync",
            },
            Self::Confirmed(_) | Self::Enrolled => "first_login",
            Self::Skipped(Skip::Postponed { .. }) => "postponed",
            Self::Skipped(Skip::Unenrolled) | Self::Denied(Denial::Unenrolled) => "unenrolled",
            Self::Skipped(Skip::Exempt(exemption)) => match exemption {
                Exemption::User => "exempt_user",
                Exemption::Group(_) => "exempt_group",
                Exemption::Network(_) => "exempt_network",
            },
            Self::Skipped(Skip::Remembered) => "remembered",
            Self::Held => "split",
            Self::Denied(denial) | Self::NotEnrolled(denial) => match denial {
                Denial::Refused(refusal) => refusal.word(),
                Denial::Unenrolled => "unenrolled",
                Denial::NotShown => "not_shown",
                Denial::NotConfirmed => "not_confirmed",
                Denial::NotThere => "enrolment_gone",
                Denial::UserName(_) => "bad_user_name",
                Denial::Store(error) => error.word(),
                Denial::Policy(_) => "bad_policy",
                Denial::Host(error) => error.word(),
                Denial::NotAuth => "not_an_auth_line",
                Denial::OutOfMemory => "out_of_memory",
                Denial::Panic => "panic",
            },
        }
    }

    /// What else the log should say.
    pub(crate) fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Granted(accepted) => {
                let means = match accepted.means() {
                    Means::Token(name) | Means::Resync { token: name, .. } => {
                        ("token", name.clone())
                    }
                    Means::Recovery { left } => ("left", left.to_string()),
                };
                // A disk that takes nothing is for the administrator to know.
                let kept = match accepted.kept() {
                    Kept::OnDisk => None,
                    Kept::InMemory => Some(("kept", "memory".to_owned())),
                };
                [means].into_iter().chain(kept).collect()
            }
            Self::Skipped(Skip::Exempt(Exemption::Group(group))) => {
                vec![("group", group.clone())]
            }
            Self::Skipped(Skip::Exempt(Exemption::Network(network))) => {
                vec![("network", network.to_string())]
            }
            Self::Confirmed(confirmed) => vec![("token", confirmed.token().name.to_string())],
            Self::Skipped(Skip::Postponed { days }) => vec![("days", days.to_string())],
            Self::Skipped(_) | Self::Held | Self::Enrolled => Vec::new(),
            Self::Denied(denial) | Self::NotEnrolled(denial) => denial.details(),
        }
    }

    /// How loud the log should be.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Granted(_) | Self::Held => Level::Info,
            Self::Confirmed(_)
            | Self::Enrolled
            | Self::Skipped(_)
            | Self::Denied(
                Denial::Refused(_)
                | Denial::Unenrolled
                | Denial::NotShown
                | Denial::NotConfirmed
                | Denial::UserName(_)
                | Denial::Host(HostError::Conversation | HostError::NoAnswer)
                | Denial::Store(StoreError::UnknownUser { .. }),
            ) => Level::Notice,
            Self::Denied(_) | Self::NotEnrolled(_) => Level::Error,
        }
    }
}

impl Denial {
    fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Store(error) => {
                let path = error
                    .path()
                    .map(|path| ("path", path.display().to_string()));
                let hint = error.hint().map(|hint| ("hint", hint));
                path.into_iter()
                    .chain([("detail", error.to_string())])
                    .chain(hint)
                    .collect()
            }
            Self::Policy(error) => vec![("detail", error.to_string())],
            Self::UserName(error) => vec![("detail", error.to_string())],
            Self::Host(error) => vec![("detail", error.to_string())],
            Self::NotShown => {
                let detail = "the user must enrol, and the application shows no messages";
                let hint = "pam-otp enroll --user USER, or unenrolled = \"deny\" for this service";
                vec![("detail", detail.to_owned()), ("hint", hint.to_owned())]
            }
            Self::NotThere => {
                let detail = "what this login has confirmed is not there any more, or too old";
                vec![("detail", detail.to_owned())]
            }
            Self::NotAuth => {
                let detail = "pam_otp answers auth lines only; remove this line from the stack";
                vec![("detail", detail.to_owned())]
            }
            Self::Refused(Refusal::OtherTime { seconds }) => {
                vec![("clock", format!("{seconds:+}s"))]
            }
            Self::Refused(Refusal::Throttled { seconds }) => vec![("wait", seconds.to_string())],
            Self::Refused(_)
            | Self::Unenrolled
            | Self::NotConfirmed
            | Self::OutOfMemory
            | Self::Panic => Vec::new(),
        }
    }
}

impl From<Denial> for Outcome {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<PolicyError> for Denial {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<ArgumentError> for Denial {
    fn from(error: ArgumentError) -> Self {
        Self::Policy(error.into())
    }
}

impl From<UserNameError> for Denial {
    fn from(error: UserNameError) -> Self {
        Self::UserName(error)
    }
}

impl From<StoreError> for Denial {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<HostError> for Denial {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

#[cfg(test)]
mod tests;
