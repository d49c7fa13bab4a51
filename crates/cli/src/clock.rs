//! Clocks: is this machine's right, and how far is a phone's from it?
//!
//! The kernel knows whether its clock is synchronised: whoever sets it says so.
//! No safe code can ask the kernel, but systemd's `timedatectl` can. Where that is
//! not at hand, chrony is asked itself, and systemd-timesyncd leaves a file.

use std::fmt;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pam_otp_core::code::Code;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token};

/// How far a phone's clock is looked for, before and after now.
const HOUR: u64 = 3600;

/// By this name alone: what stands in PATH is the caller's.
const TIMEDATECTL: &str = "/usr/bin/timedatectl";
/// Asks chronyd, over the loopback.
const CHRONYC: &str = "/usr/bin/chronyc";
/// There since systemd-timesyncd has set the clock.
const TIMESYNCD: &str = "run/systemd/timesync/synchronized";
/// It asks a service that may have to be started first. Nobody waits longer for
/// a line that only informs. Milliseconds.
const PATIENCE: u16 = 2000;

/// Who may keep the clock, by the directory or file that is there while it runs.
const DAEMONS: [(&str, &str); 4] = [
    ("run/systemd/timesync", "systemd-timesyncd"),
    ("run/chrony", "chronyd"),
    ("run/ntpd.pid", "ntpd"),
    ("run/ntpd-rs", "ntpd-rs"),
];

/// Whether the kernel takes its clock for right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synchronisation {
    /// Somebody sets it by a better one.
    Synchronised,
    /// Nobody does, or has not for long.
    Unsynchronised,
    /// Why that cannot be told.
    Unknown(&'static str),
}

/// This machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    state: Synchronisation,
    /// Who seems to set it.
    daemon: Option<&'static str>,
}

impl Clock {
    /// Asks the system; takes two seconds at most.
    pub(crate) fn look() -> Self {
        let mut command = Command::new(TIMEDATECTL);
        command.args(["show", "--property=NTPSynchronized", "--value"]);
        let clock = Self::of(&ask(command.env_clear()), Path::new("/"));
        if clock.synchronised().is_some() || clock.daemon != Some("chronyd") {
            return clock;
        }
        let mut command = Command::new(CHRONYC);
        command.args(["-c", "tracking"]);
        let state = ask(command.env_clear())
            .ok()
            .and_then(|said| by_chrony(&said));
        Self {
            state: state.unwrap_or(clock.state),
            ..clock
        }
    }

    fn of(said: &io::Result<String>, root: &Path) -> Self {
        let seems = |(path, name): &(&str, &'static str)| root.join(path).exists().then_some(*name);
        let mut state = Synchronisation::of(said);
        if matches!(state, Synchronisation::Unknown(_)) && root.join(TIMESYNCD).exists() {
            state = Synchronisation::Synchronised;
        }
        Self {
            state,
            daemon: DAEMONS.iter().find_map(seems),
        }
    }

    /// Whether it is known to be right, or known not to be.
    pub(crate) fn synchronised(self) -> Option<bool> {
        match self.state {
            Synchronisation::Synchronised => Some(true),
            Synchronisation::Unsynchronised => Some(false),
            Synchronisation::Unknown(_) => None,
        }
    }

    /// Who seems to set it.
    pub(crate) fn daemon(self) -> Option<&'static str> {
        self.daemon
    }

    /// Which clock to set, if a phone's and this one are apart.
    pub(crate) fn hint(self) -> String {
        match self.state {
            Synchronisation::Synchronised => {
                "this machine's clock is synchronised: let the phone set its clock by the network"
                    .to_owned()
            }
            Synchronisation::Unsynchronised | Synchronisation::Unknown(_) => {
                format!("this machine's clock: {self}; look at the phone's too")
            }
        }
    }
}

impl Synchronisation {
    /// What `timedatectl` meant.
    fn of(said: &io::Result<String>) -> Self {
        match said.as_deref().map(str::trim_ascii) {
            Ok("yes") => Self::Synchronised,
            Ok("no") => Self::Unsynchronised,
            Ok(_) => Self::Unknown("timedatectl does not say"),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Self::Unknown("timedatectl does not answer")
            }
            Err(_) => Self::Unknown("timedatectl cannot be run"),
        }
    }
}

