//! Time as logs and people write it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use pam_otp_core::time::UnixTime;

/// What stands before each line of a file.
#[derive(Clone, Debug)]
pub(super) struct Stamps {
    now: UnixTime,
    zone: TimeZone,
}

/// A log is written by a clock that may be a little ahead of the reader's.
const DAY: u64 = 24 * 60 * 60;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Stamps {
    /// Where the machine is, and when.
    pub(super) fn new(now: UnixTime) -> Self {
        Self {
            now,
            zone: TimeZone::system(),
        }
    }

    /// The time before a line, and the rest of it: RFC 3339 as rsyslog writes it,
    /// or RFC 3164, which knows neither year nor zone.
    pub(super) fn split<'l>(&self, line: &'l str) -> Option<(UnixTime, &'l str)> {
        if let Some((stamp, rest)) = line.split_at_checked(16) {
            if let Some(time) = stamp.strip_suffix(' ').and_then(|it| self.traditional(it)) {
                return Some((time, rest));
            }
        }
        let (stamp, rest) = line.split_once(' ')?;
        Some((unix(stamp.parse().ok()?)?, rest))
    }

    /// `Jan  2 03:04:05`, in the year that puts it into the past.
    fn traditional(&self, stamp: &str) -> Option<UnixTime> {
        let (month, rest) = stamp.split_at_checked(3)?;
        let month = MONTHS.iter().position(|it| *it == month)?;
        let month = i8::try_from(month).ok()?.checked_add(1)?;
        let (day, time) = rest.trim_start().split_once(' ')?;
        let mut parts = time.splitn(3, ':').map(|part| part.parse::<i8>().ok());
        let mut part = || parts.next().flatten();
        let (hour, minute, second) = (part()?, part()?, part()?);
        let day: i8 = day.parse().ok()?;
        let now = Timestamp::from_second(i64::try_from(self.now.0).ok()?).ok()?;
        let year = now.to_zoned(self.zone.clone()).year();
        // The last 29 February may be four years ago, or eight.
        let mut years = (0..9).filter_map(|back| year.checked_add(1)?.checked_sub(back));
        years.find_map(|year| {
            let written = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
            let written = unix(written.to_zoned(self.zone.clone()).ok()?.timestamp())?;
            (written.0 <= self.now.0.saturating_add(DAY)).then_some(written)
        })
    }
}

fn unix(time: Timestamp) -> Option<UnixTime> {
    u64::try_from(time.as_second()).ok().map(UnixTime)
}

/// When, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long ago.
    Ago(Duration),
    /// This second.
    At(UnixTime),
}

impl Moment {
    /// Reads `2h`, `2026-11-22` (where the machine is), or a time of RFC 3339.
    ///
    /// # Errors
    ///
    /// What can be typed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let day = || {
            let day: Date = text.parse().ok()?;
            unix(day.to_zoned(TimeZone::system()).ok()?.timestamp())
        };
        if let Ok(ago) = humantime::parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        let time = text.parse().ok().and_then(unix);
        time.or_else(day).map(Self::At).ok_or_else(|| {
            "a time is written 2h, 3days, 2026-11-22 or 2026-11-22T06:40:00Z".to_owned()
        })
    }

    /// As a second.
    pub(crate) fn second(self, now: UnixTime) -> UnixTime {
        match self {
            Self::Ago(ago) => UnixTime(now.0.saturating_sub(ago.as_secs())),
            Self::At(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T06:40:47Z.
    const NOW: UnixTime = UnixTime(1_795_329_647);

    fn stamps(now: UnixTime) -> Stamps {
        Stamps {
            now,
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn both_ways_in_which_syslog_daemons_write_time_are_read() {
        for line in [
            "Nov 22 06:40:47 host sshd[1]: x",
            "2026-11-22T06:40:47.123456+00:00 host sshd[1]: x",
            "2026-11-22T07:40:47+01:00 host sshd[1]: x",
            "2026-11-22T06:40:47Z host sshd[1]: x",
        ] {
            let found = stamps(NOW).split(line);
            assert_eq!(found, Some((NOW, "host sshd[1]: x")), "{line}");
        }
    }

    #[test]
    fn a_line_without_a_year_was_written_in_the_past() {
        let seconds = |line: &str| stamps(NOW).split(line).unwrap().0.0;
        // A day ahead is a clock that was set back.
        assert_eq!(seconds("Nov 23 06:40:00 h x"), NOW.0 - 47 + DAY);
        assert_eq!(seconds("Nov 24 06:40:47 h x"), NOW.0 + 2 * DAY - 365 * DAY);
        assert_eq!(seconds("Jan  2 00:00:00 h x"), 1_767_312_000);
        // In 2024.
        assert_eq!(seconds("Feb 29 00:00:00 h x"), 1_709_164_800);
        // Just after midnight of a new year.
        let new_year = UnixTime(1_798_761_600);
        let found = stamps(new_year).split("Dec 31 23:59:59 h x").unwrap().0;
        assert_eq!(found.0, new_year.0 - 1);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in [
            "",
            "x",
            "Nov 22 06:40:47",
            "Nov 22 06:40 47 h x",
            "Nov 31 06:40:47 h x",
            "Nov 22 25:40:47 h x",
            "Foo 22 06:40:47 h x",
            "2026-11-22 06:40:47 h x",
            "Növ 22 06:40:47 h x",
            "1969-12-31T00:00:00Z h x",
        ] {
            assert_eq!(stamps(NOW).split(line), None, "{line}");
        }
    }

    #[test]
    fn people_say_since_when_as_they_like() {
        let hours = Duration::from_secs(7200);
        assert_eq!(Moment::parse("2h"), Ok(Moment::Ago(hours)));
        assert_eq!(Moment::Ago(hours).second(NOW), UnixTime(NOW.0 - 7200));
        assert_eq!(Moment::parse("2026-11-22T06:40:47Z"), Ok(Moment::At(NOW)));
        assert!(matches!(Moment::parse("2026-11-22"), Ok(Moment::At(_))));
        for text in ["", "yesterday", "2026-13-01", "-2h", "22.11.2026"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}
