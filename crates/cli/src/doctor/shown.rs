//! The report, for people and for programs.

use std::fmt::Write as _;

use super::Report;
use super::finding::Finding;
use super::verdict::Verdict;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};

/// Puts it into the answer.
pub(crate) fn show(report: &Report, reply: &mut Reply) {
    for line in words(report) {
        reply.line(&line);
    }
    reply.field("severity", report.severity().word());
    let findings = report.findings.iter().map(finding);
    reply.field("findings", findings.collect::<List>());
    let verdicts = report.verdicts.iter().map(verdict);
    reply.field("verdicts", verdicts.collect::<List>());
}

fn words(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in &report.findings {
        let (severity, subject) = (finding.severity.word(), finding.subject.word());
        let mut line = format!("{severity:7}  {subject:7}  ");
        if let Some(service) = &finding.service {
            let _ = write!(line, "{}: ", plain(service));
        }
        line.push_str(&plain(&finding.says));
        lines.push(line);
        if let Some(mend) = &finding.mend {
            lines.push(format!("{:18}mend: {}", "", plain(mend)));
        }
    }
    if !report.verdicts.is_empty() {
        lines.push(String::new());
    }
    for verdict in &report.verdicts {
        lines.push(format!("{}.", plain(&verdict.says)));
    }
    lines
}

fn finding(finding: &Finding) -> Object {
    let mut object = Object::new();
    object.push("severity", finding.severity.word());
    object.push("subject", finding.subject.word());
    object.push("code", finding.code);
    object.push("service", finding.service.clone());
    object.push("message", finding.says.as_str());
    object.push("mend", finding.mend.clone());
    object
}

fn verdict(verdict: &Verdict) -> Object {
    let mut object = Object::new();
    object.push("service", verdict.service.as_str());
    object.push("user", verdict.user.clone());
    object.push("login", verdict.login.word());
    object.push("message", verdict.says.as_str());
    object
}
