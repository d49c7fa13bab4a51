//! May this source guess now?
//!
//! Two counts, both in the user's state and both under its lock, so that N
//! guesses at once are N guesses:
//!
//! - *Each source* has a few tries, then waits: longer each time, up to an hour.
//! - *All strangers together*, that is all sources from which this user has not
//!   logged in lately, share one bucket. It fills so slowly that guessing for a
//!   year succeeds with less than 3 %, however many addresses do it.
//!
//! A known source is bound by its own count alone: strangers who guess cannot
//! keep the owner out. Recovery codes are not throttled: they cannot be guessed.

use std::collections::BTreeMap;

use crate::source::SourceId;
use crate::time::UnixTime;

/// How patient to be. From the administrator's policy; no user can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Wrong guesses that a source has before it must wait.
    pub tries: u32,
    /// Seconds of its first wait; each further one is twice as long.
    pub first_wait: u64,
}

/// Longest wait of one source, in seconds.
pub const LONGEST_WAIT: u64 = 3600;
/// Seconds after which a source's failures are forgotten.
const FORGIVEN: u64 = 24 * 3600;
/// Seconds for which a source is known after a login from it: 90 days.
const KNOWN: u64 = 90 * 24 * 3600;
/// Guesses that strangers have at once.
pub const BURST: u64 = 10;
/// Most sources that a state remembers.
pub const MAX_SOURCES: usize = 16;

/// A year of 365.25 days, in seconds.
const YEAR: u64 = 31_557_600;
/// The chance of a year's guessing that strangers are allowed, in 10^-8: 2.7 %.
/// The burst comes on top, and 3 % is the promise.
const YEARLY_CHANCE: u64 = 2_700_000;

/// Seconds until strangers get one more guess, if one guess succeeds with a
/// chance of `chance` times 10^-8.
#[must_use]
pub fn interval(chance: u64) -> u64 {
    YEAR.saturating_mul(chance).div_ceil(YEARLY_CHANCE).max(1)
}

/// What a state remembers of guesses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) sources: BTreeMap<SourceId, Seen>,
    /// When the strangers' bucket will be full again, in seconds since the
    /// epoch: each guess moves it on by one interval.
    pub(crate) strangers: u64,
}

/// What is remembered of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The last login from it, in seconds since the epoch; 0 for none.
    pub(crate) success: u64,
    /// Wrong guesses since then.
    pub(crate) failures: u32,
    /// The last of them.
    pub(crate) failure: u64,
}

impl Ledger {
    /// Seconds until this source may guess; `None` if it may now.
    #[must_use]
    pub fn wait(
        &self,
        throttle: Throttle,
        interval: u64,
        source: SourceId,
        now: UnixTime,
    ) -> Option<u64> {
        let seen = self.sources.get(&source).copied().unwrap_or_default();
        let own = seen.wait(throttle, now);
        let wait = if seen.is_known(now) {
            own
        } else {
            own.max(self.strangers_wait(interval, now))
        };
        (wait > 0).then_some(wait)
    }

    /// Seconds until nobody has to wait any more who has guessed, be it a known
    /// source or a stranger; 0 if nobody has to.
    pub(crate) fn longest_wait(&self, throttle: Throttle, interval: u64, now: UnixTime) -> u64 {
        let sources = self.sources.values().map(|seen| seen.wait(throttle, now));
        sources.fold(self.strangers_wait(interval, now), u64::max)
    }

    /// Notes a wrong guess.
    pub(crate) fn failed(&mut self, interval: u64, source: SourceId, now: UnixTime) {
        let known = self
            .sources
            .get(&source)
            .is_some_and(|seen| seen.is_known(now));
        if !known {
            let empty = BURST.saturating_mul(interval).saturating_add(now.0);
            self.strangers = self
                .strangers
                .max(now.0)
                .saturating_add(interval)
                .min(empty);
        }
        let seen = self.sources.entry(source).or_default();
        seen.failures = seen.recent_failures(now).saturating_add(1);
        seen.failure = now.0;
    }

    /// Notes a login.
    pub(crate) fn succeeded(&mut self, source: SourceId, now: UnixTime) {
        let seen = self.sources.entry(source).or_default();
        *seen = Seen {
            success: seen.success.max(now.0),
            failures: 0,
            failure: 0,
        };
    }

    /// Forgets all failures.
    pub(crate) fn unlock(&mut self) {
        self.strangers = 0;
        self.sources.retain(|_, seen| seen.success != 0);
        for seen in self.sources.values_mut() {
            (seen.failures, seen.failure) = (0, 0);
        }
    }

    /// The join of two copies.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.strangers = self.strangers.max(other.strangers);
        for (source, theirs) in &other.sources {
            let ours = self.sources.entry(*source).or_default();
            *ours = ours.merge(*theirs);
        }
    }

    /// Keeps as many sources as there is room for: the known ones, by their
    /// last login, before the strangers, by their last guess. So a flood of
    /// strangers displaces strangers only.
    pub(crate) fn trim(&mut self) {
        while self.sources.len() > MAX_SOURCES {
            let worth = |seen: &Seen| (seen.success, seen.failure);
            let least = self.sources.iter().min_by_key(|(_, seen)| worth(seen));
            let Some(least) = least.map(|(source, _)| *source) else {
                return;
            };
            self.sources.remove(&least);
        }
    }

    fn strangers_wait(&self, interval: u64, now: UnixTime) -> u64 {
        let room = BURST.saturating_sub(1).saturating_mul(interval);
        let missing = self.strangers.saturating_sub(now.0);
        // A bucket cannot be emptier than empty: that is a clock that was wrong.
        // One guess is free then, and sets the bucket right.
        if missing > BURST.saturating_mul(interval) {
            0
        } else {
            missing.saturating_sub(room)
        }
    }
}

impl Seen {
    fn is_known(self, now: UnixTime) -> bool {
        self.success != 0 && now.0.saturating_sub(self.success) < KNOWN
    }

    fn recent_failures(self, now: UnixTime) -> u32 {
        if now.0.saturating_sub(self.failure) < FORGIVEN {
            self.failures
        } else {
            0
        }
    }

    fn wait(self, throttle: Throttle, now: UnixTime) -> u64 {
        let Some(over) = self.recent_failures(now).checked_sub(throttle.tries) else {
            return 0;
        };
        let factor = 1_u64.checked_shl(over).unwrap_or(u64::MAX);
        let wait = throttle.first_wait.saturating_mul(factor).min(LONGEST_WAIT);
        // A failure far in the future is a clock that was wrong.
        if self.failure > now.0.saturating_add(LONGEST_WAIT) {
            return 0;
        }
        self.failure.saturating_add(wait).saturating_sub(now.0)
    }

    /// As with the state's history: the later success decides whose failures
    /// count.
    fn merge(self, other: Self) -> Self {
        match self.success.cmp(&other.success) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => Self {
                success: self.success,
                failures: self.failures.max(other.failures),
                failure: self.failure.max(other.failure),
            },
        }
    }
}

#[cfg(test)]
mod tests;
