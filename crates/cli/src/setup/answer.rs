//! What a run says, in words and in JSON.

use std::path::Path;

use super::sshd;
use crate::commands::status::when;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};

/// What is to be said.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    service: Option<String>,
    /// One word for how it stands now.
    pub(crate) state: Option<&'static str>,
    /// Files and their differences.
    pub(crate) files: Vec<(String, String)>,
    /// The differences were shown before a question.
    pub(crate) shown: bool,
    /// Sentences.
    pub(crate) words: Vec<String>,
    /// Not wrong, but to be known.
    pub(crate) warnings: Vec<String>,
    /// How to have sshd read its configuration, if that is left to do.
    reload: Option<&'static str>,
    /// Administrators whom the policy would not let in.
    pub(crate) locked_out: Vec<String>,
    /// Services whose application would log what a first login shows.
    pub(crate) logged_first_logins: Vec<String>,
    /// When a trial is over.
    pub(crate) until: Option<u64>,
    /// Who has logged in with a code during the trial.
    pub(crate) logged_in: Vec<String>,
    /// All services that setup has changed, and until when they are tried.
    pub(crate) services: Vec<(String, Option<u64>)>,
    all: bool,
}

impl Answer {
    /// About one service.
    pub(crate) fn about(service: &str) -> Self {
        Self {
            service: Some(service.to_owned()),
            ..Self::default()
        }
    }

    /// About all.
    pub(crate) fn about_all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// sshd must read its configuration, and was not told to.
    pub(crate) fn needs_reload(&mut self) {
        let how = sshd::how_to_reload();
        self.reload = Some(how);
        self.words
            .push(format!("A running sshd goes by it after: {how}"));
    }

    /// The whole.
    pub(crate) fn reply(mut self) -> Reply {
        let mut reply = Reply::new();
        if !self.shown {
            for (_, difference) in &self.files {
                for line in difference.lines() {
                    reply.line(&printable(line));
                }
            }
        }
        if self.all && self.services.is_empty() {
            self.words
                .push("No service was set up by this command.".into());
        }
        for (service, until) in &self.services {
            self.words.push(match until {
                None => format!("{service}: set up"),
                Some(until) => format!("{service}: on trial until {}", when(*until)),
            });
        }
        for word in &self.words {
            reply.line(&plain(word));
        }
        for warning in self.warnings {
            reply.warn(warning);
        }
        let files = self.files.into_iter().map(|(path, difference)| {
            let mut object = Object::new();
            object.push("path", path);
            object.push("difference", difference);
            object
        });
        let services = self.services.into_iter().map(|(service, until)| {
            let mut object = Object::new();
            object.push("service", service);
            object.push("trial_until", until);
            object
        });
        reply.field("service", self.service);
        reply.field("state", self.state);
        reply.field("files", files.collect::<List>());
        reply.field("reload", self.reload);
        reply.field("locked_out", self.locked_out.into_iter().collect::<List>());
        let logged = self.logged_first_logins.into_iter();
        reply.field("logged_first_logins", logged.collect::<List>());
        reply.field("trial_until", self.until);
        reply.field("logged_in", self.logged_in.into_iter().collect::<List>());
        reply.field("services", services.collect::<List>());
        reply
    }
}

/// A line of a difference: tabs are what stacks are aligned with.
pub(crate) fn printable(line: &str) -> String {
    line.split('\t').map(plain).collect::<Vec<_>>().join("\t")
}

/// The unified difference, bytes that are no text replaced.
pub(crate) fn difference(path: &Path, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (
        String::from_utf8_lossy(before).into_owned(),
        String::from_utf8_lossy(after).into_owned(),
    );
    let name = path.display().to_string();
    let difference = similar::TextDiff::from_lines(&before, &after);
    difference
        .unified_diff()
        .context_radius(3)
        .header(&name, &name)
        .to_string()
}
