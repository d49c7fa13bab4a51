//! What the module and this command have left in the system's log, read again.
//!
//! The journal is asked where journald runs, since it knows who wrote each line.
//! Else the files are read that syslog daemons write.

use std::fmt;
use std::time::Duration;

use pam_otp_core::time::UnixTime;

mod deadline;
mod files;
mod journal;
mod line;
mod stamp;

use deadline::Deadline;
pub(crate) use line::Entry;
pub(crate) use stamp::Moment;

/// Most lines of a log that are looked at, for few of ours among many of others.
const MOST: usize = 200_000;
/// Most of ours.
pub(crate) const MOST_EVENTS: usize = 10_000;
/// How long a log is read.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which lines.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// About this user alone.
    pub(crate) user: Option<String>,
    /// Of this service alone.
    pub(crate) service: Option<String>,
    /// Not older than this.
    pub(crate) since: Option<UnixTime>,
    /// Not newer than this second.
    pub(crate) until: Option<UnixTime>,
    /// At most so many, the last ones; otherwise all, up to [`MOST_EVENTS`].
    pub(crate) lines: Option<usize>,
}

impl Wanted {
    fn has(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, key| {
            let wanted = wanted.as_deref();
            wanted.is_none_or(|wanted| entry.value(key) == Some(wanted))
        };
        is(&self.user, "user") && is(&self.service, "service")
    }

    fn is_before(&self, time: UnixTime) -> bool {
        self.since.is_some_and(|since| time < since)
    }

    fn is_after(&self, time: UnixTime) -> bool {
        self.until.is_some_and(|until| time > until)
    }

    fn are_enough(&self, events: &[Event]) -> bool {
        self.lines.is_some_and(|lines| events.len() >= lines)
    }

    /// Adds one more, unless all are wanted and they are too many.
    fn add(&self, events: &mut Vec<Event>, event: Event) -> Result<(), Stopped> {
        if self.lines.is_none() && events.len() >= MOST_EVENTS {
            return Err(Stopped {
                limit: Limit::Events,
                back_to: events.last().map(|oldest| oldest.time),
            });
        }
        events.push(event);
        Ok(())
    }
}

/// Why no more lines of a log were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There are none.
    Reached,
    /// As many of ours were found as are wanted.
    Enough,
    /// A limit was met.
    Stopped(Stopped),
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// [`MOST`].
    Lines,
    /// [`MOST_EVENTS`].
    Events,
    /// [`PATIENCE`].
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lines => "only 200,000 lines of the log were looked at",
            Self::Events => "only the last 10,000 lines of pam-otp's are shown",
            Self::Time => "the log was looked at for a minute, and no longer",
        })
    }
}

/// Where looking at a log was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// By what.
    pub(crate) limit: Limit,
    /// When the oldest line was written that was looked at, if one says.
    pub(crate) back_to: Option<UnixTime>,
}

/// One line of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When it was written.
    pub(crate) time: UnixTime,
    /// Who wrote it, if the log can tell.
    pub(crate) writer: Option<u32>,
    /// What it says.
    pub(crate) entry: Entry,
}

/// What was found, and where.
#[derive(Debug)]
pub(crate) struct Found {
    /// `journal`, or the file.
    pub(crate) log: String,
    /// The oldest first.
    pub(crate) events: Vec<Event>,
    /// Whether older lines were not looked at: ours may be among them.
    pub(crate) stopped: Option<Stopped>,
    /// What could not be read, and why: ours may be there.
    pub(crate) unread: Vec<String>,
}

impl Found {
    fn new(log: String, events: Vec<Event>, end: End, unread: Vec<String>) -> Self {
        let stopped = match end {
            End::Stopped(stopped) => Some(stopped),
            End::Reached | End::Enough => None,
        };
        Self {
            log,
            events,
            stopped,
            unread,
        }
    }
}

/// No log that can be read.
#[derive(Debug)]
pub(crate) struct NoLog {
    why: String,
}

impl fmt::Display for NoLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the system's log cannot be read: {}", self.why)
    }
}

/// Reads the log from its end.
///
/// # Errors
///
/// [`NoLog`] if there is neither a journal nor a file.
pub(crate) fn read(wanted: &Wanted, now: UnixTime) -> Result<Found, NoLog> {
    let deadline = Deadline::after(PATIENCE);
    let in_files = |journal: &str| {
        files::read(wanted, deadline, now).map_err(|files| NoLog {
            why: format!("{journal}; {files}"),
        })
    };
    let mut found = match journal::program() {
        Err(none) => in_files(&none)?,
        Ok(program) => match journal::read(program, wanted, deadline) {
            Ok(found) => found,
            Err(failed) => {
                let mut found = in_files(&failed)?;
                found.unread.push(failed);
                found
            }
        },
    };
    found.events.reverse();
    Ok(found)
}
