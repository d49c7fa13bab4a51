use super::slots::{Durability, FILE, SLOT, Slots, SlotsError};
use super::*;
use crate::remember::Kind;

const PHONE: TokenId = TokenId(*b"phone---");
const KEY: TokenId = TokenId(*b"key-----");

fn code(number: u8) -> RecoveryId {
    RecoveryId([number; 8])
}

fn source(number: u64) -> SourceId {
    SourceId(number.to_le_bytes())
}

fn place(kind: Kind, number: u64) -> PlaceId {
    PlaceId {
        kind,
        id: number.to_le_bytes(),
    }
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
    for number in 0..3 {
        let place = place(Kind::ALL[usize::from(number % 2 == 0)], number);
        match (seed >> (3 * number + 14)) & 3 {
            0 => {}
            1 => state = state.remembering(place, UnixTime(seed % 5)),
            _ => {
                let noted = state.remembering(place, UnixTime(seed % 5 + number));
                state = noted.forgetting(place);
            }
        }
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
    platter: Vec<u8>,
    cached: Vec<u8>,
    /// Of the file's time of modification.
    nanoseconds: u64,
}

impl Disk {
    fn new() -> Self {
        let file = Slots::create(&State::default()).unwrap();
        Self {
            platter: file.clone(),
            cached: file,
            nanoseconds: 0,
        }
    }

    fn flush(&mut self) {
        self.platter.clone_from(&self.cached);
    }

    /// What a login does up to its own flush; returns the mark to leave after.
    fn write(&mut self, state: &State, durability: Durability) -> u64 {
        let write = Slots::decode(&self.cached)
            .unwrap()
            .marked(self.nanoseconds.into())
            .update(state.clone(), durability)
            .unwrap();
        if write.flush_first {
            self.flush();
        }
        let offset = usize::try_from(write.offset).unwrap();
        self.cached[offset..offset + SLOT].copy_from_slice(&write.bytes);
        self.nanoseconds = 0;
        write.mark
    }

    /// What a power failure may leave: of what was not flushed, each slot is
    /// old, new, or torn.
    fn cut(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        (0..9).map(|fates| {
            let mut left = self.platter.clone();
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

/// Every run of six logins that are refused, accepted, or killed just before or
/// just after their flush; and every way in which the power can then fail.
#[test]
fn whatever_a_power_cut_leaves_no_flushed_state_is_lost() {
    const REFUSED: u32 = 0;
    const KILLED: u32 = 1;
    const FLUSHED: u32 = 2;
    const MARKED: u32 = 3;
    let mut checked = 0;
    for plan in 0..4_u32.pow(6) {
        let mut disk = Disk::new();
        let mut promised = 0;
        let mut state = State::default();
        for round in 0..6 {
            let event = plan / 4_u32.pow(round) % 4;
            let step = u64::from(round);
            let now = UnixTime(step + 1);
            if event == REFUSED {
                state = state.failed(Some((source(2), 10)), now);
                disk.write(&state, Durability::Later);
            } else {
                state = state.spend(PHONE, step).unwrap().succeeded(source(1), now);
                let mark = disk.write(&state, Durability::Flushed);
                if event != KILLED {
                    disk.flush();
                }
                if event == MARKED {
                    disk.nanoseconds = mark;
                }
                // Who is told of a success is told after the mark; but a flush
                // alone must do, for the mark may fail.
                if event == FLUSHED || event == MARKED {
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
    assert_eq!(checked, 4096 * 6 * 9);
}

/// Flushes of their own are one each, but after a login that was killed.
#[test]
fn only_after_a_write_without_its_mark_the_next_one_flushes_first() {
    let success = |step: u64| State::default().spend(PHONE, step).unwrap();
    let first_flushes = |nanoseconds: u64, file: &[u8], durability| {
        let slots = Slots::decode(file).unwrap().marked(nanoseconds.into());
        slots.update(success(2), durability).unwrap().flush_first
    };
    let new = Slots::create(&State::default()).unwrap();
    let mark = Slots::decode(&new)
        .unwrap()
        .update(success(1), Durability::Flushed)
        .unwrap()
        .mark;
    let used = written(&new, &success(1), Durability::Flushed);
    for durability in [Durability::Flushed, Durability::Later] {
        assert!(!first_flushes(0, &new, durability));
        assert!(!first_flushes(mark, &used, durability));
        assert!(first_flushes(mark + 1000, &used, durability));
        assert!(first_flushes(0, &used, durability));
    }
    // The mark of a write that is not flushed vouches for nothing.
    let refused = written(&used, &success(1), Durability::Later);
    assert!(!first_flushes(mark, &refused, Durability::Later));
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
    // An older one too: what it holds goes by other names.
    for version in [1, 3] {
        let mut other = file.clone();
        other[SLOT + 8] = version;
        let expected = format!("version {version} is not known here; this program reads version 2");
        assert_eq!(said(&other), expected);
    }
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

#[test]
fn what_two_codes_showed_is_followed_and_one_code_takes_it_no_farther_out() {
    let drift = |start: i128, shown: i128| {
        let state = State::default().follow(PHONE, start);
        state.learn(PHONE, shown, 2).drift(PHONE)
    };
    for (start, shown, expected) in [
        (120, 121, 120),
        (120, 120, 120),
        (120, 119, 119),
        (120, -500, 119),
        (-120, -121, -120),
        (-120, -119, -119),
        // Within the bound, out to the bound.
        (1, 9, 2),
        (2, 9, 2),
        (-2, -9, -2),
        (3, 0, 2),
        (i128::from(i16::MAX), i128::MAX, i16::MAX),
        (i128::from(i16::MIN), i128::MIN, i16::MIN),
        (i128::from(i16::MIN), 0, i16::MIN + 1),
    ] {
        assert_eq!(drift(start, shown), expected, "{start}, then {shown}");
    }
    let state = State::default().follow(PHONE, 5);
    assert_eq!(state.clone().follow(PHONE, 40_000), state, "no room for it");
}

#[test]
fn the_largest_state_is_as_long_as_the_format_says_and_reads_as_it_was() {
    let mut state = State::default();
    for number in 0..40_u8 {
        if number < 16 {
            state = state.spend(TokenId([number; 8]), 7).unwrap();
        }
        if number < 32 {
            state = state.spend_recovery(code(number));
        }
        let at = u64::from(number);
        state = state.succeeded(source(at), UnixTime(at + 1));
        for kind in Kind::ALL {
            state = state.remembering(place(kind, at), UnixTime(at + 1));
        }
    }
    state.ledger.trim();
    state.places.trim();
    let bytes = payload::encode(&state).unwrap();
    assert_eq!((bytes.len(), payload::MAX), (1569, 1569));
    assert_eq!(payload::decode(&bytes), Some(state));
    // The last byte says whether a wrong code came: yes or no, and nothing else.
    let with = |last: u8| [&bytes[..1568], &[last]].concat();
    assert!(payload::decode(&with(1)).is_some());
    assert_eq!(payload::decode(&with(2)), None);
}

#[test]
fn a_slot_ends_with_the_checksum_that_its_format_names() {
    let file = Slots::create(&State::default()).unwrap();
    // CRC-64/XZ, bit by bit: ECMA-182's polynomial, reflected.
    let crc = |bytes: &[u8]| {
        let sum = bytes.iter().fold(u64::MAX, |sum, byte| {
            (0..8).fold(sum ^ u64::from(*byte), |sum, _| {
                (sum >> 1) ^ (0xc96c_5795_d787_0f42 * (sum & 1))
            })
        });
        !sum
    };
    assert_eq!(crc(b"123456789"), 0x995d_c9bb_df19_39fa);
    let payload = usize::try_from(u32::from_le_bytes(file[12..16].try_into().unwrap())).unwrap();
    let (summed, rest) = file.split_at(24 + payload);
    assert_eq!(rest[..8], crc(summed).to_le_bytes());
    assert!(rest[8..SLOT - 24 - payload].iter().all(|byte| *byte == 0));
}
