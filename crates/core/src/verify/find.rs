//! Which moving factor a code belongs to, if any.

use std::ops::RangeInclusive;

use subtle::ConstantTimeEq;

use super::Rules;
use crate::code::Code;
use crate::names::Key;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::{Kind, Token};

/// HOTP values below the next one that are recognised, so that the log can say
/// "used" instead of "wrong". They never open.
const HOTP_LOOK_BACK: u64 = 3;

/// Steps outside the window in which a TOTP code is recognised, so that the log
/// can say by how much a clock is wrong. They never open.
const ELSEWHERE: u64 = 10;

#[expect(clippy::reversed_empty_ranges, reason = "empty is what it shall be")]
const EMPTY: RangeInclusive<u64> = 1..=0;

/// What a code turned out to be.
pub(super) enum Match {
    /// The highest moving factor that the code is right for. Two within reach
    /// may have the same digits; spending the lower one would leave the code
    /// good for another login.
    Open(u64),
    /// Right, but spent.
    Used,
    /// Right, but a code of a later time was used while a clock was wrong. It
    /// is not taken back, or that code would open again: a recovery code gets
    /// in, and a new enrolment mends it.
    Ahead,
}

/// The moving factors that a token's code may belong to now.
pub(super) struct Reach<'k> {
    pub(super) key: &'k Key,
    /// The lowest that may still open.
    next: u64,
    low: RangeInclusive<u64>,
    /// All of it above `low`; often empty.
    high: RangeInclusive<u64>,
}

impl<'k> Reach<'k> {
    pub(super) fn of(
        token: &Token,
        key: &'k Key,
        state: &State,
        rules: Rules,
        now: UnixTime,
    ) -> Self {
        let next = state.next(key.id);
        match token.kind {
            Kind::Totp { period } => {
                // Around our own clock too: the token's may be right by now,
                // and then no code would teach us so.
                let present = period.step_at(now);
                let drift = i64::from(state.drift(key.id));
                let drifted = present.saturating_add_signed(drift);
                let around = |step: u64| {
                    step.saturating_sub(rules.window)..=step.saturating_add(rules.window)
                };
                let (low, high) = (around(present.min(drifted)), around(present.max(drifted)));
                let above = low.end().saturating_add(1).max(*high.start());
                Self {
                    key,
                    next,
                    high: above..=*high.end(),
                    low,
                }
            }
            Kind::Hotp { counter } => {
                let next = next.max(counter);
                let last = next.saturating_add(rules.look_ahead.saturating_sub(1));
                Self {
                    key,
                    next,
                    low: next.saturating_sub(HOTP_LOOK_BACK)..=last,
                    high: EMPTY,
                }
            }
        }
    }

    /// Whether time alone will not soon bring codes that may open: a later one
    /// was used while a clock was wrong.
    fn is_behind(&self, token: &Token) -> bool {
        matches!(token.kind, Kind::Totp { .. }) && self.next > self.last().saturating_add(1)
    }

    fn last(&self) -> u64 {
        *self.low.end().max(self.high.end())
    }

    /// How many codes of a time-based token may open at once.
    pub(super) fn steps(&self) -> u64 {
        let length = |range: &RangeInclusive<u64>| {
            let after = range.end().saturating_add(1);
            after.saturating_sub(*range.start())
        };
        length(&self.low).saturating_add(length(&self.high))
    }

    /// Compares the code with every candidate, match or no match: how long it
    /// takes says nothing about which.
    pub(super) fn find(&self, token: &Token, code: &Code) -> Option<Match> {
        let candidates = self.low.clone().chain(self.high.clone());
        candidates.fold(None, |found, moving_factor| {
            let equal = bool::from(self.key.generator.code(moving_factor).ct_eq(code));
            match found {
                _ if equal && moving_factor >= self.next => Some(Match::Open(moving_factor)),
                None if equal && self.is_behind(token) => Some(Match::Ahead),
                None if equal => Some(Match::Used),
                _ => found,
            }
        })
    }

    /// Seconds by which the clock of whoever made this code is ahead of ours
    /// (behind: negative), if it is an unspent one from just outside the window.
    pub(super) fn elsewhere(&self, token: &Token, code: &Code, now: UnixTime) -> Option<i64> {
        let Kind::Totp { period } = token.kind else {
            return None;
        };
        let (first, last) = (*self.low.start(), self.last());
        let before = first.saturating_sub(ELSEWHERE)..first;
        let after = last.saturating_add(1)..=last.saturating_add(ELSEWHERE);
        let step = before
            .chain(after)
            .filter(|step| *step >= self.next)
            .find(|step| bool::from(self.key.generator.code(*step).ct_eq(code)))?;
        let steps = i64::try_from(step)
            .ok()?
            .checked_sub_unsigned(period.step_at(now))?;
        steps.checked_mul(i64::try_from(period.seconds()).ok()?)
    }
}
