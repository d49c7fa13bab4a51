//! The policy: can it be read, and what does it say of this service and user?

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pam_otp_core::policy::exceptions::{Exemption, Standing};
use pam_otp_core::policy::{FileError, Policy, PolicyError, StoreKind, Unenrolled, Unwritable};

use super::finding::{Finding, Severity, Subject};
use super::shell::{edit, shell};
use crate::first_login::{Logged, SaidBy};
use crate::session::Session;

fn finding(severity: Severity, code: &'static str, says: String) -> Finding {
    Finding::new(severity, Subject::Policy, code, says)
}

/// How the file itself stands. `required` says that a line names it: then it must
/// be there.
pub(super) fn file(path: &Path, required: bool) -> Finding {
    let shown = path.display();
    match Policy::sections(path) {
        Ok(Some(_)) => match others_file(path) {
            Some(finding) => finding,
            None => finding(Severity::Ok, "policy", format!("{shown} is sound")),
        },
        Ok(None) if required => finding(
            Severity::Error,
            "bad_policy",
            format!("{shown} is not there, though the stack names it"),
        )
        .mend(shell(&[&"install", &"-m", &"0644", &"/dev/null", &shown])),
        Ok(None) => finding(
            Severity::Ok,
            "policy",
            format!("there is no {shown}, so the defaults count"),
        ),
        Err(error) => broken(&error),
    }
}

/// Whoever runs this command may own the file, and we read it; services of root's
/// do not.
fn others_file(path: &Path) -> Option<Finding> {
    let uid = std::fs::metadata(path).ok()?.uid();
    (uid != 0).then(|| {
        finding(
            Severity::Warning,
            "bad_policy",
            format!(
                "{} belongs to user id {uid}: services that run as root refuse every login by it",
                path.display()
            ),
        )
        .mend(shell(&[&"chown", &"root", &path.display()]))
    })
}

/// A policy that cannot be used.
pub(super) fn broken(error: &PolicyError) -> Finding {
    let unseen = matches!(
        error,
        PolicyError::File { error: FileError::Io(error), .. }
            if error.kind() == ErrorKind::PermissionDenied
    );
    let (severity, code, what) = if unseen {
        (
            Severity::Warning,
            "policy_unseen",
            "you cannot read it, and neither can programs that ask PAM as you",
        )
    } else {
        (
            Severity::Error,
            "bad_policy",
            "every login that asks for it is refused",
        )
    };
    finding(severity, code, format!("{error}: {what}")).mend_if(mend(error))
}

fn mend(error: &PolicyError) -> Option<String> {
    match error {
        PolicyError::File { path, error } => {
            let path = path.display();
            match error {
                FileError::Owner(_) => Some(shell(&[&"chown", &"root", &path])),
                FileError::Mode(_) => Some(shell(&[&"chmod", &"0644", &path])),
                FileError::Missing => {
                    Some(shell(&[&"install", &"-m", &"0644", &"/dev/null", &path]))
                }
                FileError::Io(error) if error.kind() == ErrorKind::PermissionDenied => {
                    Some(shell(&[&"chmod", &"0644", &path]))
                }
                FileError::Kind | FileError::Size | FileError::Io(_) => None,
            }
        }
        PolicyError::Fault { path, fault } => Some(edit(path.display(), fault.line)),
        PolicyError::Argument(_) => None,
    }
}

/// What counts for this service, as far as it is not the default.
pub(super) fn effective(policy: &Policy, path: &Path, service: &str) -> Finding {
    let section = Policy::sections(path)
        .ok()
        .flatten()
        .is_some_and(|names| names.iter().any(|name| name == service));
    let by = if section {
        format!("[service.{service}] of {} counts", path.display())
    } else {
        "the policy has no section for it".to_owned()
    };
    finding(
        Severity::Ok,
        "effective_policy",
        format!("{by}: {}", values(policy).join(", ")),
    )
    .of_service(service)
}

