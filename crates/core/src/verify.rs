//! Does this answer open? A pure function of record, state, answer and time.
//!
//! Nothing here touches a file: [`verify`] gives a [`Decision`], and the only
//! way to its [`Verdict`] leads through writing the new state down.

use crate::answer::Answer;
use crate::code::Code;
use crate::legacy::ScratchCodes;
use crate::names::Keys;
use crate::recovery::{RecoveryCode, RecoveryId};
use crate::remember::Place;
use crate::source::{Source, SourceId};
use crate::state::State;
use crate::state::slots::Durability;
use crate::throttle::{self, Throttle};
use crate::time::{Period, UnixTime};
use crate::token::{Kind, Token, TokenFile, TokenId};

mod find;
mod resync;

pub use resync::resync;

use find::{Match, Reach};

/// How far from the expected code an answer may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// TOTP: steps accepted before and after the present one.
    pub window: u64,
    /// HOTP: counter values tried from the next one on.
    pub look_ahead: u64,
    /// TOTP: most steps by which codes that open may teach that a token's clock
    /// is off. Two consecutive ones may teach more: [`resync`].
    pub drift: u16,
    /// How patient to be with wrong guesses.
    pub throttle: Throttle,
    /// Seconds for which a success lasts for others from the same place; 0: not
    /// at all.
    pub remember: u64,
}

impl Rules {
    /// Seconds until nobody has to wait any more who has guessed at this record;
    /// 0 if nobody has to.
    #[must_use]
    pub fn longest_wait(&self, record: &TokenFile, state: &State, now: UnixTime) -> u64 {
        let interval = self.interval(record, state, now);
        state.ledger().longest_wait(self.throttle, interval, now)
    }

    /// Seconds that strangers wait for one more guess at this record.
    fn interval(&self, record: &TokenFile, state: &State, now: UnixTime) -> u64 {
        let keys = Keys::of(record);
        self.interval_within(record, state, &reaches(record, &keys, state, *self, now))
    }

    /// The same, for who knows already what each token's codes may belong to.
    fn interval_within(&self, record: &TokenFile, state: &State, reaches: &[Reach<'_>]) -> u64 {
        let tokens = record.tokens().iter().zip(reaches);
        let chances = tokens.map(|(token, reach)| {
            let codes = match token.kind {
                Kind::Totp { .. } => reach.steps(),
                Kind::Hotp { .. } => self.look_ahead,
            };
            token.digits.chance().saturating_mul(codes)
        });
        let scratch = record.scratch().map_or(0, |codes| {
            let good = codes.ids().filter(|id| !state.is_spent(*id)).count();
            ScratchCodes::CHANCE.saturating_mul(good as u64)
        });
        throttle::interval(chances.fold(scratch, u64::saturating_add))
    }
}

/// Decides about one answer.
///
/// A code opens if it belongs to a moving factor within the rules that is not
/// below the token's [`State::next`]: RFC 6238, section 5.2, and RFC 4226,
/// section 7.2. The first token with such a code counts.
pub fn verify(
    record: &TokenFile,
    state: &State,
    answer: &Answer,
    source: &Source,
    rules: Rules,
    now: UnixTime,
) -> Decision {
    let keys = Keys::of(record);
    let login = Login::new(record, &keys, state, source, rules, now);
    match answer {
        Answer::Empty => Decision::ignore(Refusal::Empty),
        Answer::Malformed => Decision::ignore(Refusal::Malformed),
        Answer::Recovery(code) => login.verify_recovery(code),
        Answer::Code(code) => login.verify_code(code),
    }
}

/// All that one decision depends on, but the answer.
struct Login<'a> {
    record: &'a TokenFile,
    keys: &'a Keys,
    state: &'a State,
    source: SourceId,
    place: Option<&'a Place>,
    /// Of each token, in the record's order.
    reaches: Vec<Reach<'a>>,
    rules: Rules,
    now: UnixTime,
}

