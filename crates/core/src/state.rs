//! What logins change in a record: how far each token was used, which recovery
//! codes are spent, and what failed.
//!
//! States form a join-semilattice: [`State::merge`] of any two copies knows all
//! that either knew, whatever the order. Nothing in a state is ever taken back.

use std::collections::{BTreeMap, BTreeSet};

use crate::recovery::{MAX_CODES, RecoveryId, RecoverySet};
use crate::remember::{PlaceId, Places};
use crate::source::SourceId;
use crate::throttle::Ledger;
use crate::time::UnixTime;
use crate::token::{MAX_TOKENS, Token, TokenFile, TokenId};

mod payload;
pub mod slots;

/// What logins change. Empty when nobody has logged in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    tokens: BTreeMap<TokenId, Progress>,
    spent: BTreeSet<RecoveryId>,
    history: History,
    ledger: Ledger,
    places: Places,
}

impl State {
    /// The lowest moving factor (TOTP step or HOTP counter) that may still
    /// open with this token. All below it are spent, or were passed over.
    #[must_use]
    pub fn next(&self, token: TokenId) -> u64 {
        self.tokens.get(&token).map_or(0, |progress| progress.next)
    }

    /// How many steps this token's clock is known to be ahead of ours.
    #[must_use]
    pub fn drift(&self, token: TokenId) -> i16 {
        self.tokens.get(&token).map_or(0, |progress| progress.drift)
    }

    /// Whether this recovery code was used.
    #[must_use]
    pub fn is_spent(&self, code: RecoveryId) -> bool {
        self.spent.contains(&code)
    }

    /// Successes and failures so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.history
    }

    /// Who guessed, and who logged in.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where codes opened lately.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Spends a moving factor and all below it. `None` for the last number that
    /// there is: it could not be told from "nothing left".
    #[must_use]
    pub fn spend(mut self, token: TokenId, moving_factor: u64) -> Option<Self> {
        let next = moving_factor.checked_add(1)?;
        let progress = self.tokens.entry(token).or_default();
        progress.next = progress.next.max(next);
        Some(self)
    }

    /// Moves what is known of a token's drift by one step towards what a code
    /// has just shown: outward to `most` steps away from our clock. A drift that
    /// is farther out ([`State::follow`]) can only move inward.
    #[must_use]
    pub fn learn(mut self, token: TokenId, shown: i128, most: u16) -> Self {
        let progress = self.tokens.entry(token).or_default();
        let drift = i128::from(progress.drift);
        let towards = drift.saturating_add(shown.saturating_sub(drift).signum());
        let most = i128::from(most.max(progress.drift.unsigned_abs()));
        progress.drift =
            i16::try_from(towards.clamp(most.saturating_neg(), most)).unwrap_or(progress.drift);
        self
    }

    /// Takes a token's drift to be what two consecutive codes have shown, in
    /// steps, however far that is. A drift that the format cannot hold (16 bits)
    /// changes nothing.
    #[must_use]
    pub fn follow(mut self, token: TokenId, shown: i128) -> Self {
        let progress = self.tokens.entry(token).or_default();
        progress.drift = i16::try_from(shown).unwrap_or(progress.drift);
        self
    }

    /// Takes over what another state knows of one token.
    #[must_use]
    pub fn adopt(mut self, other: &Self, token: TokenId) -> Self {
        if let Some(theirs) = other.tokens.get(&token) {
            let ours = self.tokens.entry(token).or_insert(*theirs);
            *ours = (*ours).max(*theirs);
        }
        self
    }

    /// Forgets all wrong codes: nobody waits any more. Who logged in from where
    /// stays known.
    #[must_use]
    pub fn unlocked(mut self) -> Self {
        self.history.failures = 0;
        self.ledger.unlock();
        self
    }

    /// Spends a recovery code.
    #[must_use]
    pub fn spend_recovery(mut self, code: RecoveryId) -> Self {
        self.spent.insert(code);
        self
    }

    /// Notes an accepted login.
    #[must_use]
    pub fn succeeded(mut self, source: SourceId, now: UnixTime) -> Self {
        // Never backwards, even if the clock goes: merge takes the later one.
        let success = self.history.success.max(now.0);
        self.history = History {
            success,
            failures: 0,
            failure: self.history.failure,
        };
        self.ledger.succeeded(source, now);
        self
    }

    /// Notes a wrong answer. A guess at a code also counts for the throttle:
    /// strangers then wait `interval` seconds for each.
    #[must_use]
    pub fn failed(mut self, guess: Option<(SourceId, u64)>, now: UnixTime) -> Self {
        self.history.failures = self.history.failures.saturating_add(1);
        self.history.failure = self.history.failure.max(now.0);
        if let Some((source, interval)) = guess {
            self.ledger.failed(interval, source, now);
        }
        self
    }

    /// Remembers a place from which a code opened.
    #[must_use]
    pub fn remembering(mut self, place: PlaceId, now: UnixTime) -> Self {
        self.places.succeeded(place, now);
        self
    }

    /// Remembers a place no longer, from which a wrong code came.
    #[must_use]
    pub fn forgetting(mut self, place: PlaceId) -> Self {
        self.places.failed(place);
        self
    }

    /// The join of two copies of one user's state.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        for (token, theirs) in &other.tokens {
            self.tokens
                .entry(*token)
                .and_modify(|ours| *ours = (*ours).max(*theirs))
                .or_insert(*theirs);
        }
        self.spent.extend(&other.spent);
        self.history = self.history.merge(other.history);
        self.ledger.merge(&other.ledger);
        self.places.merge(&other.places);
        self
    }

    /// Makes room if there is none: forgets tokens and recovery codes that the
    /// record no longer has. Not before: a token that is put back must find its
    /// used codes used.
    #[must_use]
    pub fn with_room_for(mut self, record: &TokenFile) -> Self {
        if self.tokens.len() > MAX_TOKENS {
            let tokens: BTreeSet<_> = record.tokens().iter().map(Token::id).collect();
            self.tokens.retain(|id, _| tokens.contains(id));
        }
        if self.spent.len() > MAX_CODES {
            let codes: BTreeSet<_> = record
                .recovery()
                .into_iter()
                .flat_map(RecoverySet::ids)
                .collect();
            self.spent.retain(|id| codes.contains(id));
        }
        self.ledger.trim();
        self.places.trim();
        self
    }
}

/// How far one token was used. Ordered by `next` first: the copy that has seen
/// more logins knows the drift better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Progress {
    next: u64,
    drift: i16,
}

/// When logins with a code succeeded and failed, in seconds since the epoch; 0
/// for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The last accepted login.
    pub success: u64,
    /// Wrong guesses since then.
    pub failures: u32,
    /// The last wrong guess ever.
    pub failure: u64,
}

impl History {
    /// Failures are counted since a success, so the later success decides whose
    /// count it is; between equals, the higher.
    fn merge(self, other: Self) -> Self {
        let failures = match self.success.cmp(&other.success) {
            std::cmp::Ordering::Less => other.failures,
            std::cmp::Ordering::Equal => self.failures.max(other.failures),
            std::cmp::Ordering::Greater => self.failures,
        };
        Self {
            success: self.success.max(other.success),
            failures,
            failure: self.failure.max(other.failure),
        }
    }
}

#[cfg(test)]
mod tests;
