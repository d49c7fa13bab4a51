//! A day of the calendar, in UTC.

use crate::time::UnixTime;

/// Seconds in a day; the epoch's time has no others.
const DAY: u64 = 24 * 60 * 60;

/// A day, written `YYYY-MM-DD`, from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Days since 1970-01-01.
    day: u64,
}

impl Date {
    /// Reads ten characters: `2027-03-31`. `None` for any other form, and for a
    /// day that the calendar does not have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u64>().ok()).flatten()
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let in_range = parts.next().is_none()
            && year >= 1970
            && (1..=12).contains(&month)
            && (1..=days_in(month, year)).contains(&day);
        if !in_range {
            return None;
        }
        let years = year.saturating_sub(1970).saturating_mul(365);
        let leap_days = leap_days_before(year).saturating_sub(leap_days_before(1970));
        let months = (1..month).map(|month| days_in(month, year)).sum::<u64>();
        let day = years
            .saturating_add(leap_days)
            .saturating_add(months)
            .saturating_add(day.saturating_sub(1));
        Some(Self { day })
    }

    /// How many days it is until this one begins: 1 on the day before. `None`
    /// once it has begun.
    #[must_use]
    pub fn days_until(self, now: UnixTime) -> Option<u64> {
        self.day.checked_sub(now.0 / DAY).filter(|days| *days > 0)
    }
}

fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn leap_days_before(year: u64) -> u64 {
    let last = year.saturating_sub(1);
    (last / 4)
        .saturating_sub(last / 100)
        .saturating_add(last / 400)
}

fn days_in(month: u64, year: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> u64 {
        Date::parse(text).unwrap().day * DAY
    }

    #[test]
    fn days_are_those_of_the_epoch_s_calendar() {
        // By GNU date: date -u -d DATE +%s
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1972-03-01", 68_256_000),
            ("2000-02-29", 951_782_400),
            ("2000-12-31", 978_220_800),
            ("2026-11-22", 1_795_305_600),
            ("2027-03-01", 1_803_859_200),
            ("2028-02-29", 1_835_395_200),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31", 253_402_214_400),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_after_the_one_before() {
        let mut next = 0;
        for year in 1970..2370 {
            for month in 1..=12 {
                for day in 1..=days_in(month, year) {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(Date::parse(&text).unwrap().day, next, "{text}");
                    next += 1;
                }
            }
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2027",
            "2027-03",
            "2027-3-31",
            "27-03-31",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "1969-12-31",
            "2027-03-31 ",
            " 2027-03-31",
            "2027-03-31T00",
            "2027-03-31-",
            "2027/03/31",
            "+027-03-31",
            "31.03.2027",
            "２０２７-03-31",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_days_that_are_left_are_counted_by_the_calendar() {
        let date = Date::parse("2027-03-01").unwrap();
        let start = seconds("2027-03-01");
        for (now, expected) in [
            (seconds("2027-02-22"), Some(7)),
            (start - DAY - 1, Some(2)),
            (start - DAY, Some(1)),
            (start - 1, Some(1)),
            (start, None),
            (start + DAY, None),
            (u64::MAX, None),
        ] {
            assert_eq!(date.days_until(UnixTime(now)), expected, "{now}");
        }
    }
}