impl<'a> Login<'a> {
    fn new(
        record: &'a TokenFile,
        keys: &'a Keys,
        state: &'a State,
        source: &'a Source,
        rules: Rules,
        now: UnixTime,
    ) -> Self {
        Self {
            record,
            keys,
            state,
            source: source.id_by(keys),
            place: source.place(),
            reaches: reaches(record, keys, state, rules, now),
            rules,
            now,
        }
    }

    fn verify_code(&self, code: &Code) -> Decision {
        self.guess(
            |token, reach| reach.find(token, code),
            |state, token, reach, moving_factor| {
                let state = self.open(state, token, reach.key.id, moving_factor)?;
                Some((state, Means::Token(token.name.to_string())))
            },
            || self.record.scratch()?.find(code),
            || {
                let other_time = self
                    .tokens()
                    .find_map(|(token, reach)| reach.elsewhere(token, code, self.now));
                other_time.map_or(Refusal::Wrong, |seconds| Refusal::OtherTime { seconds })
            },
        )
    }

    /// Decides about what can be guessed: `find` says what it is for a token,
    /// `open` spends what opens (`None` if a counter is at its end), `scratch`
    /// says which scratch code it is, `wrong` why it is for none.
    fn guess(
        &self,
        find: impl Fn(&Token, &Reach<'_>) -> Option<Match>,
        open: impl Fn(State, &Token, &Reach<'_>, u64) -> Option<(State, Means)>,
        scratch: impl FnOnce() -> Option<RecoveryId>,
        wrong: impl FnOnce() -> Refusal,
    ) -> Decision {
        let rules = self.rules;
        let interval = rules.interval_within(self.record, self.state, &self.reaches);
        let throttle = self.rules.throttle;
        let ledger = self.state.ledger();
        if let Some(seconds) = ledger.wait(throttle, interval, self.source, self.now) {
            // Not looked at: a guess that is not made needs no record.
            return Decision::ignore(Refusal::Throttled { seconds });
        }
        let mut opened: Option<(State, Means)> = None;
        let mut refusal = None;
        for (token, reach) in self.tokens() {
            match find(token, reach) {
                // All tokens that it is right for are spent, so that it is
                // right for none of them any more. The first one is named.
                Some(Match::Open(moving_factor)) => {
                    let (state, first) = match opened {
                        Some((state, first)) => (state, Some(first)),
                        None => (self.state.clone(), None),
                    };
                    let Some((state, means)) = open(state, token, reach, moving_factor) else {
                        return Decision::ignore(Refusal::Exhausted);
                    };
                    opened = Some((state, first.unwrap_or(means)));
                }
                // No guess: whoever sends it has seen the code. Not counted
                // against the owner, who may have pressed enter twice.
                Some(Match::Used) => refusal = Some(Refusal::Used),
                Some(Match::Ahead) => refusal = Some(Refusal::Ahead),
                None => {}
            }
        }
        match scratch() {
            Some(id) if self.state.is_spent(id) => refusal = Some(Refusal::Used),
            Some(id) => {
                let (state, first) = opened.take().map_or_else(
                    || (self.state.clone(), None),
                    |(state, means)| (state, Some(means)),
                );
                let (state, means) = self.spend_recovery(state, id);
                opened = Some((state, first.unwrap_or(means)));
            }
            None => {}
        }
        if let Some((state, means)) = opened {
            return self.accept(means, state);
        }
        if let Some(refusal) = refusal {
            return Decision::ignore(refusal);
        }
        self.refuse(wrong(), Some((self.source, interval)))
    }

    fn tokens(&self) -> impl Iterator<Item = (&Token, &Reach<'a>)> {
        self.record.tokens().iter().zip(&self.reaches)
    }

    /// Spends a code, and learns from it how far the token's clock is off.
    /// `None` if its counter is at its end.
    fn open(&self, state: State, token: &Token, id: TokenId, moving_factor: u64) -> Option<State> {
        let spent = state.spend(id, moving_factor)?;
        Some(match token.kind {
            Kind::Totp { period } => {
                let ahead = self.steps_ahead(period, moving_factor);
                spent.learn(id, ahead, self.rules.drift)
            }
            Kind::Hotp { .. } => spent,
        })
    }

    /// How many steps a code's step is ahead of ours; negative: behind.
    fn steps_ahead(&self, period: Period, step: u64) -> i128 {
        let here = period.step_at(self.now);
        i128::from(step).saturating_sub(i128::from(here))
    }

    /// Never throttled, and never counted for the throttle: 80 bits cannot be
    /// guessed, and the owner needs a way in while others guess.
    fn verify_recovery(&self, code: &RecoveryCode) -> Decision {
        let Some(set) = self.record.recovery() else {
            return self.refuse(Refusal::Wrong, None);
        };
        match set.find(code) {
            Some(id) if self.state.is_spent(id) => Decision::ignore(Refusal::Used),
            Some(id) => {
                let (spent, means) = self.spend_recovery(self.state.clone(), id);
                self.accept(means, spent)
            }
            None => self.refuse(Refusal::Wrong, None),
        }
    }

    /// Spends a recovery code or a scratch code.
    fn spend_recovery(&self, state: State, id: RecoveryId) -> (State, Means) {
        let state = state.spend_recovery(id);
        let left = self.record.recovery_left(&state);
        (state, Means::Recovery { left })
    }

    fn accept(&self, means: Means, spent: State) -> Decision {
        let state = spent.succeeded(self.source, self.now);
        let state = match self.place.filter(|_| self.rules.remember > 0) {
            Some(place) => state.remembering(place.id_by(self.keys), self.now),
            None => state,
        };
        Decision {
            verdict: Verdict::Accepted(Accepted {
                means,
                kept: Kept::OnDisk,
            }),
            update: Some((state, Durability::Flushed)),
        }
    }

    fn refuse(&self, refusal: Refusal, guess: Option<(SourceId, u64)>) -> Decision {
        let state = self.state.clone().failed(guess, self.now);
        // Whatever this service remembers: another one may.
        let state = match self.place {
            Some(place) => state.forgetting(place.id_by(self.keys)),
            None => state,
        };
        Decision {
            verdict: Verdict::Refused(refusal),
            update: Some((state, Durability::Later)),
        }
    }
}

/// What the codes of each token may belong to now.
fn reaches<'k>(
    record: &TokenFile,
    keys: &'k Keys,
    state: &State,
    rules: Rules,
    now: UnixTime,
) -> Vec<Reach<'k>> {
    let tokens = record.tokens().iter().zip(keys.iter());
    let reaches = tokens.map(|(token, key)| Reach::of(token, key, state, rules, now));
    reaches.collect()
}

