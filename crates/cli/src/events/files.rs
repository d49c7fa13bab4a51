//! The files that syslog daemons write, read from their end.

use std::io;
use std::path::{Path, PathBuf};

use pam_otp_core::time::UnixTime;

use super::deadline::Deadline;
use super::line::Entry;
use super::stamp::Stamps;
use super::{End, Event, Found, Limit, MOST, Stopped, Wanted};

mod backwards;

use backwards::Backwards;

/// Where what is of authentication goes: Debian and Ubuntu; Fedora and Red Hat.
const NAMES: [&str; 2] = ["auth.log", "secure"];
const DIRECTORY: &str = "/var/log";
/// One of these stands in each line of ours.
const OURS: [&str; 2] = ["pam_otp(", "pam-otp"];

/// Our lines, the newest first, of the first log that is there and the file
/// before it.
pub(super) fn read(wanted: &Wanted, deadline: Deadline, now: UnixTime) -> Result<Found, String> {
    let looking = Looking {
        wanted,
        most: MOST,
        deadline,
        stamps: Stamps::new(now),
    };
    read_in(Path::new(DIRECTORY), &looking)
}

/// What is looked for, and how long.
struct Looking<'w> {
    wanted: &'w Wanted,
    /// No more lines of either file that may be ours.
    most: usize,
    deadline: Deadline,
    stamps: Stamps,
}

fn read_in(directory: &Path, looking: &Looking) -> Result<Found, String> {
    let mut unread = Vec::new();
    let mut events = Vec::new();
    for name in NAMES {
        let path = directory.join(name);
        let Some(mut end) = told(&path, looking.gather(&path, &mut events), &mut unread) else {
            continue;
        };
        // What was turned over; what is compressed by now is too old.
        let earlier = before(directory, name).filter(|_| end == End::Reached);
        if let Some(path) = earlier {
            let earlier = looking.gather(&path, &mut events);
            end = told(&path, earlier, &mut unread).unwrap_or(end);
        }
        let log = path.display().to_string();
        return Ok(Found::new(log, events, end, unread));
    }
    if unread.is_empty() {
        unread.push(format!(
            "{}: no {}",
            directory.display(),
            NAMES.join(" or ")
        ));
    }
    Err(unread.join("; "))
}

/// Keeps why a file cannot be read, unless there is none.
fn told(path: &Path, gathered: io::Result<End>, unread: &mut Vec<String>) -> Option<End> {
    match gathered {
        Ok(end) => return Some(end),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => unread.push(format!("{}: {error}", path.display())),
    }
    None
}

/// The file of the time before: `auth.log.1`, or the last of `secure-20261122`.
fn before(directory: &Path, name: &str) -> Option<PathBuf> {
    let numbered = directory.join(format!("{name}.1"));
    if numbered.exists() {
        return Some(numbered);
    }
    let is_day = |file: &str| {
        let day = file.strip_prefix(name).and_then(|it| it.strip_prefix('-'));
        day.is_some_and(|day| day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()))
    };
    let files = std::fs::read_dir(directory).ok()?.filter_map(Result::ok);
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let last = names.filter(|file| is_day(file)).max()?;
    Some(directory.join(last))
}

impl Looking<'_> {
    /// Adds a file's lines.
    fn gather(&self, path: &Path, events: &mut Vec<Event>) -> io::Result<End> {
        let mut lines = Backwards::open(path, self.deadline)?;
        let (mut looked, mut back_to) = (0, None);
        let stopped = |limit, back_to| Ok(End::Stopped(Stopped { limit, back_to }));
        loop {
            if self.wanted.are_enough(events) {
                return Ok(End::Enough);
            }
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(End::Reached),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return stopped(Limit::Time, back_to);
                }
                Err(error) => return Err(error),
            };
            let line = String::from_utf8_lossy(&line);
            // Those of others alone would soon be too many.
            if !OURS.iter().any(|ours| line.contains(ours)) {
                continue;
            }
            let stamped = self.stamps.split(&line);
            // Passed over and not counted: what is wanted lies before it.
            if stamped.is_some_and(|(time, _)| self.wanted.is_after(time)) {
                continue;
            }
            if looked >= self.most {
                return stopped(Limit::Lines, back_to);
            }
            looked = looked.saturating_add(1);
            let Some((time, rest)) = stamped else {
                continue;
            };
            back_to = Some(time);
            // The lines before it are looked at all the same: the clock may have been
            // set, and some daemons write the time that the sender of a line says.
            if self.wanted.is_before(time) {
                continue;
            }
            let entry = entry(rest).filter(|entry| self.wanted.has(entry));
            let event = entry.map(|entry| Event {
                time,
                writer: None,
                entry,
            });
            if let Some(Err(stopped)) = event.map(|event| self.wanted.add(events, event)) {
                return Ok(End::Stopped(stopped));
            }
        }
    }
}

