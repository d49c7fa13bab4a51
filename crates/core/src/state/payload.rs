//! A state as bytes, little-endian; specified in `docs/formats.md`.

use super::{History, Progress, State};
use crate::recovery::{MAX_CODES, RecoveryId};
use crate::remember::{Kind, MAX_PLACES, PlaceId, Visit};
use crate::source::SourceId;
use crate::throttle::{Ledger, MAX_SOURCES, Seen};
use crate::token::{MAX_TOKENS, TokenId};

/// Most bytes that [`encode`] gives: what the largest record needs.
pub(super) const MAX: usize =
    1 + MAX_TOKENS * 18 + 1 + MAX_CODES * 8 + 20 + 8 + 1 + MAX_SOURCES * 28 + 2 + MAX_PLACES * 34;

/// `None` if the state holds more than a record can have.
pub(super) fn encode(state: &State) -> Option<Vec<u8>> {
    let Ledger { sources, strangers } = &state.ledger;
    if state.tokens.len() > MAX_TOKENS
        || state.spent.len() > MAX_CODES
        || sources.len() > MAX_SOURCES
        || Kind::ALL
            .iter()
            .any(|kind| state.places.of(*kind).count() > MAX_PLACES)
    {
        return None;
    }
    let mut bytes = Vec::with_capacity(MAX);
    bytes.push(u8::try_from(state.tokens.len()).ok()?);
    for (id, progress) in &state.tokens {
        bytes.extend(id.0);
        bytes.extend(progress.next.to_le_bytes());
        bytes.extend(progress.drift.to_le_bytes());
    }
    bytes.push(u8::try_from(state.spent.len()).ok()?);
    for id in &state.spent {
        bytes.extend(id.0);
    }
    bytes.extend(state.history.success.to_le_bytes());
    bytes.extend(state.history.failures.to_le_bytes());
    bytes.extend(state.history.failure.to_le_bytes());
    bytes.extend(strangers.to_le_bytes());
    bytes.push(u8::try_from(sources.len()).ok()?);
    for (id, seen) in sources {
        bytes.extend(id.0);
        bytes.extend(seen.success.to_le_bytes());
        bytes.extend(seen.failures.to_le_bytes());
        bytes.extend(seen.failure.to_le_bytes());
    }
    for kind in Kind::ALL {
        bytes.push(u8::try_from(state.places.of(kind).count()).ok()?);
        for (place, visit) in state.places.of(kind) {
            bytes.extend(place.id);
            bytes.extend(visit.success.to_le_bytes());
            bytes.push(u8::from(visit.ended));
        }
    }
    Some(bytes)
}

/// `None` unless the bytes are just what [`encode`] gives.
pub(super) fn decode(bytes: &[u8]) -> Option<State> {
    let mut rest = bytes;
    let mut state = State::default();
    let [tokens] = take(&mut rest)?;
    for _ in 0..tokens {
        let id = TokenId(take(&mut rest)?);
        let next = u64::from_le_bytes(take(&mut rest)?);
        let drift = i16::from_le_bytes(take(&mut rest)?);
        state.tokens.insert(id, Progress { next, drift });
    }
    let [spent] = take(&mut rest)?;
    for _ in 0..spent {
        state.spent.insert(RecoveryId(take(&mut rest)?));
    }
    state.history = History {
        success: u64::from_le_bytes(take(&mut rest)?),
        failures: u32::from_le_bytes(take(&mut rest)?),
        failure: u64::from_le_bytes(take(&mut rest)?),
    };
    state.ledger.strangers = u64::from_le_bytes(take(&mut rest)?);
    let [sources] = take(&mut rest)?;
    for _ in 0..sources {
        let id = SourceId(take(&mut rest)?);
        let seen = Seen {
            success: u64::from_le_bytes(take(&mut rest)?),
            failures: u32::from_le_bytes(take(&mut rest)?),
            failure: u64::from_le_bytes(take(&mut rest)?),
        };
        state.ledger.sources.insert(id, seen);
    }
    for kind in Kind::ALL {
        let [places] = take(&mut rest)?;
        for _ in 0..places {
            let id = take(&mut rest)?;
            let success = u64::from_le_bytes(take(&mut rest)?);
            let [ended] = take(&mut rest)?;
            let visit = Visit {
                success,
                ended: ended != 0,
            };
            state.places.0.insert(PlaceId { kind, id }, visit);
        }
    }
    // Counts above the maximum, doubles and anything left over end here.
    (encode(&state)?.as_slice() == bytes).then_some(state)
}

/// Takes the next `N` bytes off.
pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}
