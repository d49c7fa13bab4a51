//! Does this answer open? A pure function of record, state, answer and time.
//!
//! Nothing here touches a file: [`verify`] gives a [`Decision`], and the only
//! way to its [`Verdict`] leads through writing the new state down.

use subtle::ConstantTimeEq;

use crate::answer::Answer;
use crate::code::Code;
use crate::recovery::RecoveryCode;
use crate::state::State;
use crate::state::slots::Durability;
use crate::time::UnixTime;
use crate::token::{Kind, Token, TokenFile};

/// How far from the expected code an answer may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// TOTP: steps accepted before and after the present one.
    pub window: u64,
    /// HOTP: counter values tried from the next one on.
    pub look_ahead: u64,
}

/// HOTP values below the next one that are recognised, so that the log can say
/// "used" instead of "wrong". They never open.
const HOTP_LOOK_BACK: u64 = 3;

/// Decides about one answer.
///
/// A code opens if it belongs to a moving factor within the rules that is not
/// below the token's [`State::next`]: RFC 6238, section 5.2, and RFC 4226,
/// section 7.2. The first token with such a code counts.
pub fn verify(
    record: &TokenFile,
    state: &State,
    answer: &Answer,
    rules: Rules,
    now: UnixTime,
) -> Decision {
    match answer {
        Answer::Empty => Decision::ignore(Refusal::Empty),
        Answer::Malformed => Decision::ignore(Refusal::Malformed),
        Answer::Recovery(code) => verify_recovery(record, state, code, now),
        Answer::Code(code) => verify_code(record, state, code, rules, now),
    }
}

fn verify_code(
    record: &TokenFile,
    state: &State,
    code: &Code,
    rules: Rules,
    now: UnixTime,
) -> Decision {
    let mut used = false;
    for token in record.tokens() {
        match find(token, state, code, rules, now) {
            Some(Match::Open(moving_factor)) => {
                let Some(spent) = state.clone().spend(token.id(), moving_factor) else {
                    return Decision::ignore(Refusal::Exhausted);
                };
                return Decision::accept(Means::Token(token.name.to_string()), spent, now);
            }
            Some(Match::Used) => used = true,
            None => {}
        }
    }
    if used {
        // No guess: whoever sends it has seen the code. Not counted against
        // the owner, who may have pressed enter twice.
        return Decision::ignore(Refusal::Used);
    }
    Decision::refuse(Refusal::Wrong, state, now)
}

enum Match {
    /// The highest moving factor that the code is right for. Two within reach
    /// may have the same digits; spending the lower one would leave the code
    /// good for another login.
    Open(u64),
    /// Right, but spent.
    Used,
}

/// Compares the code with every candidate, match or no match: how long it takes
/// says nothing about which.
fn find(token: &Token, state: &State, code: &Code, rules: Rules, now: UnixTime) -> Option<Match> {
    let generator = token.generator();
    let (next, candidates) = match token.kind {
        Kind::Totp { period } => {
            let next = state.next(token.id());
            let drift = i64::from(state.drift(token.id()));
            let centre = period.step_at(now).saturating_add_signed(drift);
            (
                next,
                centre.saturating_sub(rules.window)..=centre.saturating_add(rules.window),
            )
        }
        Kind::Hotp { counter } => {
            let next = state.next(token.id()).max(counter);
            let last = next.saturating_add(rules.look_ahead.saturating_sub(1));
            (next, next.saturating_sub(HOTP_LOOK_BACK)..=last)
        }
    };
    candidates.fold(None, |found, moving_factor| {
        let equal = bool::from(generator.code(moving_factor).ct_eq(code));
        match found {
            _ if equal && moving_factor >= next => Some(Match::Open(moving_factor)),
            None if equal => Some(Match::Used),
            _ => found,
        }
    })
}

fn verify_recovery(
    record: &TokenFile,
    state: &State,
    code: &RecoveryCode,
    now: UnixTime,
) -> Decision {
    let Some(set) = record.recovery() else {
        return Decision::refuse(Refusal::Wrong, state, now);
    };
    match set.find(code) {
        Some(id) if state.is_spent(id) => Decision::ignore(Refusal::Used),
        Some(id) => {
            let spent = state.clone().spend_recovery(id);
            let left = set.ids().filter(|id| !spent.is_spent(*id)).count();
            Decision::accept(Means::Recovery { left }, spent, now)
        }
        None => Decision::refuse(Refusal::Wrong, state, now),
    }
}

/// Whether a code is right for some time-based token of this record now, used
/// or not. Helps to split a field; decides nothing.
#[must_use]
pub fn fits(record: &TokenFile, code: &Code, rules: Rules, now: UnixTime) -> bool {
    let fresh = State::default();
    let timed = record
        .tokens()
        .iter()
        .filter(|token| matches!(token.kind, Kind::Totp { .. }));
    timed.fold(false, |fits, token| {
        fits | find(token, &fresh, code, rules, now).is_some()
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
    /// no verdict.
    ///
    /// # Errors
    ///
    /// Whatever `write` fails with.
    pub fn settle<E>(
        self,
        write: impl FnOnce(State, Durability) -> Result<(), E>,
    ) -> Result<Verdict, E> {
        if let Some((state, durability)) = self.update {
            write(state, durability)?;
        }
        Ok(self.verdict)
    }

    fn accept(means: Means, spent: State, now: UnixTime) -> Self {
        Self {
            verdict: Verdict::Accepted(Accepted { means }),
            update: Some((spent.succeeded(now), Durability::Flushed)),
        }
    }

    fn refuse(refusal: Refusal, state: &State, now: UnixTime) -> Self {
        Self {
            verdict: Verdict::Refused(refusal),
            update: Some((state.clone().failed(now), Durability::Later)),
        }
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
}

impl Accepted {
    /// What the answer was.
    #[must_use]
    pub fn means(&self) -> &Means {
        &self.means
    }
}

/// What opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// A code of the token with this name.
    Token(String),
    /// A recovery code.
    Recovery {
        /// How many are left.
        left: usize,
    },
}

/// Why an answer did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No code of any token now.
    Wrong,
    /// Right, but it opened before, or a later one did.
    Used,
    /// Nothing was typed.
    Empty,
    /// Not the form of a code.
    Malformed,
    /// A counter at its end: the token must be replaced.
    Exhausted,
}

impl Refusal {
    /// The reason word of log lines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Wrong => "wrong_code",
            Self::Used => "used_code",
            Self::Empty => "no_code",
            Self::Malformed => "malformed_code",
            Self::Exhausted => "exhausted_counter",
        }
    }
}

#[cfg(test)]
mod tests;