/// What follows the time: `host program[4711]: message`.
fn entry(rest: &str) -> Option<Entry> {
    let (_host, rest) = rest.split_once(' ')?;
    let (tag, message) = rest.split_once(": ")?;
    if tag.contains(' ') {
        return None;
    }
    let program = tag.split('[').next().unwrap_or(tag);
    Entry::parse(program, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

    use std::time::Duration;

    use pam_otp_testkit::temp::TempDir;

    use super::super::MOST_EVENTS;
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_329_647);

    fn wanted() -> Wanted {
        Wanted {
            user: None,
            service: None,
            since: None,
            until: None,
            lines: Some(50),
        }
    }

    fn line(second: u64, user: &str) -> String {
        format!(
            "2026-11-22T06:40:{second:02}Z web1 sshd[{second}]: pam_otp(sshd:auth): outcome=denied \
             reason=wrong_code user={user} service=sshd rhost=192.0.2.7\n"
        )
    }

    fn look(directory: &TempDir, wanted: &Wanted, most: usize) -> Result<Found, String> {
        let looking = Looking {
            wanted,
            most,
            deadline: Deadline::after(Duration::from_secs(600)),
            stamps: Stamps::new(NOW),
        };
        read_in(directory.path(), &looking)
    }

    fn users(directory: &TempDir, wanted: &Wanted) -> Vec<String> {
        let found = look(directory, wanted, MOST).unwrap();
        assert_eq!((found.stopped, found.unread), (None, Vec::new()));
        let user = |event: &Event| event.entry.value("user").unwrap().to_owned();
        found.events.iter().map(user).collect()
    }

    #[test]
    fn the_last_lines_are_found_among_those_of_others_and_in_the_file_before() {
        let directory = TempDir::new();
        let path = |name: &str| directory.path().join(name);
        assert!(look(&directory, &wanted(), MOST).is_err());
        std::fs::write(path("secure-20261115"), line(1, "alice")).unwrap();
        std::fs::write(path("secure-20261108"), line(0, "nobody")).unwrap();
        let noise = "2026-11-22T06:40:10Z web1 cron[7]: pam_unix(cron:session): session opened\n";
        let new = [
            &line(3, "bob"),
            &noise.repeat(9000),
            &line(4, "carol"),
            noise,
        ]
        .concat();
        std::fs::write(path("secure"), new).unwrap();
        assert_eq!(users(&directory, &wanted()), ["carol", "bob", "alice"]);
        let two = Wanted {
            lines: Some(2),
            ..wanted()
        };
        assert_eq!(users(&directory, &two), ["carol", "bob"]);
        let late = Wanted {
            since: Some(UnixTime(NOW.0 - 44)),
            ..wanted()
        };
        assert_eq!(users(&directory, &late), ["carol", "bob"]);
        let of_bob = Wanted {
            user: Some("bob".to_owned()),
            service: Some("sshd".to_owned()),
            ..wanted()
        };
        assert_eq!(users(&directory, &of_bob), ["bob"]);
        // Debian's name comes first.
        std::fs::write(path("auth.log"), line(5, "dave")).unwrap();
        std::fs::write(path("auth.log.1"), line(2, "eve")).unwrap();
        assert_eq!(users(&directory, &wanted()), ["dave", "eve"]);
    }

    #[test]
    fn a_line_of_another_time_hides_none_of_those_before_it() {
        let directory = TempDir::new();
        let path = directory.path().join("auth.log");
        let early = "2000-01-01T00:00:00Z web1 app[7]: the clock was not set yet\n";
        let lines = [&line(3, "alice"), early, &line(4, "bob"), early];
        std::fs::write(&path, lines.concat()).unwrap();
        let since = Wanted {
            since: Some(UnixTime(NOW.0 - 60)),
            ..wanted()
        };
        assert_eq!(users(&directory, &since), ["bob", "alice"]);
    }

    #[test]
    fn where_looking_was_stopped_is_told_and_from_there_one_can_look_on() {
        let directory = TempDir::new();
        let path = |name: &str| directory.path().join(name);
        let noise = |second| {
            format!("2026-11-22T06:40:{second:02}Z web1 cron[7]: said pam_otp(cron:auth): no\n")
        };
        let ours = [line(1, "alice"), line(2, "bob")].concat();
        std::fs::write(path("auth.log"), [ours, noise(3).repeat(9)].concat()).unwrap();
        std::fs::write(path("auth.log.1"), line(0, "carol")).unwrap();
        let look = |most, until| {
            let wanted = Wanted { until, ..wanted() };
            let found = self::look(&directory, &wanted, most).unwrap();
            (found.events.len(), found.stopped)
        };
        let at = |second: u64| Some(UnixTime(NOW.0 - 47 + second));
        let stopped = |second| {
            Some(Stopped {
                limit: Limit::Lines,
                back_to: at(second),
            })
        };
        assert_eq!(look(8, None), (0, stopped(3)));
        assert_eq!(look(10, None), (1, stopped(2)));
        // To the end of that second, and the file before it.
        assert_eq!(look(1, at(2)), (1, stopped(2)));
        assert_eq!(look(2, at(2)), (3, None));
        assert_eq!(look(1, at(1)), (2, None));
        assert_eq!(look(11, None), (3, None));
        // The file before it may be long, too.
        std::fs::write(path("auth.log.1"), noise(0).repeat(12)).unwrap();
        assert_eq!(look(11, None), (2, stopped(0)));
        // Lines that say no time are counted.
        std::fs::write(path("auth.log"), "pam-otp nonsense\n".repeat(3)).unwrap();
        let stopped = Stopped {
            limit: Limit::Lines,
            back_to: None,
        };
        assert_eq!(look(2, None), (0, Some(stopped)));
    }

    #[test]
    fn lines_that_cannot_be_ours_are_not_counted() {
        let directory = TempDir::new();
        let noise = "2001-01-01T00:00:00Z web1 cron[7]: pam_unix(cron:session): opened\n";
        let log = [&line(1, "alice"), &noise.repeat(9), "nonsense\n"].concat();
        std::fs::write(directory.path().join("auth.log"), log).unwrap();
        let found = look(&directory, &wanted(), 1).unwrap();
        assert_eq!((found.events.len(), found.stopped), (1, None));
    }

    #[test]
    fn where_all_are_wanted_and_they_are_too_many_that_is_told() {
        let directory = TempDir::new();
        let log = [line(1, "alice"), line(3, "bob").repeat(MOST_EVENTS)].concat();
        std::fs::write(directory.path().join("auth.log"), log).unwrap();
        let second = |second: u64| UnixTime(NOW.0 - 47 + second);
        let all = |until| Wanted {
            since: Some(second(0)),
            until,
            lines: None,
            ..wanted()
        };
        let found = look(&directory, &all(None), MOST).unwrap();
        let stopped = Stopped {
            limit: Limit::Events,
            back_to: Some(second(3)),
        };
        assert_eq!(
            (found.events.len(), found.stopped),
            (MOST_EVENTS, Some(stopped))
        );
        assert_eq!(users(&directory, &all(Some(second(2)))), ["alice"]);
        // As many as were asked for are not too many.
        let asked = Wanted {
            lines: Some(MOST_EVENTS),
            ..all(None)
        };
        assert_eq!(look(&directory, &asked, MOST).unwrap().stopped, None);
    }

    #[test]
    fn reading_ends_in_time() {
        let directory = TempDir::new();
        std::fs::write(directory.path().join("auth.log"), line(1, "alice")).unwrap();
        let looking = Looking {
            wanted: &wanted(),
            most: MOST,
            deadline: Deadline::after(Duration::ZERO),
            stamps: Stamps::new(NOW),
        };
        let found = read_in(directory.path(), &looking).unwrap();
        assert_eq!(found.stopped.unwrap().limit, Limit::Time);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_the_others_are_read() {
        let directory = TempDir::new();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("auth.log"), line(1, "alice")).unwrap();
        std::fs::create_dir(path("auth.log.1")).unwrap();
        let unread = || {
            let found = look(&directory, &wanted(), MOST).unwrap();
            assert_eq!(found.events.len(), 1);
            found.unread.concat()
        };
        let why = unread();
        assert!(why.ends_with("auth.log.1: not a regular file"), "{why}");
        std::fs::rename(path("auth.log"), path("secure")).unwrap();
        std::fs::rename(path("auth.log.1"), path("auth.log")).unwrap();
        let why = unread();
        assert!(why.ends_with("auth.log: not a regular file"), "{why}");
    }

    #[test]
    fn what_a_power_failure_left_hides_no_line_after_it() {
        let directory = TempDir::new();
        let path = directory.path().join("auth.log");
        let cut = line(2, "bob");
        let nothing = "\0".repeat(100_000);
        for cut in ["", cut.split_at(40).0] {
            let log = [&line(1, "alice"), cut, &nothing, &line(3, "carol")];
            std::fs::write(&path, log.concat()).unwrap();
            assert_eq!(users(&directory, &wanted()), ["carol", "alice"], "{cut}");
        }
    }

    #[test]
    fn lines_without_an_end_and_without_measure_do_no_harm() {
        let directory = TempDir::new();
        let path = directory.path().join("auth.log");
        let long = format!("{}{}\n", line(1, "x").trim_end(), "y".repeat(200_000));
        let last = line(2, "bob");
        let all = [&line(1, "alice"), &long, "\n\n\u{0}\n", last.trim_end()];
        let mut all = all.concat().into_bytes();
        all.splice(0..0, b"\xff\xfe\n".iter().copied());
        std::fs::write(&path, &all).unwrap();
        assert_eq!(users(&directory, &wanted()), ["bob", "alice"]);
        // The very first line is one too, and one that has no beginning is none.
        std::fs::write(&path, line(3, "carol")).unwrap();
        assert_eq!(users(&directory, &wanted()), ["carol"]);
        std::fs::write(&path, "y".repeat(200_000)).unwrap();
        assert!(users(&directory, &wanted()).is_empty());
        std::fs::write(&path, "").unwrap();
        assert!(users(&directory, &wanted()).is_empty());
    }

    #[test]
    fn what_others_put_in_the_log_s_place_is_not_read() {
        let directory = TempDir::new();
        let path = directory.path().join("auth.log");
        let other = directory.path().join("other");
        std::fs::write(&other, line(1, "alice")).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(look(&directory, &wanted(), MOST).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = look(&directory, &wanted(), MOST).unwrap_err();
        assert!(error.ends_with("auth.log: not a regular file"), "{error}");
    }

    #[test]
    fn another_program_s_words_are_not_ours() {
        for rest in [
            "web1 app[1]: said pam_otp(sshd:auth): outcome=granted",
            "web1 pam_otp(sshd:auth): outcome=granted reason=code",
            "web1 some app: pam_otp(sshd:auth): outcome=granted",
            "pam_otp(sshd:auth): outcome=granted",
        ] {
            assert_eq!(entry(rest), None, "{rest}");
        }
        assert!(entry("web1 sshd-session[1]: pam_otp(sshd:auth): outcome=granted").is_some());
    }
}
