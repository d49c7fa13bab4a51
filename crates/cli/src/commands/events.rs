//! `pam-otp events`: what the log says of logins and changes.

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::columns::aligned;
use crate::commands::status::when;
use crate::error::Error;
use crate::events::{self, Event, Since, Wanted};
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;

/// How many where nothing is said.
const FEW: usize = 50;
/// And at most.
const MANY: usize = 10_000;

/// Which.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// From then on: 2h, 3days, 2026-11-22 or 2026-11-22T06:40:00Z
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,

    /// At most so many, the last ones: 1 to 10000; 50, or all since TIME
    #[arg(long, value_name = "NUMBER", value_parser = lines())]
    lines: Option<usize>,
}

fn lines() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MANY as u64)
}

/// Reads the system's log, which is root's. Changes nothing.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    session.require_root()?;
    let now = Session::now();
    let all = options.since.map_or(FEW, |_| MANY);
    let wanted = Wanted {
        user: session.named.clone(),
        service: session.service.clone(),
        since: options.since.map(|since| since.from(now)),
        lines: options.lines.unwrap_or(all),
    };
    let found = events::read(&wanted, now).map_err(Error::NoLog)?;
    let mut reply = Reply::new();
    if found.events.is_empty() {
        reply.line("The log has no line of pam-otp's.");
    } else {
        let headings = ["TIME", "OUTCOME", "REASON", "USER", "SERVICE", "SOURCE"];
        let mut lines = vec![headings.map(str::to_owned)];
        lines.extend(found.events.iter().map(cells));
        for line in aligned(&lines) {
            reply.line(&line);
        }
    }
    reply.field("log", found.log);
    reply.field("events", found.events.iter().map(object).collect::<List>());
    Ok(reply)
}

fn cells(event: &Event) -> [String; 6] {
    let value = |key| event.entry.value(key).map(plain);
    let cell = |key| value(key).unwrap_or_else(|| "-".to_owned());
    let reason = match (value("action"), value("by")) {
        (Some(action), Some(by)) => format!("{action} by {by}"),
        (Some(action), None) => action,
        (None, _) => cell("reason"),
    };
    // Only where it can be told, and is not as it should be.
    let by = event.writer.filter(|writer| *writer != 0);
    let by = by.map(|writer| format!(" (written by user id {writer}, not by root)"));
    [
        when(event.time.0),
        cell("outcome"),
        reason,
        cell("user"),
        cell("service"),
        format!("{}{}", cell("rhost"), by.unwrap_or_default()),
    ]
}

fn object(event: &Event) -> Object {
    let value = |key| event.entry.value(key);
    let mut object = Object::new();
    object.push("time", event.time.0);
    object.push("outcome", value("outcome"));
    object.push("reason", value("reason"));
    object.push("action", value("action"));
    object.push("user", value("user"));
    object.push("service", value("service"));
    object.push("source", value("rhost"));
    object.push("by", value("by"));
    object.push("writer", event.writer);
    object.push("line", event.entry.text.as_str());
    object
}
