//! The service's stack: is the module in it, in the right place, and told what it
//! understands?

use std::os::unix::fs::MetadataExt as _;

use pam_otp_core::policy::PolicyError;
use pam_otp_core::policy::arguments::Field;
use pam_otp_stack::{Kind, OTHER, Place, Services, StackError};

use super::examined::{Examined, Line};
use super::finding::{Finding, Severity, Subject};
use super::shell::{edit, shell};
use super::{module, services, walked};

fn finding(severity: Severity, code: &'static str, says: String) -> Finding {
    Finding::new(severity, Subject::Stack, code, says)
}

/// What opens the editor there.
fn edit_at(place: &Place) -> String {
    edit(place.path.display(), place.line)
}

/// What puts the line where it belongs.
pub(super) fn setup(service: &str) -> String {
    module::setup(&[service])
}

/// A stack that is not understood: libpam may refuse every login by it.
pub(super) fn not_understood(error: &StackError, service: &str) -> Finding {
    let (code, mend) = match error {
        StackError::NoService { .. } | StackError::BadName { .. } => {
            ("no_service", Some("ls /etc/pam.d".to_owned()))
        }
        StackError::Unreadable { path, .. } => {
            ("bad_stack", Some(shell(&[&"ls", &"-l", &path.display()])))
        }
        StackError::Line { place, .. } => ("bad_stack", Some(edit_at(place))),
    };
    finding(Severity::Error, code, error.to_string())
        .mend_if(mend)
        .of_service(service)
}

/// What is so of a service's stack, whoever logs in.
pub(super) fn look(examined: &Examined, services: &Services) -> Vec<Finding> {
    let service = examined.service.as_str();
    let mut findings = Vec::new();
    findings.extend(without_file(services, service));
    findings.extend(insecure(services, service));
    findings.extend(other_kinds(services, service));
    findings.extend(twin(services, service));
    if examined.lines.is_empty() {
        findings.push(
            finding(
                Severity::Error,
                "not_in_stack",
                format!("no auth line of {service} names {}", module::FILE),
            )
            .mend(setup(service)),
        );
    } else {
        findings.extend(arguments(examined));
        findings.extend(walked::look(examined));
    }
    let own = findings.into_iter();
    own.map(|finding| finding.of_service(service)).collect()
}

/// libpam takes the lines of `other` then. It may be a slip.
fn without_file(services: &Services, service: &str) -> Option<Finding> {
    services.find(service).ok().flatten().is_none().then(|| {
        let says = format!("there is no file of a service {service}, so that of `{OTHER}` counts");
        finding(Severity::Warning, "no_service", says).mend("ls /etc/pam.d")
    })
}

/// Who can write the stack decides who gets in.
fn insecure(services: &Services, service: &str) -> Option<Finding> {
    let path = services.find(service).ok().flatten()?;
    let metadata = std::fs::metadata(&path).ok()?;
    let shown = path.display();
    if metadata.uid() != 0 {
        let says = format!("{shown} belongs to user id {}", metadata.uid());
        let finding = finding(Severity::Error, "insecure_stack", says);
        return Some(finding.mend(shell(&[&"chown", &"root", &shown])));
    }
    (metadata.mode() & 0o022 != 0).then(|| {
        let says = format!("{shown} can be written by others than root");
        finding(Severity::Error, "insecure_stack", says).mend(shell(&[&"chmod", &"go-w", &shown]))
    })
}

/// The module refuses whatever it is asked in lines of other kinds.
fn other_kinds(services: &Services, service: &str) -> Vec<Finding> {
    let kinds = [Kind::Account, Kind::Password, Kind::Session];
    let stacks = kinds
        .into_iter()
        .filter_map(|kind| services.stack(service, kind).ok());
    let mut findings = Vec::new();
    for stack in stacks {
        for entry in stack.entries().iter().filter(|it| services::is_ours(it)) {
            let Place { path, line } = &entry.place;
            let says = format!(
                "{}: {} is for auth lines alone, and refuses what {} lines ask",
                entry.place,
                module::FILE,
                stack.kind()
            );
            let mend = shell(&[&"sed", &"-i.bak", &format!("{line}d"), &path.display()]);
            findings.push(finding(Severity::Error, "not_an_auth_line", says).mend(mend));
        }
    }
    findings
}

/// `sudo -i` and `su -` ask services of their own.
fn twin(services: &Services, service: &str) -> Option<Finding> {
    let twin = services::twin(services, service)?;
    let asks = |service| {
        let stack = services.stack(service, Kind::Auth);
        stack.is_ok_and(|stack| services::has_ours(&stack))
    };
    (asks(service) && !asks(twin)).then(|| {
        let says = format!("{service} asks for a code, and {twin}, which goes with it, does not");
        finding(Severity::Warning, "twin_without", says).mend(setup(twin))
    })
}

fn arguments(examined: &Examined) -> Vec<Finding> {
    let faults = examined.lines.iter().filter_map(|line| match &line.told {
        Err(PolicyError::Argument(error)) => Some(
            finding(
                Severity::Error,
                "bad_argument",
                format!("{}: {error}: every login is refused", line.place),
            )
            .mend(edit_at(&line.place)),
        ),
        _ => None,
    });
    let mut findings: Vec<_> = faults.collect();
    let splits = |line: &Line| line.field() == Some(Field::Split);
    if examined.lines.iter().all(splits) {
        let says = "the code is taken off its field, and no later line checks it".to_owned();
        findings.push(finding(Severity::Error, "only_split", says).mend(setup(&examined.service)));
    }
    findings
}
