//! `pam-otp events`: what the log says of logins and changes.

use clap::Args;
use clap::builder::RangedU64ValueParser;

use pam_otp_core::time::UnixTime;

use crate::columns::aligned;
use crate::commands::status::when;
use crate::error::Error;
use crate::events::{self, Event, MOST_EVENTS, Moment, Stopped, Wanted};
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;

/// How many where nothing is said.
const FEW: usize = 50;

/// Which.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// From then on: 2h, 3days, 2026-11-22 or 2026-11-22T06:40:00Z
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    since: Option<Moment>,

    /// Up to then, where a day is its beginning
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    until: Option<Moment>,

    /// At most so many, the last ones: 1 to 10000; 50, or all since TIME
    #[arg(long, value_name = "NUMBER", value_parser = lines())]
    lines: Option<usize>,
}

fn lines() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST_EVENTS as u64)
}

/// Reads the system's log, which is root's. Changes nothing.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    session.require_root()?;
    let now = Session::now();
    let few = options.since.is_none().then_some(FEW);
    let since = options.since.map(|since| since.second(now));
    let until = options.until.map(|until| until.second(now));
    if until.is_some_and(|until| since.is_some_and(|since| until < since)) {
        let never = "--until is a time before --since";
        return Err(Error::Usage(never.into()));
    }
    let wanted = Wanted {
        user: session.named.clone(),
        service: session.service.clone(),
        since,
        until,
        lines: options.lines.or(few),
    };
    let found = events::read(&wanted, now).map_err(Error::NoLog)?;
    let mut reply = Reply::new();
    if found.events.is_empty() {
        let chosen = wanted.user.is_some() || wanted.service.is_some();
        let bounded = since.is_some() || until.is_some();
        let such = if chosen || bounded { "such " } else { "" };
        let whole = found.stopped.is_none() && found.unread.is_empty();
        reply.line(&if whole {
            format!("The log has no {such}line of pam-otp's.")
        } else {
            format!("What was looked at of the log has no {such}line of pam-otp's.")
        });
    } else {
        let headings = ["TIME", "OUTCOME", "REASON", "USER", "SERVICE", "SOURCE"];
        let mut lines = vec![headings.map(str::to_owned)];
        lines.extend(found.events.iter().map(cells));
        for line in aligned(&lines) {
            reply.line(&line);
        }
    }
    if let Some(stopped) = found.stopped {
        reply.warn(further(stopped, since, until));
    }
    for why in found.unread {
        reply.warn(format!(
            "a part of the log cannot be read, and lines of pam-otp's may be there: {why}"
        ));
    }
    let back_to = found.stopped.and_then(|stopped| stopped.back_to);
    reply.field("log", found.log);
    reply.field("events", found.events.iter().map(object).collect::<List>());
    reply.field("stopped", found.stopped.is_some());
    reply.field("back_to", back_to.map(|time| time.0));
    Ok(reply)
}

/// Where looking was stopped, and how to look on.
fn further(stopped: Stopped, since: Option<UnixTime>, until: Option<UnixTime>) -> String {
    let limit = stopped.limit;
    let further = "to look further back: the same pam-otp events with";
    let Some(back_to) = stopped.back_to else {
        return format!("{limit}; {further} --until TIME");
    };
    // Others can write that many lines in one second.
    let stays = until.is_some_and(|until| until <= back_to);
    let from = UnixTime(back_to.0.saturating_sub(u64::from(stays)));
    let back_to = when(back_to.0);
    let left_behind = if stays {
        ", and more of that second, which only the log itself can tell"
    } else {
        ""
    };
    let earlier = since.is_some_and(|since| from < since);
    let earlier = if earlier { "an earlier --since and " } else { "" };
    let from = when(from.0);
    format!("{limit}, back to {back_to}{left_behind}; {further} {earlier}--until {from}")
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
