use super::slots::{Durability, FILE, SLOT, Slots, SlotsError};
use super::*;

const PHONE: TokenId = TokenId(*b"phone---");
const KEY: TokenId = TokenId(*b"key-----");

fn code(number: u8) -> RecoveryId {
    RecoveryId([number; 8])
}

fn source(number: u64) -> SourceId {
    SourceId(number.to_le_bytes())
}

/// A state out of a seed: enough variety for the algebra below.
fn arbitrary(seed: u64) -> State {
    let mut state = State::default();
    for (bit, token) in [PHONE, KEY].into_iter().enumerate() {
        let value = seed.rotate_left(u32::try_from(bit * 7).unwrap()) % 5;
        if value != 0 {
            state = state.spend(token, value).unwrap();
            state.tokens.get_mut(&token).unwrap().drift = i16::try_from(seed % 3).unwrap() - 1;
        }
    }
    for number in 0..4 {
        if seed >> (number + 9) & 1 == 1 {
            state = state.spend_recovery(code(number));
        }
    }
    if seed % 3 == 0 {
        state = state.succeeded(source(seed % 3), UnixTime(seed % 7));
    }
    for _ in 0..seed % 4 {
        let guess = (seed % 2 == 0).then(|| (source(seed % 5), 10));
        state = state.failed(guess, UnixTime(seed % 11));
    }
    state
}

fn seeds() -> impl Iterator<Item = u64> {
    // An interpreter has no time for more.
    let count = if cfg!(miri) { 4 } else { 60 };
    (1..count).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
}

#[test]
fn merge_is_commutative_associative_and_idempotent() {
    for a in seeds().map(arbitrary) {
        assert_eq!(a.clone().merge(&a), a);
        for b in seeds().map(arbitrary) {
            let ab = a.clone().merge(&b);
            assert_eq!(ab, b.clone().merge(&a));
            for c in seeds().take(12).map(arbitrary) {
                assert_eq!(ab.clone().merge(&c), a.clone().merge(&b.clone().merge(&c)));
            }
        }
    }
}

#[test]
fn merge_never_loses_a_spent_code() {
    for a in seeds().map(arbitrary) {
        for b in seeds().map(arbitrary) {
            let merged = a.clone().merge(&b);
            for token in [PHONE, KEY] {
                assert_eq!(merged.next(token), a.next(token).max(b.next(token)));
            }
            for number in 0..4 {
                let spent = a.is_spent(code(number)) || b.is_spent(code(number));
                assert_eq!(merged.is_spent(code(number)), spent);
            }
        }
    }
}

#[test]
fn spending_spends_all_below_and_never_gives_back() {
    let state = State::default().spend(PHONE, 10).unwrap();
    assert_eq!(state.next(PHONE), 11);
    assert_eq!(state.clone().spend(PHONE, 3).unwrap().next(PHONE), 11);
    assert_eq!(state.next(KEY), 0);
    assert!(state.spend(PHONE, u64::MAX).is_none());
}

#[test]
fn a_success_ends_the_count_of_failures() {
    let state = State::default()
        .failed(None, UnixTime(5))
        .failed(None, UnixTime(6));
    assert_eq!(
        state.history(),
        History {
            success: 0,
            failures: 2,
            failure: 6
        }
    );
    let state = state.succeeded(source(1), UnixTime(9));
    assert_eq!(
        state.history(),
        History {
            success: 9,
            failures: 0,
            failure: 6
        }
    );
}

#[test]
fn a_new_file_reads_as_what_was_put_in() {
    for state in seeds().map(arbitrary) {
        let file = Slots::create(&state).unwrap();
        assert_eq!(file.len(), FILE);
        assert_eq!(Slots::decode(&file).unwrap().state(), state);
    }
}

/// Applies an update to a file's content, as `pwrite` does.
fn written(file: &[u8], state: &State, durability: Durability) -> Vec<u8> {
    let write = Slots::decode(file)
        .unwrap()
        .update(state.clone(), durability)
        .unwrap();
    assert_eq!(write.bytes.len(), SLOT);
    let mut file = file.to_vec();
    let offset = usize::try_from(write.offset).unwrap();
    file[offset..offset + SLOT].copy_from_slice(&write.bytes);
    file
}

#[test]
fn the_newest_valid_slot_counts() {
    let mut file = Slots::create(&State::default()).unwrap();
    for (round, state) in seeds().map(arbitrary).enumerate() {
        let durability = if round % 3 == 0 {
            Durability::Flushed
        } else {
            Durability::Later
        };
        file = written(&file, &state, durability);
        assert_eq!(Slots::decode(&file).unwrap().state(), state);
    }
}

/// A state file, as the system shows it and as it lies on the disk.
struct Disk {
    on_disk: Vec<u8>,
    cached: Vec<u8>,
}

impl Disk {
    fn new() -> Self {
        let file = Slots::create(&State::default()).unwrap();
        Self {
            on_disk: file.clone(),
            cached: file,
        }
    }

    fn flush(&mut self) {
        self.on_disk.clone_from(&self.cached);
    }