/// Whether a code is right for some time-based token of this record now, or one
/// of its scratch codes, used or not. Helps to split a field; decides nothing.
#[must_use]
pub fn fits(record: &TokenFile, code: &Code, rules: Rules, now: UnixTime) -> bool {
    let (fresh, keys) = (State::default(), Keys::of(record));
    let tokens = record.tokens().iter().zip(keys.iter());
    let timed = tokens.filter(|(token, _)| matches!(token.kind, Kind::Totp { .. }));
    let scratch = record.scratch().and_then(|codes| codes.find(code));
    timed.fold(scratch.is_some(), |fits, (token, key)| {
        fits | Reach::of(token, key, &fresh, rules, now)
            .find(token, code)
            .is_some()
    })
}

/// Steps by which a token's known drift may have moved since a code opened.
const MOVED: u64 = 2;

/// Whether a code is, or was at that time, one of this record that can open no
/// more. Helps to find the end of a password. Of a code that still can, nothing
/// is told: nobody counts here who guesses.
pub(crate) fn is_spent(
    record: &TokenFile,
    state: &State,
    code: &Code,
    rules: Rules,
    time: UnixTime,
) -> bool {
    let rules = Rules {
        window: rules.window.saturating_add(MOVED),
        ..rules
    };
    let keys = Keys::of(record);
    let tokens = record.tokens().iter().zip(keys.iter());
    tokens.fold(false, |spent, (token, key)| {
        let found = Reach::of(token, key, state, rules, time).find(token, code);
        spent | matches!(found, Some(Match::Used))
    })
}