/// What `chronyc -c tracking` meant: the last of its values.
fn by_chrony(said: &str) -> Option<Synchronisation> {
    let (values, last) = said.trim_ascii().rsplit_once(',')?;
    // Fewer are no answer.
    (values.split(',').count() == 13).then_some(match last {
        "Not synchronised" => Synchronisation::Unsynchronised,
        _ => Synchronisation::Synchronised,
    })
}

/// In words, with what to do.
impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.state, self.daemon) {
            (Synchronisation::Synchronised, Some(daemon)) => write!(f, "synchronised ({daemon})"),
            (Synchronisation::Synchronised, None) => f.write_str("synchronised"),
            (Synchronisation::Unsynchronised, Some(daemon)) => write!(
                f,
                "not synchronised, though {daemon} seems to run; see whether it reaches a time server"
            ),
            (Synchronisation::Unsynchronised, None) => f.write_str(
                "not synchronised; install chrony or systemd-timesyncd, which set it by the network",
            ),
            (Synchronisation::Unknown(reason), daemon) => {
                write!(f, "cannot tell whether it is synchronised ({reason}")?;
                if let Some(daemon) = daemon {
                    write!(f, ", {daemon} seems to run")?;
                }
                f.write_str("); compare it with one that is right")
            }
        }
    }
}

/// What a program says in one line.
fn ask(command: &mut Command) -> io::Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut said = String::new();
    let result = child.stdout.take().map_or(Ok(()), |stdout| {
        let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::from(PATIENCE))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // One line, and the end.
        stdout.take(512).read_to_string(&mut said).map(drop)
    });
    let _ = child.kill();
    child.wait()?;
    result.map(|()| said)
}

/// Seconds by which whoever made this code is ahead of now (behind: negative), if
/// that is not more than an hour. The nearest, should there be two.
pub(crate) fn apart(token: &Token, code: &Code, now: UnixTime) -> Option<i64> {
    let Kind::Totp { period } = token.kind else {
        return None;
    };
    let (generator, here) = (token.generator(), period.step_at(now));
    let fits = |step: u64| *generator.code(step).to_text() == *code.to_text();
    let furthest = HOUR.checked_div(period.seconds())?;
    let steps = (0..=furthest).find_map(|steps| {
        let distance = i64::try_from(steps).ok()?;
        if here.checked_add(steps).is_some_and(fits) {
            return Some(distance);
        }
        here.checked_sub(steps)
            .is_some_and(fits)
            .then_some(distance.saturating_neg())
    })?;
    steps.checked_mul(i64::try_from(period.seconds()).ok()?)
}

