//! Time as the one-time codes see it: seconds, periods and steps.

use std::fmt;

/// Seconds since the epoch, as the host's clock has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

/// Length of one TOTP time step in seconds, 10 to 300 (RFC 6238, section 4.1:
/// parameter X).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(u16);

impl Period {
    /// What authenticator apps assume where nothing is said: 30 seconds.
    pub const DEFAULT: Self = Self(30);

    /// A period of so many seconds.
    ///
    /// # Errors
    ///
    /// [`PeriodError`] outside 10 to 300 seconds.
    pub fn new(seconds: u64) -> Result<Self, PeriodError> {
        match u16::try_from(seconds) {
            Ok(seconds @ 10..=300) => Ok(Self(seconds)),
            _ => Err(PeriodError),
        }
    }

    /// Seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::from(self.0)
    }

    /// The time step that `now` lies in: the value T of RFC 6238, section 4.2.
    #[must_use]
    pub fn step_at(self, now: UnixTime) -> u64 {
        // A period is never 0.
        now.0.checked_div(self.seconds()).unwrap_or(0)
    }
}

/// A period outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodError;

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a period is 10 to 300 seconds")
    }
}

impl std::error::Error for PeriodError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_10_to_300_seconds() {
        for seconds in [10, 30, 60, 300] {
            assert_eq!(Period::new(seconds).unwrap().seconds(), seconds);
        }
        for seconds in [0, 9, 301, u64::MAX] {
            assert_eq!(Period::new(seconds), Err(PeriodError));
        }
    }

    #[test]
    fn a_step_lasts_one_period() {
        let period = Period::new(30).unwrap();
        assert_eq!(period.step_at(UnixTime(0)), 0);
        assert_eq!(period.step_at(UnixTime(59)), 1);
        assert_eq!(period.step_at(UnixTime(60)), 2);
        assert_eq!(period.step_at(UnixTime(u64::MAX)), u64::MAX / 30);
    }
}
