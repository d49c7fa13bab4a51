//! Two consecutive codes prove a token whose clock or counter is far off: RFC
//! 6238, section 6, and RFC 4226, section 7.4.
//!
//! One code is looked for near the present step only: each further step would
//! be one more chance for a guess. Two in a row are right by chance once in
//! 10^12 (of six digits), so that they are looked for over a whole day, and a
//! guess at them still succeeds less than twice in 10^8 for each token. A guess
//! at one code has fifty times the chance or more; the throttle counts both alike.
//!
//! No login takes two codes. Somebody who saw three in a row that were never
//! used could have the record follow their clock with two, and log in with the
//! third. So this is for the command alone, whose caller is root or can read
//! the secret anyway.

use std::ops::RangeInclusive;

use subtle::{Choice, ConstantTimeEq};

use super::{Decision, Login, Match, Means, Refusal, Rules};
use crate::code::Code;
use crate::names::{Key, Keys};
use crate::source::Source;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::{Kind, Token, TokenFile, TokenId};

/// How far before and after now the codes of a clock are looked for, in seconds:
/// as far as a wrong date or a wrong time zone takes it. At most that is 17,281
/// codes for each token, and a fifth of a second for sixteen of the slowest; others
/// wait for the lock meanwhile. In steps it is less than what a drift can hold.
const DAY: UnixTime = UnixTime(24 * 3600);

/// How many values of a counter are looked at, from the next one on: more than
/// a key is pressed by accident.
const FURTHER: u64 = 1000;

/// Counter values below the next one that are recognised, so that the codes of
/// the last time are told from wrong ones. They never open.
const LOOK_BACK: u64 = 3;

/// Decides about two consecutive codes of one token, the earlier one first.
///
/// They open if both are of the same token, of moving factors in a row, within a
/// day of now (TOTP) or 1000 values from the next one on (HOTP), and neither is
/// below the token's [`State::next`]. Both are then spent, and the token's drift
/// is what they show, whatever the policy's bound. The first token with such
/// codes counts.
///
/// For the throttle this is one guess, like a single code.
pub fn resync(
    record: &TokenFile,
    state: &State,
    codes: [&Code; 2],
    source: &Source,
    rules: Rules,
    now: UnixTime,
) -> Decision {
    let keys = Keys::of(record);
    let login = Login::new(record, &keys, state, source, rules, now);
    login.guess(
        |token, near| Reach::of(token, near.key, &login).find(near.key, codes),
        |state, token, near, second| login.follow(state, token, near.key.id, second),
        || None,
        || Refusal::Wrong,
    )
}

impl Login<'_> {
    /// Spends both codes, and takes the token's clock to be where they say.
    /// `None` if its counter is at its end.
    fn follow(
        &self,
        state: State,
        token: &Token,
        id: TokenId,
        second: u64,
    ) -> Option<(State, Means)> {
        let spent = state.spend(id, second)?;
        let (state, seconds) = match token.kind {
            Kind::Totp { period } => {
                let steps = self.steps_ahead(period, second);
                let seconds = steps.saturating_mul(i128::from(period.seconds()));
                (spent.follow(id, steps), i64::try_from(seconds).ok())
            }
            Kind::Hotp { .. } => (spent, None),
        };
        let token = token.name.to_string();
        Some((state, Means::Resync { token, seconds }))
    }
}

/// The moving factors that a token's two codes may belong to.
struct Reach {
    /// The lowest that may still open.
    next: u64,
    candidates: RangeInclusive<u64>,
    /// Time alone will not soon bring codes that may open, as with one code.
    behind: bool,
}

impl Reach {
    fn of(token: &Token, key: &Key, login: &Login<'_>) -> Self {
        let next = login.state.next(key.id);
        match token.kind {
            Kind::Totp { period } => {
                let here = period.step_at(login.now);
                let day = period.step_at(DAY);
                let drift = i64::from(login.state.drift(key.id));
                let soon = here
                    .saturating_add_signed(drift)
                    .saturating_add(login.rules.window)
                    .saturating_add(1);
                Self {
                    next,
                    candidates: here.saturating_sub(day)..=here.saturating_add(day),
                    behind: next > soon,
                }
            }
            Kind::Hotp { counter } => {
                let next = next.max(counter);
                let last = next.saturating_add(FURTHER.saturating_sub(1));
                Self {
                    next,
                    candidates: next.saturating_sub(LOOK_BACK)..=last,
                    behind: false,
                }
            }
        }
    }

    /// What the second code is for this token, if the first one is the code
    /// before it. Compares both with every candidate, match or no match: how
    /// long it takes says nothing about which. Where several match the highest
    /// counts, as with one code.
    fn find(&self, key: &Key, [first, second]: [&Code; 2]) -> Option<Match> {
        let mut after_first = Choice::from(0);
        self.candidates.clone().fold(None, |found, moving_factor| {
            let code = key.generator.code(moving_factor);
            let both = bool::from(after_first & code.ct_eq(second));
            after_first = code.ct_eq(first);
            match found {
                // Above, not at: the first code must not be spent either.
                _ if both && moving_factor > self.next => Some(Match::Open(moving_factor)),
                None if both && self.behind => Some(Match::Ahead),
                None if both => Some(Match::Used),
                _ => found,
            }
        })
    }
}

#[cfg(test)]
mod tests;
