//! The user's record: what a login would find, by the store's own rules, and
//! without keeping any login waiting.

use std::fmt::Display;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pam_otp_core::policy::{DEFAULT_SYSTEM_STORE, Policy, StoreKind, WithoutRecord};
use pam_otp_core::state::State;
use pam_otp_core::store::{Account, Problem, Record, Store, StoreError};
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token};

use super::finding::{Finding, Severity, Subject};
use super::shell::shell;
use crate::commands::status::{describe, when};
use crate::error::Error;

/// What a login finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A record, with which codes open.
    Enrolled,
    /// None.
    Unenrolled,
    /// Something that refuses every login.
    Broken(String),
    /// Somebody else can look, for this reason.
    Unseen(String),
}

/// A record as it was found.
pub(super) struct Look {
    pub(super) standing: Standing,
    pub(super) findings: Vec<Finding>,
    /// Where it lies, or would.
    pub(super) path: PathBuf,
}

fn finding(severity: Severity, code: &'static str, says: impl Into<String>) -> Finding {
    Finding::new(severity, Subject::Record, code, says.into())
}

/// Whom it is about, and where the record lies or would.
#[derive(Clone, Debug)]
pub(super) struct Subjected<'a> {
    pub(super) account: &'a Account,
    pub(super) policy: &'a Policy,
    /// The record's directory, for messages.
    pub(super) path: PathBuf,
    /// What the line that asks does with this user if there is no record.
    pub(super) without_record: WithoutRecord,
    pub(super) now: UnixTime,
    /// Whom commands that mend must name, if it is about another user.
    pub(super) other: Option<&'a str>,
}

