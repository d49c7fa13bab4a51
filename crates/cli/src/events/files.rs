//! The files that syslog daemons write, read from their end.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use pam_otp_core::time::UnixTime;
use rustix::fs::{Mode, OFlags};

use super::line::Entry;
use super::stamp::Stamps;
use super::{End, Event, Found, MOST, Stopped, Wanted};

/// Where what is of authentication goes: Debian and Ubuntu; Fedora and Red Hat.
const NAMES: [&str; 2] = ["auth.log", "secure"];
const DIRECTORY: &str = "/var/log";

/// Our lines, the newest first, of the first log that is there and the file
/// before it.
pub(super) fn read(wanted: &Wanted, now: UnixTime) -> Result<Found, String> {
    read_in(Path::new(DIRECTORY), wanted, MOST, now)
}

/// Looks at no more than `most` lines of either file.
fn read_in(directory: &Path, wanted: &Wanted, most: usize, now: UnixTime) -> Result<Found, String> {
    let stamps = Stamps::new(now);
    let mut failed = format!("{}: no {}", directory.display(), NAMES.join(" or "));
    for name in NAMES {
        let path = directory.join(name);
        let mut events = Vec::new();
        match gather(&path, wanted, most, &stamps, &mut events) {
            Ok(mut end) => {
                // What was turned over; what is compressed by now is too old.
                let earlier = before(directory, name).filter(|_| end == End::Reached);
                if let Some(path) = earlier {
                    // Often there is none, or others look after it.
                    end = gather(&path, wanted, most, &stamps, &mut events).unwrap_or(end);
                }
                let log = path.display().to_string();
                return Ok(Found::new(log, events, end));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed = format!("{}: {error}", path.display()),
        }
    }
    Err(failed)
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

/// Adds a file's lines.
fn gather(
    path: &Path,
    wanted: &Wanted,
    most: usize,
    stamps: &Stamps,
    events: &mut Vec<Event>,
) -> io::Result<End> {
    let mut lines = Backwards::open(path)?;
    let (mut looked, mut back_to) = (0, None);
    loop {
        if events.len() >= wanted.lines {
            return Ok(End::Enough);
        }
        let Some(line) = lines.next()? else {
            return Ok(End::Reached);
        };
        let line = String::from_utf8_lossy(&line);
        let stamped = stamps.split(&line);
        // Passed over and not counted: what is wanted lies before it.
        if stamped.is_some_and(|(time, _)| wanted.is_after(time)) {
            continue;
        }
        if looked >= most {
            return Ok(End::Stopped(Stopped { back_to }));
        }
        looked = looked.saturating_add(1);
        let Some((time, rest)) = stamped else {
            continue;
        };
        back_to = Some(time);
        // The lines before it are looked at all the same: the clock may have been set,
        // and some daemons write the time that the sender of a line says.
        if wanted.is_before(time) {
            continue;
        }
        if let Some(entry) = entry(rest).filter(|entry| wanted.has(entry)) {
            events.push(Event {
                time,
                writer: None,
                entry,
            });
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

/// Lines from the last to the first, with little memory.
struct Backwards {
    file: File,
    /// Where what was read begins.
    start: u64,
    read: Vec<u8>,
    /// The end of a line that is too long to be one of ours.
    too_long: bool,
}

impl Backwards {
    const BLOCK: u64 = 64 * 1024;
    /// Ours have some hundred bytes.
    const LONGEST: usize = 16 * 1024;

    fn open(path: &Path) -> io::Result<Self> {
        // Others than root may write to the directory: no link is followed, and
        // nobody waits for a pipe.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let stat = file.metadata()?;
        if !stat.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Self {
            file,
            start: stat.len(),
            read: Vec::new(),
            too_long: false,
        })
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let end = self.read.iter().rposition(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.read.split_off(end.saturating_add(1));
                self.read.pop();
                let whole = !std::mem::take(&mut self.too_long);
                if whole && !line.is_empty() && line.len() <= Self::LONGEST {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.read.len() > Self::LONGEST {
                self.too_long = true;
                self.read.clear();
            }
            if self.start == 0 {
                let line = std::mem::take(&mut self.read);
                let whole = !line.is_empty() && !self.too_long;
                return Ok(Some(line).filter(|_| whole));
            }
            self.read_block()?;
        }
    }

    /// Reads the block before what was read.
    fn read_block(&mut self) -> io::Result<()> {
        let length = self.start.min(Self::BLOCK);
        self.start = self.start.saturating_sub(length);
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut block = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut block)?;
        block.append(&mut self.read);
        self.read = block;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

    use pam_otp_testkit::temp::TempDir;

    use super::*;

    const NOW: UnixTime = UnixTime(1_795_329_647);

    fn wanted() -> Wanted {
        Wanted {
            user: None,
            service: None,
            since: None,
            until: None,
            lines: 50,
        }
    }

    fn line(second: u64, user: &str) -> String {
        format!(
            "2026-11-22T06:40:{second:02}Z web1 sshd[{second}]: pam_otp(sshd:auth): outcome=denied \
             reason=wrong_code user={user} service=sshd rhost=192.0.2.7\n"
        )
    }

    fn users(directory: &TempDir, wanted: &Wanted) -> Vec<String> {
        let found = read_in(directory.path(), wanted, MOST, NOW).unwrap();
        assert_eq!(found.stopped, None);
        let user = |event: &Event| event.entry.value("user").unwrap().to_owned();
        found.events.iter().map(user).collect()
    }

    #[test]
    fn the_last_lines_are_found_among_those_of_others_and_in_the_file_before() {
        let directory = TempDir::new();
        let path = |name: &str| directory.path().join(name);
        assert!(read_in(directory.path(), &wanted(), MOST, NOW).is_err());
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
            lines: 2,
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
            format!("2026-11-22T06:40:{second:02}Z web1 cron[7]: pam_unix(cron:session): opened\n")
        };
        let ours = [line(1, "alice"), line(2, "bob")].concat();
        std::fs::write(path("auth.log"), [ours, noise(3).repeat(9)].concat()).unwrap();
        std::fs::write(path("auth.log.1"), line(0, "carol")).unwrap();
        let look = |most, until| {
            let wanted = Wanted { until, ..wanted() };
            let found = read_in(directory.path(), &wanted, most, NOW).unwrap();
            (found.events.len(), found.stopped)
        };
        let at = |second: u64| Some(UnixTime(NOW.0 - 47 + second));
        let stopped = |second| {
            Some(Stopped {
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
        std::fs::write(path("auth.log"), "nonsense\n".repeat(3)).unwrap();
        assert_eq!(look(2, None), (0, Some(Stopped { back_to: None })));
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
        assert!(read_in(directory.path(), &wanted(), MOST, NOW).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = read_in(directory.path(), &wanted(), MOST, NOW).unwrap_err();
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