/// How far that is, in words.
pub(crate) fn describe(seconds: i64) -> String {
    let which = if seconds < 0 { "behind" } else { "ahead of" };
    let time = humantime::format_duration(Duration::from_secs(seconds.unsigned_abs()));
    format!("about {time} {which} this machine's clock")
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests {
    use std::fs;

    use pam_otp_core::code::{Algorithm, Digits, Secret};
    use pam_otp_core::time::Period;
    use pam_otp_core::token::TokenName;
    use pam_otp_testkit::temp::TempDir;

    use super::*;

    const NOW: u64 = 1_700_000_010;

    fn token(kind: Kind) -> Token {
        Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind,
            secret: Secret::new(b"12345678901234567890").unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        }
    }

    fn totp(period: u64) -> Token {
        token(Kind::Totp {
            period: Period::new(period).unwrap(),
        })
    }

    #[test]
    fn a_phone_that_is_off_by_up_to_an_hour_is_found() {
        for period in [10, 30, 60, 300] {
            let token = totp(period);
            let code = |time: u64| token.generator().code(time / period);
            for steps in [0, 1, 11, 3600 / period] {
                let seconds = steps * period;
                let apart = |time| apart(&token, &code(time), UnixTime(NOW));
                let expected = i64::try_from(seconds).unwrap();
                assert_eq!(apart(NOW + seconds), Some(expected));
                assert_eq!(apart(NOW - seconds), Some(-expected));
            }
            for far in [3600 + period, 86_400] {
                assert_eq!(apart(&token, &code(NOW + far), UnixTime(NOW)), None);
                assert_eq!(apart(&token, &code(NOW - far), UnixTime(NOW)), None);
            }
        }
    }

    #[test]
    fn a_phone_is_found_at_either_end_of_time_and_a_counter_never() {
        let token = totp(30);
        let first = token.generator().code(2);
        assert_eq!(apart(&token, &first, UnixTime(0)), Some(60));
        let last = token.generator().code(u64::MAX / 30);
        assert_eq!(apart(&token, &last, UnixTime(u64::MAX)), Some(0));
        let hotp = super::tests::token(Kind::Hotp { counter: 0 });
        assert_eq!(apart(&hotp, &hotp.generator().code(0), UnixTime(0)), None);
    }

    #[test]
    fn a_code_of_other_length_is_none_of_this_token() {
        let token = totp(30);
        let longer = Token {
            digits: Digits::new(8).unwrap(),
            ..totp(30)
        };
        let code = longer.generator().code(NOW / 30);
        assert_eq!(apart(&token, &code, UnixTime(NOW)), None);
    }

    #[test]
    fn how_far_is_told_as_people_say_it() {
        assert_eq!(describe(330), "about 5m 30s ahead of this machine's clock");
        assert_eq!(describe(-3600), "about 1h behind this machine's clock");
    }

    #[test]
    fn what_is_said_of_the_clock_comes_with_what_to_do() {
        let (bare, chrony) = (TempDir::new(), TempDir::new());
        fs::create_dir_all(chrony.path().join("run/chrony")).unwrap();
        let not_there = Err(io::ErrorKind::NotFound.into());
        for (said, root, expected) in [
            (Ok("yes\n"), &bare, "synchronised"),
            (Ok("yes\n"), &chrony, "synchronised (chronyd)"),
            (
                Ok("no\n"),
                &bare,
                "not synchronised; install chrony or systemd-timesyncd, which set it by the network",
            ),
            (
                Ok("no\n"),
                &chrony,
                "not synchronised, though chronyd seems to run; see whether it reaches a time server",
            ),
            (
                Ok(""),
                &bare,
                "cannot tell whether it is synchronised (timedatectl does not say); compare it with one that is right",
            ),
            (
                not_there,
                &chrony,
                "cannot tell whether it is synchronised (timedatectl cannot be run, chronyd seems to \
                 run); compare it with one that is right",
            ),
        ] {
            assert_eq!(
                Clock::of(&said.map(str::to_owned), root.path()).to_string(),
                expected
            );
        }
    }

    #[test]
    fn chrony_and_timesyncd_tell_where_timedatectl_does_not() {
        let tracking = "A29FC87B,ntp.example.org,3,1700000000.123,0.000001,0.000002,0.00001,1.5,\
                        0.001,0.02,0.01,0.001,64.2,";
        for (leap, expected) in [
            ("Normal\n", Some(Synchronisation::Synchronised)),
            ("Insert second\n", Some(Synchronisation::Synchronised)),
            ("Not synchronised\n", Some(Synchronisation::Unsynchronised)),
        ] {
            assert_eq!(by_chrony(&format!("{tracking}{leap}")), expected);
        }
        assert_eq!(by_chrony("506 Cannot talk to daemon\n"), None);
        assert_eq!(by_chrony("Normal"), None);
        let root = TempDir::new();
        fs::create_dir_all(root.path().join("run/systemd/timesync")).unwrap();
        let unknown = || Err(io::ErrorKind::NotFound.into());
        assert_eq!(Clock::of(&unknown(), root.path()).synchronised(), None);
        fs::write(root.path().join(TIMESYNCD), "").unwrap();
        let clock = Clock::of(&unknown(), root.path());
        assert_eq!(clock.to_string(), "synchronised (systemd-timesyncd)");
        let said_no = Clock::of(&Ok("no\n".to_owned()), root.path());
        assert_eq!(said_no.synchronised(), Some(false));
    }

    #[test]
    fn the_advice_names_the_clock_to_set() {
        let root = TempDir::new();
        let hint = |text| Clock::of(&Ok(str::to_owned(text)), root.path()).hint();
        assert!(hint("yes").ends_with("let the phone set its clock by the network"));
        assert!(hint("no").starts_with("this machine's clock: not synchronised; install"));
        assert!(hint("").starts_with("this machine's clock: cannot tell whether"));
    }

    #[test]
    fn the_program_is_heard_and_never_waited_for_long() {
        let asked = |script| ask(Command::new("/bin/sh").args(["-c", script]));
        assert_eq!(asked("echo yes").unwrap(), "yes\n");
        assert_eq!(asked("echo no >&2; exit 1").unwrap(), "");
        let error = asked("exec sleep 60").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = ask(&mut Command::new("/nonexistent")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