    /// What a login does up to its own flush.
    fn write(&mut self, state: &State, durability: Durability) {
        let write = Slots::decode(&self.cached)
            .unwrap()
            .update(state.clone(), durability)
            .unwrap();
        if write.flush_first {
            self.flush();
        }
        let offset = usize::try_from(write.offset).unwrap();
        self.cached[offset..offset + SLOT].copy_from_slice(&write.bytes);
    }

    /// What a power failure may leave: of what was not flushed, each slot is
    /// old, new, or torn.
    fn cut(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        (0..9).map(|fates| {
            let mut left = self.on_disk.clone();
            for (slot, fate) in [(0, fates % 3), (1, fates / 3)] {
                let place = slot * SLOT..(slot + 1) * SLOT;
                match fate {
                    1 => left[place.clone()].copy_from_slice(&self.cached[place]),
                    2 if left[place.clone()] != self.cached[place.clone()] => {
                        left[slot * SLOT + 30] ^= 0xff;
                    }
                    _ => {}
                }
            }
            left
        })
    }
}

/// Every run of six logins that are refused, accepted, or killed just before
/// their flush; and every way in which the power can then fail.
///
/// Left out: two accepted ones after each other of which the first is killed.
/// If the power fails while the second writes, both slots may be lost; a flush
/// before every success would cost each login as much again.
#[test]
fn whatever_a_power_cut_leaves_no_flushed_state_is_lost() {
    let mut checked = 0;
    for plan in 0..3_u32.pow(6) {
        let events: Vec<_> = (0..6).map(|round| plan / 3_u32.pow(round) % 3).collect();
        if events.windows(2).any(|pair| pair[0] == 2 && pair[1] != 0) {
            continue;
        }
        let mut disk = Disk::new();
        let mut promised = 0;
        let mut state = State::default();
        for (round, event) in (0_u64..).zip(events) {
            let now = UnixTime(round + 1);
            if event == 0 {
                state = state.failed(Some((source(2), 10)), now);
                disk.write(&state, Durability::Later);
            } else {
                state = state.spend(PHONE, round).unwrap().succeeded(source(1), now);
                disk.write(&state, Durability::Flushed);
                if event == 1 {
                    disk.flush();
                    promised = state.next(PHONE);
                }
            }
            for left in disk.cut() {
                let read = Slots::decode(&left).unwrap().state();
                assert!(read.next(PHONE) >= promised, "plan {plan}, round {round}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 239 * 6 * 9);
}

#[test]
fn a_refused_login_never_touches_the_slot_that_holds_the_last_success() {
    let success = State::default().spend(PHONE, 1).unwrap();
    let mut file = written(
        &Slots::create(&State::default()).unwrap(),
        &success,
        Durability::Flushed,
    );
    let kept = Slots::decode(&file).unwrap();
    let mut offsets = Vec::new();
    for round in 0..5 {
        let state = success.clone().failed(None, UnixTime(round));
        let write = Slots::decode(&file)
            .unwrap()
            .update(state.clone(), Durability::Later)
            .unwrap();
        offsets.push(write.offset);
        file = written(&file, &state, Durability::Later);
    }
    offsets.dedup();
    assert_eq!(offsets.len(), 1, "always the same slot: {offsets:?}");
    // Tear it: the success is still there.
    file[usize::try_from(offsets[0]).unwrap() + 30] ^= 1;
    assert_eq!(Slots::decode(&file).unwrap().state(), kept.state());
}

#[test]
fn every_single_bit_that_flips_in_use_is_seen() {
    let state = arbitrary(0x1234_5678_9abc);
    let file = Slots::create(&state).unwrap();
    let used = file[..SLOT].iter().rposition(|byte| *byte != 0).unwrap();
    for place in 0..=used {
        for bit in 0..8 {
            let mut file = file.clone();
            file[place] ^= 1 << bit;
            file[SLOT + place] ^= 1 << bit;
            match Slots::decode(&file) {
                Err(SlotsError::Torn) => {}
                Err(SlotsError::Version(_)) => assert!((8..10).contains(&place)),
                other => panic!("byte {place} bit {bit}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_unusable_file_is_refused_by_what_is_wrong() {
    let file = Slots::create(&State::default()).unwrap();
    let said = |file: &[u8]| Slots::decode(file).unwrap_err().to_string();
    assert_eq!(said(b""), "it has 0 bytes, not 8192");
    assert_eq!(said(&file[..SLOT]), "it has 4096 bytes, not 8192");
    assert_eq!(said(&[0; FILE]), "neither of its two slots is valid");
    let mut newer = file.clone();
    newer[SLOT + 8] = 2;
    assert_eq!(
        said(&newer),
        "version 2 is not known here; this program reads version 1"
    );
}

#[test]
fn a_slot_that_claims_more_than_it_has_is_torn_not_a_crash() {
    let file = Slots::create(&State::default()).unwrap();
    for length in [0_u32, 5, 4072, 4073, 4096, u32::MAX] {
        let mut file = file.clone();
        for slot in [0, SLOT] {
            file[slot + 12..slot + 16].copy_from_slice(&length.to_le_bytes());
        }
        assert_eq!(Slots::decode(&file).unwrap_err(), SlotsError::Torn);
    }
}
