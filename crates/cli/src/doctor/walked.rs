//! The stack, walked as libpam does: what becomes of right and wrong passwords and
//! codes?

use pam_otp_core::policy::Unenrolled;
use pam_otp_stack::Return;

use super::examined::Examined;
use super::finding::{Finding, Severity, Subject};
use super::stack::setup;
use super::ways::Way;

fn finding(severity: Severity, code: &'static str, says: String) -> Finding {
    Finding::new(severity, Subject::Stack, code, says)
}

/// All ways of four visitors.
struct Walked<'a> {
    examined: &'a Examined,
    /// Password and code are right.
    right: Vec<Way>,
    /// Neither is.
    wrong: Vec<Way>,
    /// The password alone is.
    password: Vec<Way>,
    /// The code alone is.
    code: Vec<Way>,
    /// What puts the line where it belongs.
    setup: String,
}

/// What is so of it, whoever logs in.
pub(super) fn look(examined: &Examined) -> Vec<Finding> {
    let ways = |password, code| {
        let ours = if code {
            Return::SUCCESS
        } else {
            Return::AUTH_ERR
        };
        examined.ways(password, |_| ours)
    };
    let (Some(right), Some(wrong), Some(password), Some(code)) = (
        ways(true, true),
        ways(false, false),
        ways(true, false),
        ways(false, true),
    ) else {
        let says = "this stack has more ways than can be looked at".to_owned();
        return vec![finding(Severity::Note, "not_walked", says)];
    };
    let walked = Walked {
        examined,
        right,
        wrong,
        password,
        code,
        setup: setup(&examined.service),
    };
    let past = walked.past_the_code();
    let looked = [
        // Whoever gets past it need not be asked for it, too.
        past.is_none().then(|| walked.to_the_end()).flatten(),
        past,
        walked.past_the_password(),
        walked.tells_of_the_password(),
    ];
    let mut findings: Vec<_> = looked.into_iter().flatten().collect();
    if findings.is_empty() {
        findings.push(walked.sound());
    }
    findings
}

/// The likeliest way in.
fn first_open(ways: &[Way]) -> Option<&Way> {
    ways.iter().find(|way| way.opens())
}

impl Walked<'_> {
    /// Can a login succeed without the code?
    fn past_the_code(&self) -> Option<Finding> {
        if let Some(way) = first_open(&self.wrong).filter(|way| way.supposed.is_empty()) {
            let why = self.examined.why_past(way);
            let says = format!("anybody gets in, password and code being wrong: {why}");
            return Some(finding(Severity::Error, "open", says).mend(&self.setup));
        }
        let way = first_open(&self.password)?;
        let why = self.examined.why_past(way);
        let finding = if way.supposed.is_empty() {
            let says = format!("a right password gets in without a right code: {why}");
            finding(Severity::Error, "bypass", says)
        } else {
            let says = format!(
                "a right password gets in without a right code if {} let it: {why}",
                self.examined.conditions(way)
            );
            finding(Severity::Warning, "bypass_on_condition", says)
        };
        Some(finding.mend(&self.setup))
    }

    /// Does anybody get in, and is the code asked for?
    fn to_the_end(&self) -> Option<Finding> {
        let service = &self.examined.service;
        let (code, says) = if first_open(&self.right).is_none() {
            let says = format!("nobody gets in by {service}, even with password and code right");
            ("nobody", says)
        } else if self.right.iter().any(|way| self.checks(way)) {
            return None;
        } else {
            let why = self.right.first().map(|way| self.examined.why_past(way));
            let why = why.unwrap_or_default();
            ("not_reached", format!("the code is never asked for: {why}"))
        };
        Some(finding(Severity::Error, code, says).mend(&self.setup))
    }

    /// Is a code enough?
    fn past_the_password(&self) -> Option<Finding> {
        let way = first_open(&self.code).filter(|way| way.supposed.is_empty())?;
        if first_open(&self.wrong).is_some_and(|way| way.supposed.is_empty()) {
            return None;
        }
        if self.examined.password_modules().is_empty() {
            let says = "no line checks a password: a code alone gets in".to_owned();
            return Some(finding(Severity::Note, "code_alone", says));
        }
        let by = way
            .passed_by
            .map(|at| format!("{}: ", self.examined.place(at)));
        let by = by.unwrap_or_default();
        let says = format!("{by}a right code gets in with a wrong password");
        Some(finding(Severity::Warning, "code_alone", says).mend(&self.setup))
    }

    /// Does a stranger learn which passwords are right? Where strangers are not to
    /// be asked to enrol, a wrong one ends it on purpose; and one field ends once.
    fn tells_of_the_password(&self) -> Option<Finding> {
        let asks = |ways: &[Way]| {
            let mut certain = ways.iter().filter(|way| way.supposed.is_empty());
            certain.any(|way| self.checks(way))
        };
        let lines = self.examined.lines.iter();
        let mut policies = lines.filter_map(|line| line.told.as_ref().ok());
        let enrols = policies.any(|(_, policy)| policy.unenrolled == Unenrolled::Enroll);
        let tells = asks(&self.right) && !asks(&self.wrong);
        (tells && !enrols && !self.examined.one_field()).then(|| {
            let says = "a wrong password ends the login before the code is asked for, so that a \
                        stranger learns which passwords are right";
            finding(Severity::Warning, "password_told", says.to_owned()).mend(&self.setup)
        })
    }

    fn sound(&self) -> Finding {
        let lines = self.examined.lines.iter();
        let places: Vec<_> = lines.map(|line| line.place.to_string()).collect();
        let says = format!("nobody gets in without the code ({})", places.join("; "));
        finding(Severity::Ok, "stack", says)
    }

    fn checks(&self, way: &Way) -> bool {
        self.examined.checked(way).next().is_some()
    }
}
