//! Which moving factor a code belongs to, if any.

use std::ops::RangeInclusive;

use subtle::ConstantTimeEq;

use super::Rules;
use crate::code::Code;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::{Kind, Token};

/// HOTP values below the next one that are recognised, so that the log can say
/// "used" instead of "wrong". They never open.
const HOTP_LOOK_BACK: u64 = 3;

/// Steps outside the window in which a TOTP code is recognised, so that the log
/// can say by how much a clock is wrong. They never open.
const ELSEWHERE: u64 = 10;

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
pub(super) struct Reach {
    /// The lowest that may still open.
    next: u64,
    candidates: RangeInclusive<u64>,
}

impl Reach {
    pub(super) fn of(token: &Token, state: &State, rules: Rules, now: UnixTime) -> Self {
        let next = state.next(token.id());
        match token.kind {
            Kind::Totp { period } => {
                let drift = i64::from(state.drift(token.id()));
                let centre = period.step_at(now).saturating_add_signed(drift);
                let first = centre.saturating_sub(rules.window);
                Self {
                    next,
                    candidates: first..=centre.saturating_add(rules.window),
                }
            }
            Kind::Hotp { counter } => {
                let next = next.max(counter);
                let last = next.saturating_add(rules.look_ahead.saturating_sub(1));
                Self {
                    next,
                    candidates: next.saturating_sub(HOTP_LOOK_BACK)..=last,
                }
            }
        }
    }

    /// Whether time alone will not soon bring codes that may open: a later one
    /// was used while a clock was wrong.
    fn is_behind(&self, token: &Token) -> bool {
        matches!(token.kind, Kind::Totp { .. })
            && self.next > self.candidates.end().saturating_add(1)
    }

    /// Compares the code with every candidate, match or no match: how long it
    /// takes says nothing about which.
    pub(super) fn find(&self, token: &Token, code: &Code) -> Option<Match> {
        let generator = token.generator();
        self.candidates.clone().fold(None, |found, moving_factor| {
            let equal = bool::from(generator.code(moving_factor).ct_eq(code));
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
        let generator = token.generator();
        let (first, last) = (*self.candidates.start(), *self.candidates.end());
        let before = first.saturating_sub(ELSEWHERE)..first;
        let after = last.saturating_add(1)..=last.saturating_add(ELSEWHERE);
        let step = before
            .chain(after)
            .filter(|step| *step >= self.next)
            .find(|step| bool::from(generator.code(*step).ct_eq(code)))?;
        let steps = i64::try_from(step)
            .ok()?
            .checked_sub_unsigned(period.step_at(now))?;
        steps.checked_mul(i64::try_from(period.seconds()).ok()?)
    }
}
