//! What to do about what went wrong.

use std::io;

use pam_otp_core::policy::{FileError, PolicyError};
use pam_otp_core::store::{PENDING_FILE, StoreError};
use pam_otp_core::token::TokenError;
use pam_otp_core::verify::Refusal;

use super::Error;

impl Error {
    /// What to do about it; `other` is whom `--user` names.
    pub(crate) fn hint(&self, other: Option<&str>) -> Option<String> {
        let user = for_user(other);
        match self {
            Self::NotRoot => Some("become root, or leave --user away".into()),
            Self::NotEnrolled(_) => Some(format!("pam-otp enroll{user} switches it on")),
            Self::Administrators { command, user, .. } => Some(format!(
                "ask the administrator; as root: pam-otp {command} --user {user}"
            )),
            Self::Policy(PolicyError::File {
                path,
                error: FileError::Io(error),
            }) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some(format!("as root: chmod 0644 {}", path.display()))
            }
            Self::Refused(Refusal::Throttled { .. }) => {
                Some("a recovery code works at once".into())
            }
            Self::Refused(Refusal::Malformed) => {
                Some("a code has 6 to 8 digits, a recovery code 16 letters and digits".into())
            }
            Self::Refused(refusal) | Self::TokenRefused(refusal) => of_code(*refusal, &user),
            Self::NotConfirmed => of_code(Refusal::Wrong, &user),
            Self::NoClock | Self::NoPhone => of_code(Refusal::Malformed, &user),
            Self::NotInARow => Some("take two that the app shows one right after the other".into()),
            Self::Mismatch(mismatch) => mismatch.hint(),
            Self::Change(error) => error.hint(),
            Self::Setup(error) => error.hint(),
            Self::NoPending(_) | Self::PendingExpired(_) => {
                Some(format!("pam-otp enroll{user} begins one"))
            }
            Self::Overtaken => Some(format!(
                "finish that one, or begin anew: pam-otp enroll{user}"
            )),
            Self::Tokens(error) => of_tokens(error, &user),
            Self::NameTaken(_) => Some(format!("pam-otp status{user} shows their names")),
            Self::Store(error) => self.of_record(error, &user),
            Self::EntriesRefused { guessed, .. } => guessed.map(|guessed| {
                format!(
                    "it was taken for {guessed}; if it is something else, say so: \
                         --from google, oath or uri"
                )
            }),
            Self::File { error, .. } if error.kind() == io::ErrorKind::AlreadyExists => {
                Some("take another name, or remove that file first".into())
            }
            Self::NotInCharge { command, user } => Some(format!(
                "ask the administrator; as root: pam-otp {command}{}",
                for_user(user.as_deref())
            )),
            Self::CodesLost => Some(format!("pam-otp recovery{user} makes new ones")),
            Self::OthersStore {
                owner,
                policy,
                command,
                ..
            } => Some(format!(
                "runuser -u {owner} -- pam-otp --policy {} {command}{user}",
                policy.display(),
            )),
            Self::Caller(_)
            | Self::UserName(_)
            | Self::Policy(_)
            | Self::NoCode
            | Self::Warnings
            | Self::Faults
            | Self::NothingBegun(_)
            | Self::NotShown(_)
            | Self::Random(_)
            | Self::Qr
            | Self::Usage(_)
            | Self::TokenName(_)
            | Self::NothingToImport
            | Self::Interrupted
            | Self::File { .. }
            | Self::NoLog(_)
            | Self::Io(_) => None,
        }
    }

    fn of_record(&self, error: &StoreError, user: &str) -> Option<String> {
        match error {
            StoreError::Enrolled(_) => Some(format!(
                "pam-otp show{user} shows its key again; pam-otp enroll{user} --name tablet adds a second \
                 device, --replace phone takes a lost one's place; pam-otp disable{user} removes all"
            )),
            StoreError::Token { path, .. } if path.ends_with(PENDING_FILE) => {
                Some(format!("pam-otp enroll{user} begins anew"))
            }
            StoreError::Io { .. } => match self.code() {
                "disk_full" => Some("make room, and run the command again".into()),
                "read_only" => Some(
                    "an administrator can mount it for writing, or use the system store".into(),
                ),
                _ => None,
            },
            StoreError::Token { .. } | StoreError::Empty(_) | StoreError::TooLarge { .. } => {
                error.hint().or_else(|| {
                    Some(
                        "mend the file, restore it from a backup, or have the administrator disable and enrol anew"
                            .into(),
                    )
                })
            }
            error => error.hint(),
        }
    }
}

/// Where a token's own code was asked for.
fn of_code(refusal: Refusal, user: &str) -> Option<String> {
    match refusal {
        Refusal::Wrong => Some(format!(
            "check that the clocks of this machine and of the phone are right; if the phone's cannot \
                 be set: pam-otp resync{user}"
        )),
        Refusal::Used => Some("each code opens once: take the next one".into()),
        Refusal::OtherTime { .. } => Some(format!(
            "check both clocks; pam-otp resync{user} learns it, if the phone's cannot be set right"
        )),
        Refusal::Ahead => Some(
            "a clock was wrong: if not now, disable with a recovery code and enrol anew".into(),
        ),
        Refusal::Malformed => Some("a code that the app shows has 6 to 8 digits".into()),
        Refusal::Empty | Refusal::Exhausted | Refusal::Throttled { .. } => None,
    }
}

fn of_tokens(error: &TokenError, user: &str) -> Option<String> {
    match error {
        TokenError::None => Some(format!(
            "pam-otp disable{user} switches two-factor login off"
        )),
        TokenError::Twice(name) => Some(format!("take another --name, or --replace \"{name}\"")),
        TokenError::Missing(_) => Some(format!("pam-otp status{user} shows their names")),
        TokenError::TooMany(_) => None,
    }
}

/// The option with which the next command is about the same user.
fn for_user(other: Option<&str>) -> String {
    other
        .map(|user| format!(" --user {user}"))
        .unwrap_or_default()
}
