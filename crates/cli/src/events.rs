//! What the module and this command have left in the system's log, read again.
//!
//! The journal is asked where journald runs, since it knows who wrote each line.
//! Else the files are read that syslog daemons write.

use std::fmt;

use pam_otp_core::time::UnixTime;

mod files;
mod journal;
mod line;
mod stamp;

pub(crate) use line::Entry;
pub(crate) use stamp::Moment;

/// Most lines of a log that are looked at, for few of ours among many of others.
const MOST: usize = 200_000;
/// The same in words.
pub(crate) const MOST_IN_WORDS: &str = "200,000";

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
    /// At most so many, the last ones.
    pub(crate) lines: usize,
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
}

/// Why no more lines of a log were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There are none.
    Reached,
    /// As many of ours were found as are wanted.
    Enough,
    /// There were too many.
    Stopped(Stopped),
}

/// Where looking at a log was stopped after [`MOST`] lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// When the oldest of them was written, if one of them says.
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
}

impl Found {
    fn new(log: String, events: Vec<Event>, end: End) -> Self {
        let stopped = match end {
            End::Stopped(stopped) => Some(stopped),
            End::Reached | End::Enough => None,
        };
        Self {
            log,
            events,
            stopped,
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
    let mut found = match journal::read(wanted) {
        Ok(found) => found,
        Err(journal) => files::read(wanted, now).map_err(|files| NoLog {
            why: format!("{journal}; {files}"),
        })?,
    };
    found.events.reverse();
    Ok(found)
}