impl Subjected<'_> {
    fn user(&self) -> &str {
        self.account.name().as_str()
    }

    /// A command of ours about this user.
    fn ours(&self, words: &[&dyn Display]) -> String {
        let mut all: Vec<&dyn Display> = vec![&"pam-otp"];
        all.extend(words);
        if let Some(other) = &self.other {
            all.extend::<[&dyn Display; 2]>([&"--user", other]);
        }
        shell(&all)
    }

    /// Looks for the record as a login does.
    pub(super) fn look(&self) -> Look {
        let store = Store::new(self.policy);
        let mut findings = Vec::new();
        if let Some(owner) = others_store(self.policy) {
            let why = format!("the system store is user {owner}'s, which root keeps out of");
            let user = self.user();
            let words: [&dyn Display; 8] = [
                &"runuser", &"-u", &owner, &"--", &"pam-otp", &"doctor", &"--user", &user,
            ];
            let mend = shell(&words);
            let path = self.policy.system_store.display();
            let says = format!("{path}: {why}");
            findings.push(finding(Severity::Note, "record_unseen", says).mend(mend));
            return Look {
                standing: Standing::Unseen(why),
                findings,
                path: self.path.clone(),
            };
        }
        let opened = store.open(self.account);
        let (standing, path) = match opened {
            Ok(Some(record)) => {
                let path = record.path().to_owned();
                (self.found(&record, &mut findings), path)
            }
            Ok(None) => (self.unenrolled(&store, &mut findings), self.path.clone()),
            Err(error) => (self.broken(error, &mut findings), self.path.clone()),
        };
        if !matches!(standing, Standing::Unseen(_)) {
            findings.extend(self.pending(&store));
            findings.extend(self.above());
        }
        Look {
            standing,
            findings,
            path,
        }
    }

    fn found(&self, record: &Record, findings: &mut Vec<Finding>) -> Standing {
        let (user, path) = (self.user(), record.path().display());
        if let Err(error) = record.check_begin() {
            return self.broken(error, findings);
        }
        let state = match record.glance() {
            Ok(state) => state,
            Err(error) => return self.broken(error, findings),
        };
        let tokens = record.tokens().tokens();
        let names: Vec<_> = tokens.iter().map(describe).collect();
        findings.push(finding(
            Severity::Ok,
            "record",
            format!("{user} has a record, {path}: {}", names.join(", ")),
        ));
        if record.foreign().is_some() {
            let says = format!("{path} is another program's file, which counts as the record");
            findings.push(
                finding(Severity::Note, "foreign_file", says).mend(self.ours(&[&"import", &path])),
            );
        }
        findings.extend(self.throttled(record, &state));
        findings.push(self.recovery(record, &state));
        for token in tokens {
            findings.extend(self.token(token, &state));
        }
        Standing::Enrolled
    }

    fn unenrolled(&self, store: &Store, findings: &mut Vec<Finding>) -> Standing {
        let enrols = matches!(self.without_record, WithoutRecord::Enrols(_));
        let makes_record = enrols.then(|| store.check_enrol(self.account));
        let Some(Err(error)) = makes_record else {
            findings.push(self.none());
            return Standing::Unenrolled;
        };
        let mend = self.mend_enrolling(&error);
        let error = Error::from(error);
        let says = format!("no login could make a record for {}: {error}", self.user());
        // Until the policy's day the user gets in by putting it off.
        let (severity, standing) = match self.without_record.puts_off_for(self.now) {
            Some(_) => (Severity::Warning, Standing::Unenrolled),
            None => (Severity::Error, Standing::Broken(error.to_string())),
        };
        findings.push(finding(severity, error.code(), says).mend_if(mend));
        standing
    }

    /// A home stays whose it is: sshd, e.g., keeps users only below directories of
    /// root's.
    fn mend_enrolling(&self, error: &StoreError) -> Option<String> {
        match error {
            StoreError::Io { error, .. } if error.kind() == ErrorKind::PermissionDenied => {
                Some(self.directory(&self.path))
            }
            error => self.mend(error),
        }
    }

    fn none(&self) -> Finding {
        let (user, path) = (self.user(), self.path.display());
        let (severity, then) = match self.without_record {
            WithoutRecord::NoCode => (Severity::Note, "and needs no code"),
            WithoutRecord::Enrols(_) => (Severity::Note, "and enrols at the login"),
            WithoutRecord::Refused => (Severity::Error, "and is refused"),
        };
        finding(
            severity,
            "not_enrolled",
            format!("{user} has no record ({path}), {then}"),
        )
        .mend(self.ours(&[&"enroll"]))
    }

    fn broken(&self, error: StoreError, findings: &mut Vec<Finding>) -> Standing {
        let denied = matches!(
            &error,
            StoreError::Io { error, .. } if error.kind() == ErrorKind::PermissionDenied
        );
        if denied && self.policy.store == StoreKind::System {
            let says = format!("{error}: only root can look at {}'s record", self.user());
            let root = shell(&[&"sudo", &"pam-otp", &"doctor", &"--user", &self.user()]);
            findings.push(finding(Severity::Note, "record_unseen", says).mend(root));
            return Standing::Unseen("only root can see the record".to_owned());
        }
        let mend = self.mend(&error);
        let error = Error::from(error);
        let mend = mend.or_else(|| error.hint(Some(self.user())));
        let says = error.to_string();
        findings.push(finding(Severity::Error, error.code(), says.clone()).mend_if(mend));
        Standing::Broken(says)
    }

    /// What mends it. A broken record is set aside by a reset, so nothing is lost that
    /// could be restored.
    fn mend(&self, error: &StoreError) -> Option<String> {
        let user = self.user();
        Some(match error {
            StoreError::NoToken(_)
            | StoreError::Empty(_)
            | StoreError::TooLarge { .. }
            | StoreError::Token { .. }
            | StoreError::State { .. } => [
                shell(&[&"pam-otp", &"reset", &"--user", &user]),
                shell(&[&"pam-otp", &"enroll", &"--user", &user]),
            ]
            .join(" && "),
            StoreError::Missing(path) => self.directory(path),
            StoreError::UnknownUser { user } | StoreError::Account { user, .. } => {
                shell(&[&"getent", &"passwd", user])
            }
            StoreError::Insecure { path, problem } => self.secure(path, *problem),
            StoreError::Io { path, .. } | StoreError::FileLimit(path) => {
                shell(&[&"namei", &"-l", &path.display()])
            }
            StoreError::Locked(path) => shell(&[&"fuser", &"-v", &path.display()]),
            _ => return None,
        })
    }

    /// Makes a directory that is the owner's alone.
    fn directory(&self, path: &Path) -> String {
        let owner = match self.policy.store {
            StoreKind::Home => self.user(),
            StoreKind::System => "root",
        };
        let path = path.display();
        shell(&[&"install", &"-d", &"-m", &"0700", &"-o", &owner, &path])
    }

    fn secure(&self, path: &Path, problem: Problem) -> String {
        let shown = path.display();
        match problem {
            Problem::Mode { allowed: 0o755, .. } => shell(&[&"chmod", &"go-w", &shown]),
            Problem::Mode { allowed, .. } => shell(&[&"chmod", &format!("{allowed:04o}"), &shown]),
            // What lies in the record is somebody else's too.
            Problem::Owner { uid, expected } if path.starts_with(&self.path) => {
                let (from, record) = (format!("--from={uid}"), self.path.display());
                shell(&[&"chown", &"-hR", &from, &expected, &record])
            }
            Problem::Owner { expected, .. } => shell(&[&"chown", &expected, &shown]),
            Problem::Link | Problem::NotDirectory | Problem::NotFile => {
                shell(&[&"ls", &"-ld", &shown])
            }
        }
    }

    /// What was begun and is not confirmed.
    fn pending(&self, store: &Store) -> Option<Finding> {
        match store.pending(self.account) {
            Ok(Some(pending)) if pending.login.is_none() && !pending.is_over(self.now) => {
                let says = format!(
                    "an enrolment of {} was begun; until it is confirmed, logins do not look at it",
                    self.user()
                );
                let mend = self.ours(&[&"confirm"]);
                Some(finding(Severity::Note, "pending", says).mend(mend))
            }
            Err(error @ (StoreError::Token { .. } | StoreError::Insecure { .. })) => {
                let says = format!("{error}; logins do not look at it");
                Some(
                    finding(Severity::Warning, "bad_pending", says)
                        .mend_if(self.mend_pending(&error)),
                )
            }
            _ => None,
        }
    }

    /// What was begun is begun anew, and what others could have changed is secured.
    fn mend_pending(&self, error: &StoreError) -> Option<String> {
        match error {
            StoreError::Token { .. } => Some(self.ours(&[&"enroll"])),
            error => self.mend(error),
        }
    }

    fn throttled(&self, record: &Record, state: &State) -> Option<Finding> {
        let rules = self.policy.rules;
        let wait = rules.longest_wait(record.tokens(), state, self.now);
        (wait > 0).then(|| {
            let until = when(self.now.0.saturating_add(wait));
            let says = format!(
                "after {} wrong codes, who sent them waits until {until}, and right codes are \
                 refused there too; a recovery code works at once",
                state.history().failures
            );
            let mend = shell(&[&"pam-otp", &"unlock", &"--user", &self.user()]);
            finding(Severity::Warning, "throttled", says).mend(mend)
        })
    }

    fn recovery(&self, record: &Record, state: &State) -> Finding {
        let left = record.tokens().recovery_left(state);
        let mend = self.ours(&[&"recovery"]);
        let says = format!("{} has {left} recovery codes left", self.user());
        match left {
            0 => finding(
                Severity::Warning,
                "no_recovery_codes",
                format!("{says}: without the phone, only root can help"),
            )
            .mend_if(record.foreign().is_none().then_some(mend)),
            1..=2 => finding(Severity::Note, "few_recovery_codes", says).mend(mend),
            _ => finding(Severity::Ok, "recovery_codes", says),
        }
    }

    /// What a token's past says of its codes.
    fn token(&self, token: &Token, state: &State) -> Option<Finding> {
        let name = &token.name;
        let Kind::Totp { period } = token.kind else {
            return None;
        };
        let drift = state.drift(token.id());
        let apart = u64::from(drift.unsigned_abs()).saturating_mul(period.seconds());
        let last = state.next(token.id()).saturating_sub(1);
        let reach = self
            .policy
            .rules
            .window
            .saturating_add(drift.unsigned_abs().into());
        let replace = self.ours(&[&"enroll", &"--replace", &name]);
        if last > period.step_at(self.now).saturating_add(reach) {
            let ahead = last.saturating_sub(period.step_at(self.now));
            let ahead = std::time::Duration::from_secs(ahead.saturating_mul(period.seconds()));
            let says = format!(
                "a code of \"{name}\" was used at a time {} from now: a clock was wrong, and until \
                 then its codes are refused",
                humantime::format_duration(ahead)
            );
            return Some(finding(Severity::Error, "clock_was_ahead", says).mend(replace));
        }
        if drift != 0 {
            let which = if drift < 0 { "behind" } else { "ahead" };
            let says =
                format!("the clock of \"{name}\" is about {apart} s {which}, which is known");
            return Some(finding(Severity::Note, "drift", says));
        }
        None
    }

    /// Directories above the home are not the store's business, but who can rename
    /// what lies in them can take the record away.
    fn above(&self) -> Option<Finding> {
        let base = self.path.parent()?;
        let own = self.account.uid();
        base.ancestors().skip(1).find_map(|directory| {
            let metadata = std::fs::metadata(directory).ok()?;
            let (uid, mode) = (metadata.uid(), metadata.mode());
            let shown = directory.display();
            if uid != 0 && Some(uid) != own {
                let says = format!(
                    "{shown} belongs to user id {uid}, who could take the record away by renaming"
                );
                return Some(
                    finding(Severity::Warning, "insecure_way", says)
                        .mend(shell(&[&"chown", &"root", &shown])),
                );
            }
            (mode & 0o022 != 0 && mode & 0o1000 == 0).then(|| {
                let says = format!(
                    "{shown} has mode {:04o}: others could take the record away by renaming",
                    mode & 0o7777
                );
                finding(Severity::Warning, "insecure_way", says)
                    .mend(shell(&[&"chmod", &"go-w", &shown]))
            })
        })
    }
}

/// Whose the system store is, if a program that runs as an ordinary user keeps it,
/// and root asks.
fn others_store(policy: &Policy) -> Option<String> {
    let owner = crate::session::owner(policy)?;
    let ours = owner.is_root() || !nix::unistd::Uid::effective().is_root();
    if ours || policy.system_store == Path::new(DEFAULT_SYSTEM_STORE) {
        return None;
    }
    let user = nix::unistd::User::from_uid(owner).ok().flatten();
    Some(user.map_or_else(|| owner.to_string(), |user| user.name))
}

/// Where the record of this user lies, or would.
pub(super) fn place(policy: &Policy, account: &Account) -> PathBuf {
    let name = account.name().as_str();
    match policy.store {
        StoreKind::System => policy.system_store.join(name),
        StoreKind::Home => {
            let user = nix::unistd::User::from_name(name).ok().flatten();
            let home = user.map(|user| user.dir).unwrap_or_default();
            Path::new(&home).join(pam_otp_core::store::HOME_RECORD)
        }
    }
}
