//! Where a login with a code is remembered, and for how long.
//!
//! A *place* is a network address, or a terminal of a login session. A success
//! with a code is noted there if the policy remembers. Until the policy's time is
//! over, further logins of the same user from there need no code. They write
//! nothing, so they never make the time longer; a wrong code from there ends it.
//!
//! That is a list of its own beside the throttle's sources: who is known to it
//! for 90 days and who is remembered have nothing to do with each other, and many
//! terminals cannot displace the owner's known address.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::names::Keys;
use crate::session::Session;
use crate::source::Source;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::{Rules, is_spent};

/// Most places of one kind that a state remembers.
pub const MAX_PLACES: usize = 16;

/// A place that can be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    kind: Kind,
    name: String,
}

/// Each kind has its own room in a state: terminals come and go, and must not
/// displace addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Network,
    Session,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Network, Self::Session];
}

impl Place {
    /// A network, or an address, as `net` and what it is.
    pub(crate) fn network(name: String) -> Self {
        Self {
            kind: Kind::Network,
            name,
        }
    }

    /// A terminal of a session, and who asks there: su makes somebody else of
    /// the person at the terminal.
    pub(crate) fn session(session: &Session, terminal: &str, who: &str) -> Self {
        // Some applications name the file, others the line.
        let terminal = terminal.strip_prefix("/dev/").unwrap_or(terminal);
        let session = session.name();
        Self {
            kind: Kind::Session,
            name: format!("session {session}\0{terminal}\0{who}"),
        }
    }

    /// The name under which a state remembers it. It depends on all tokens: none
    /// can be replaced, added or removed without all being forgotten.
    #[must_use]
    pub fn id(&self, record: &TokenFile) -> PlaceId {
        self.id_by(&Keys::of(record))
    }

    /// The same, for who has the record's keys.
    pub(crate) fn id_by(&self, keys: &Keys) -> PlaceId {
        let mut parts: Vec<&[u8]> = vec![b"pam-otp place 2"];
        parts.extend(keys.iter().map(|key| key.id.0.as_slice()));
        parts.push(self.name.as_bytes());
        PlaceId {
            kind: self.kind,
            id: keys.name(&parts),
        }
    }
}

/// A place in a state: derived, not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceId {
    pub(crate) kind: Kind,
    pub(crate) id: [u8; 8],
}

/// The last success at a place. Ordered, and the greater one counts: the later,
/// and of two at the same time the one that a wrong code has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Visit {
    /// In seconds since the epoch.
    pub(crate) success: u64,
    /// A wrong code came from there since.
    pub(crate) ended: bool,
}

/// All places that a state remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(pub(crate) BTreeMap<PlaceId, Visit>);

impl Places {
    /// Notes a success with a code.
    pub(crate) fn succeeded(&mut self, place: PlaceId, now: UnixTime) {
        let visit = self.0.entry(place).or_default();
        *visit = Visit {
            // Never backwards, even if the clock goes: merge takes the later one.
            success: visit.success.max(now.0),
            ended: false,
        };
    }

    /// Ends what is remembered of a place where a wrong code was typed.
    pub(crate) fn failed(&mut self, place: PlaceId) {
        if let Some(visit) = self.0.get_mut(&place) {
            visit.ended = true;
        }
    }

    /// When the last success was that is remembered now, if there is one. One in
    /// the future is that of a clock which was wrong.
    fn success(&self, place: PlaceId, remember: u64, now: UnixTime) -> Option<UnixTime> {
        let visit = self.0.get(&place).filter(|visit| !visit.ended)?;
        let age = now.0.checked_sub(visit.success)?;
        (age < remember).then_some(UnixTime(visit.success))
    }

    /// The join of two copies.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (place, theirs) in &other.0 {
            let ours = self.0.entry(*place).or_default();
            *ours = (*ours).max(*theirs);
        }
    }

    /// Keeps as many places of each kind as there is room for: the latest.
    pub(crate) fn trim(&mut self) {
        for kind in Kind::ALL {
            while self.of(kind).count() > MAX_PLACES {
                let oldest = self.of(kind).min_by_key(|(_, visit)| *visit);
                let Some(oldest) = oldest.map(|(place, _)| place) else {
                    break;
                };
                self.0.remove(&oldest);
            }
        }
    }

    /// Those of one kind, ordered by id.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = (PlaceId, Visit)> {
        let places = self.0.iter().map(|(place, visit)| (*place, *visit));
        places.filter(move |(place, _)| place.kind == kind)
    }
}

/// A login that needs no code, because one was typed there lately.
#[derive(Clone, Debug)]
pub struct Remembered {
    state: State,
    rules: Rules,
    /// Times around which codes may stand in a field.
    times: [UnixTime; 2],
}

/// Whether the policy and the state remember this source.
#[must_use]
pub fn remembered(
    record: &TokenFile,
    state: &State,
    source: &Source,
    rules: Rules,
    now: UnixTime,
) -> Option<Remembered> {
    let place = source.place()?.id(record);
    let success = state.places().success(place, rules.remember, now)?;
    Some(Remembered {
        state: state.clone(),
        rules,
        times: [success, now],
    })
}

impl Remembered {
    /// The password in a field that may hold a code too. Programs that keep what
    /// was typed once send the old code again with each request; it is not judged,
    /// and does not belong to the password. A code that was not used yet does: to
    /// take it off would tell that it is right.
    #[must_use]
    pub fn password<'f>(&self, record: &TokenFile, field: &'f [u8]) -> &'f [u8] {
        let lengths: Vec<_> = record.tokens().iter().map(|token| token.digits).collect();
        Answer::strip(field, &lengths, |answer| match answer {
            Answer::Code(code) => self
                .times
                .iter()
                .any(|time| is_spent(record, &self.state, code, self.rules, *time)),
            Answer::Recovery(code) => {
                let id = record.recovery().and_then(|set| set.find(code));
                id.is_some_and(|id| self.state.is_spent(id))
            }
            Answer::Empty | Answer::Malformed => false,
        })
    }
}

#[cfg(test)]
mod tests;