fn values(policy: &Policy) -> Vec<String> {
    let usual = Policy::default();
    let mut values = vec![
        match policy.store {
            StoreKind::Home => "records in homes".to_owned(),
            StoreKind::System => format!("records in {}", policy.system_store.display()),
        },
        match policy.unenrolled {
            Unenrolled::Deny => "who has no record is refused".to_owned(),
            Unenrolled::Allow => "who has no record needs no code".to_owned(),
            Unenrolled::Enroll => {
                let days = policy
                    .enroll_by
                    .and_then(|day| day.days_until(Session::now()));
                let until = days.map(|days| format!(", and can put it off for {days} days"));
                format!(
                    "who has no record enrols at the login{}",
                    until.unwrap_or_default()
                )
            }
        },
    ];
    if policy.rules.remember > 0 {
        let time = std::time::Duration::from_secs(policy.rules.remember);
        let time = humantime::format_duration(time);
        values.push(format!("a code counts for {time} at one place"));
    }
    if policy.unwritable == Unwritable::Volatile {
        values.push("disks that cannot be written are borne".to_owned());
    }
    if policy.legacy.is_none() {
        values.push("other programs' files do not count".to_owned());
    }
    let (rules, usual) = (policy.rules, usual.rules);
    if rules.window != usual.window {
        values.push(format!("window {}", rules.window));
    }
    if rules.drift != usual.drift {
        values.push(format!("drift {}", rules.drift));
    }
    values
}

/// Who needs no code here: the networks.
pub(super) fn networks(policy: &Policy, service: &str) -> Option<Finding> {
    let networks = &policy.exceptions.exempt_networks;
    let names: Vec<_> = networks.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| {
        finding(
            Severity::Note,
            "exempt_networks",
            format!("who comes from {} needs no code", names.join(", ")),
        )
        .of_service(service)
    })
}

/// First logins that an application would log.
pub(super) fn first_login(logged: &Logged) -> Finding {
    let service = logged.service;
    let mend = match &logged.said_by {
        SaidBy::Line(place) => edit(place.path.display(), place.line),
        SaidBy::Policy(path) => deny(path, service),
    };
    finding(Severity::Warning, "first_login_logged", logged.to_string())
        .mend(mend)
        .of_service(service)
}

/// What has the policy refuse who has no record, at this service.
fn deny(path: &Path, service: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let appended = format!("{text}\n[service.{service}]\nunenrolled = \"deny\"\n");
    // It must not be there twice, in whatever form.
    let denies = Policy::parse(appended.as_bytes(), service)
        .is_ok_and(|policy| policy.unenrolled == Unenrolled::Deny);
    if denies {
        let section = format!("\\n[service.{service}]\\nunenrolled = \"deny\"\\n");
        let printf = shell(&[&"printf", &section]);
        return format!("{printf} >>{}", shell(&[&path.display()]));
    }
    edit(path.display(), line_of(&text, service))
}

/// Where the service's section has the key, or else where it begins.
fn line_of(text: &str, service: &str) -> usize {
    let header = format!("[service.{service}]");
    let begins = text.lines().position(|line| line.trim() == header);
    let begins = begins.unwrap_or_default();
    let own = text.lines().skip(begins).skip(1);
    let mut own = own.take_while(|line| !line.trim_start().starts_with('['));
    let key = own.position(|line| line.trim_start().starts_with("unenrolled"));
    let below = key.map_or(0, |key| key.saturating_add(1));
    begins.saturating_add(below).saturating_add(1)
}

/// What the policy says of this very user.
pub(super) fn standing(standing: &Standing, user: &str, service: &str) -> Option<Finding> {
    let (code, says) = match standing {
        Standing::Usual => return None,
        Standing::Required => (
            "required",
            format!("the policy requires a code of {user} in any case"),
        ),
        Standing::Exempt(exemption) => {
            ("exempt", format!("{user} needs no code, {}", by(exemption)))
        }
    };
    Some(finding(Severity::Note, code, says).of_service(service))
}

/// Which words of the policy exempt somebody.
pub(super) fn by(exemption: &Exemption) -> String {
    match exemption {
        Exemption::User => "by exempt_users in the policy".to_owned(),
        Exemption::Group(group) => {
            format!("by exempt_groups in the policy, as a member of {group}")
        }
        Exemption::Network(network) => {
            format!("by exempt_networks in the policy, from {network}")
        }
    }
}

/// The policy file that a line reads: its own, or the one that the command line
/// names, or the default one.
pub(super) fn path(named: Option<&Path>, otherwise: &Path) -> PathBuf {
    named.unwrap_or(otherwise).to_owned()
}