/// What was decided, and the state that must be written before it is told.
#[derive(Debug)]
#[must_use]
pub struct Decision {
    verdict: Verdict,
    update: Option<(State, Durability)>,
}

impl Decision {
    /// Writes the new state, then tells the verdict. If writing fails there is
    /// no verdict. `write` tells where the state is kept now.
    ///
    /// # Errors
    ///
    /// Whatever `write` fails with.
    pub fn settle<E>(
        mut self,
        write: impl FnOnce(State, Durability) -> Result<Kept, E>,
    ) -> Result<Verdict, E> {
        if let Some((state, durability)) = self.update {
            let kept = write(state, durability)?;
            if let Verdict::Accepted(accepted) = &mut self.verdict {
                accepted.kept = kept;
            }
        }
        Ok(self.verdict)
    }

    fn ignore(refusal: Refusal) -> Self {
        Self {
            verdict: Verdict::Refused(refusal),
            update: None,
        }
    }
}

/// The end of a decision.
#[derive(Debug)]
pub enum Verdict {
    /// The answer opened, once.
    Accepted(Accepted),
    /// It did not.
    Refused(Refusal),
}

/// Proof that an answer opened. Only this module can make one, and it is let
/// out only after the spent code is on disk ([`Decision::settle`]).
#[derive(Debug)]
pub struct Accepted {
    means: Means,
    kept: Kept,
}

impl Accepted {
    /// What the answer was.
    #[must_use]
    pub fn means(&self) -> &Means {
        &self.means
    }

    /// Where it stands that the answer is spent.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.kept
    }
}

/// Where a state was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the record's state file.
    OnDisk,
    /// In root's copy under /run: the disk did not take it, and the policy
    /// bears that.
    InMemory,
}

/// What opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// A code of the token with this name.
    Token(String),
    /// A recovery code, or a scratch code of another program's file.
    Recovery {
        /// How many are left.
        left: usize,
    },
    /// Two consecutive codes of a token: only [`resync`] takes them.
    Resync {
        /// The token's name.
        token: String,
        /// Seconds by which its clock is ahead of ours; negative: behind. A
        /// multiple of its period. `None` for a counter, which has no clock.
        seconds: Option<i64>,
    },
}

/// Why an answer did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No code of any token now.
    Wrong,
    /// Right, but it opened before, or a later one did.
    Used,
    /// Right, but the last code that opened lies in the future: the host's clock
    /// was wrong then, or is now.
    Ahead,
    /// Right for another time, near enough to say by how much.
    OtherTime {
        /// Seconds by which the token's clock is ahead of ours; negative: behind.
        seconds: i64,
    },
    /// Nothing was typed.
    Empty,
    /// Not the form of a code.
    Malformed,
    /// A counter at its end: the token must be replaced.
    Exhausted,
    /// Not looked at: too many wrong guesses before it.
    Throttled {
        /// Until this source may guess again.
        seconds: u64,
    },
}

impl Refusal {
    /// The reason word of log lines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Wrong => "wrong_code",
            Self::Used => "used_code",
            Self::Ahead => "clock_was_ahead",
            Self::OtherTime { .. } => "other_time",
            Self::Empty => "no_code",
            Self::Malformed => "malformed_code",
            Self::Exhausted => "exhausted_counter",
            Self::Throttled { .. } => "throttled",
        }
    }
}

#[cfg(test)]
mod tests;
