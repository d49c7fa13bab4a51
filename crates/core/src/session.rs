//! A login session of this machine: the processes that one leader has started,
//! as the kernel knows them (`setsid`).

use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use crate::descriptor::clear_of_stdio;

/// Most bytes that are read of a file in /proc.
const MAX_FILE: u64 = 4096;

/// One login session. Its leader's process id may be another's one day, so it is
/// known by the start of the machine and by the leader's start too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    boot: String,
    leader: u64,
    started: u64,
}

impl Session {
    /// The session of this process, if `terminal` is its controlling terminal, or
    /// a display. What daemons call their terminal is neither: all their clients
    /// would be in one session.
    ///
    /// `None` too if /proc does not tell all of it, and if the leader is gone or
    /// outside of our view, as it may be in a container.
    #[must_use]
    pub fn at(terminal: &str) -> Option<Self> {
        let own = Process::read("self")?;
        (is_display(terminal) || own.controls(terminal)).then_some(())?;
        let leader = own.session;
        let process = Process::read(&leader.to_string())?;
        // A leader leads its own session; anything else is another view.
        (leader != 0 && process.id == leader && process.session == leader).then_some(())?;
        let boot = read("/proc/sys/kernel/random/boot_id")?;
        Self::new(boot.trim(), leader, process.started)
    }

    /// A session as told by its parts.
    #[must_use]
    pub fn new(boot: &str, leader: u64, started: u64) -> Option<Self> {
        (!boot.is_empty()).then(|| Self {
            boot: boot.to_owned(),
            leader,
            started,
        })
    }

    /// All that tells it from others.
    pub(crate) fn name(&self) -> String {
        let Self {
            boot,
            leader,
            started,
        } = self;
        format!("{boot} {leader} {started}")
    }
}

/// What `/proc/PID/stat` says: `proc_pid_stat`(5).
#[derive(Debug, PartialEq)]
struct Process {
    id: u64,
    session: u64,
    /// The controlling terminal's device; 0 for none.
    terminal: u32,
    /// In clock ticks since the machine was started.
    started: u64,
}

impl Process {
    fn read(process: &str) -> Option<Self> {
        Self::parse(&read(&format!("/proc/{process}/stat"))?)
    }

    /// The second field is the program's name in parentheses. There may be
    /// anything in it, parentheses and spaces too.
    fn parse(stat: &str) -> Option<Self> {
        let (id, rest) = stat.split_once(" (")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        let field = |number: usize| {
            // The one after the name is the third.
            let text = rest.split(' ').nth(number.checked_sub(3)?)?;
            text.trim_end().parse().ok()
        };
        Some(Self {
            id: id.parse().ok()?,
            session: field(6)?,
            terminal: u32::try_from(field(7)?).ok()?,
            started: field(22)?,
        })
    }

    /// Whether this is the file, or the line, of the controlling terminal.
    fn controls(&self, terminal: &str) -> bool {
        let path = Path::new("/dev").join(terminal);
        let Ok(stat) = rustix::fs::stat(&path) else {
            return false;
        };
        let (major, minor) = (
            rustix::fs::major(stat.st_rdev),
            rustix::fs::minor(stat.st_rdev),
        );
        self.terminal != 0
            && FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && (major, minor) == device(self.terminal)
    }
}

/// Major and minor number of a terminal as the kernel writes it in one number.
fn device(number: u32) -> (u32, u32) {
    let minor = (number & 0xff) | ((number >> 12) & 0x000f_ff00);
    ((number >> 8) & 0xfff, minor)
}

/// A screen of this machine, as lock screens name it: `:0`.
fn is_display(terminal: &str) -> bool {
    let number = terminal.strip_prefix(':').unwrap_or_default();
    !number.is_empty()
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn read(path: &str) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let file = clear_of_stdio(file).ok()?;
    let mut bytes = Vec::new();
    let mut limited = std::fs::File::from(file).take(MAX_FILE);
    limited.read_to_end(&mut bytes).ok()?;
    // A program's name need not be UTF-8.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_can_have_any_name_and_is_its_session_s_all_the_same() {
        let rest = "S 41 42 43 34816 42 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 5 6 7";
        for name in ["sh", "a b", ") S 1 1 1 (", "(", ")", "\u{fffd}", ""] {
            let said = Process::parse(&format!("42 ({name}) {rest}\n"));
            let expected = Process {
                id: 42,
                session: 43,
                terminal: 34816,
                started: 777,
            };
            assert_eq!(said, Some(expected), "{name:?}");
        }
        for text in ["", "42", "42 (sh", "42 (sh) S 1 2", "x (sh) S 1 2 3"] {
            assert_eq!(Process::parse(text), None, "{text:?}");
        }
        let short = format!("42 (sh) {}", rest.rsplit_once(" 777").unwrap().0);
        assert_eq!(Process::parse(&short), None, "without a start");
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads /proc")]
    fn what_is_no_terminal_of_ours_is_in_no_session() {
        for terminal in [
            "",
            "ssh",
            "dovecot",
            "cron",
            "/dev/null",
            "null",
            "pts",
            "host:0",
            ":",
            ":a",
        ] {
            assert_eq!(Session::at(terminal), None, "{terminal}");
        }
        assert_eq!(Session::at(":0"), Session::at(":0"));
    }

    #[test]
    fn a_terminal_s_number_is_its_device() {
        for (number, expected) in [
            (0x8800, (136, 0)),
            (0x8807, (136, 7)),
            (0x10_8800, (136, 256)),
            (0x0401, (4, 1)),
        ] {
            assert_eq!(device(number), expected, "{number:x}");
        }
    }
}
