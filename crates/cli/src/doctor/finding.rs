//! One thing that was looked at, and what is so.

use std::fmt::Display;

/// How bad it is. The order is that of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// To be known: it may be meant so, or could not be seen.
    Note,
    /// Logins work, or some do; somebody should look at it.
    Warning,
    /// Somebody who should get in does not, or the other way round.
    Error,
}

impl Severity {
    /// The word for people and programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What it is about: one room of this directory for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The policy file, and what it says of this service and user.
    Policy,
    /// The service's stack.
    Stack,
    /// The module's file.
    Module,
    /// The user's record.
    Record,
    /// This machine's clock.
    Clock,
    /// What sshd itself is told.
    Sshd,
    /// Labels of files.
    Selinux,
    /// What setup has changed for a while.
    Trial,
}

impl Subject {
    /// The word for people and programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Stack => "stack",
            Self::Module => "module",
            Self::Record => "record",
            Self::Clock => "clock",
            Self::Sshd => "sshd",
            Self::Selinux => "selinux",
            Self::Trial => "trial",
        }
    }
}

/// One finding. Its texts hold names and paths as they are: escape them before
/// they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) subject: Subject,
    /// The word for programs, which stays the same.
    pub(crate) code: &'static str,
    /// The service whose logins it is about; `None` for all.
    pub(crate) service: Option<String>,
    /// What is so, in one sentence without a full stop.
    pub(crate) says: String,
    /// What mends it: a command, or what to write where.
    pub(crate) mend: Option<String>,
}

impl Finding {
    /// Of any severity.
    pub(crate) fn new(
        severity: Severity,
        subject: Subject,
        code: &'static str,
        says: impl Display,
    ) -> Self {
        Self {
            severity,
            subject,
            code,
            service: None,
            says: says.to_string(),
            mend: None,
        }
    }

    /// What mends it.
    pub(crate) fn mend(self, mend: impl Display) -> Self {
        Self {
            mend: Some(mend.to_string()),
            ..self
        }
    }

    /// The same, where something does.
    pub(crate) fn mend_if(self, mend: Option<String>) -> Self {
        Self { mend, ..self }
    }

    /// The service that it is about.
    pub(crate) fn of_service(self, service: &str) -> Self {
        Self {
            service: Some(service.to_owned()),
            ..self
        }
    }
}

/// All findings, in the order in which they were made; each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one, unless another service had the very same already.
    pub(crate) fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Adds several.
    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.push(finding);
        }
    }

    /// All of them, by subject.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.0
            .sort_by(|a, b| (&a.service, a.subject).cmp(&(&b.service, b.subject)));
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_services_share_is_said_once_and_before_what_is_their_own() {
        let shared = Finding::new(Severity::Ok, Subject::Clock, "synchronised", "it is");
        let own = Finding::new(Severity::Error, Subject::Stack, "bypass", "it is").of_service("su");
        let mut findings = Findings::default();
        findings.extend([own.clone(), shared.clone()]);
        findings.extend([shared.clone()]);
        assert_eq!(findings.sorted(), [shared, own]);
        assert!(Severity::Error > Severity::Warning && Severity::Note > Severity::Ok);
    }
}
