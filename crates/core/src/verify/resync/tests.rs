use super::*;
use crate::answer::Answer;
use crate::code::{Algorithm, Digits, Secret};
use crate::state::slots::Durability;
use crate::throttle::Throttle;
use crate::time::Period;
use crate::token::TokenName;
use crate::verify::{Kept, Verdict, verify};

const NOW: UnixTime = UnixTime(1_700_000_010);
const STEP: u64 = NOW.0 / 30;
/// Steps in an hour.
const HOUR: i64 = 120;
const RULES: Rules = Rules {
    window: 1,
    look_ahead: 10,
    drift: 2,
    throttle: Throttle {
        tries: 3,
        first_wait: 30,
    },
    remember: 0,
};

fn token(name: &str, kind: Kind, byte: u8) -> Token {
    Token {
        name: TokenName::new(name).unwrap(),
        label: crate::label::Label::default(),
        kind,
        secret: Secret::new(&[byte; 20]).unwrap(),
        algorithm: Algorithm::Sha1,
        digits: Digits::DEFAULT,
        added: None,
    }
}

fn timed(name: &str, period: u64, byte: u8) -> Token {
    let period = Period::new(period).unwrap();
    token(name, Kind::Totp { period }, byte)
}

fn phone() -> Token {
    timed("phone", 30, 1)
}

fn key() -> Token {
    token("key", Kind::Hotp { counter: 0 }, 2)
}

fn record(tokens: &[Token]) -> TokenFile {
    TokenFile::new(tokens.to_vec(), None).unwrap()
}

fn step(offset: i64) -> u64 {
    STEP.checked_add_signed(offset).unwrap()
}

fn later(steps: i64) -> UnixTime {
    UnixTime(step(steps) * 30)
}

/// The state afterwards, and what was said.
fn settled(decision: Decision, before: &State) -> (State, String) {
    let mut after = before.clone();
    let verdict = decision.settle(|state, _| {
        after = state;
        Ok::<_, ()>(Kept::OnDisk)
    });
    let said = match verdict.unwrap() {
        Verdict::Accepted(accepted) => match accepted.means() {
            Means::Token(name) => name.clone(),
            Means::Resync { token, seconds } => match seconds {
                Some(seconds) => format!("{token} {seconds:+}s"),
                None => format!("{token} in step"),
            },
            Means::Recovery { .. } => unreachable!("no recovery code was given"),
        },
        Verdict::Refused(refusal) => refusal.word().to_owned(),
    };
    (after, said)
}

fn decide(
    record: &TokenFile,
    state: &State,
    token: &Token,
    pair: [u64; 2],
    now: UnixTime,
) -> Decision {
    let [first, second] = pair.map(|factor| token.generator().code(factor));
    let source = Source::local("alice");
    resync(record, state, [&first, &second], &source, RULES, now)
}

/// Resynchronises with a token's codes of two moving factors.
fn resynced(
    record: &TokenFile,
    state: &State,
    token: &Token,
    pair: [u64; 2],
    now: UnixTime,
) -> (State, String) {
    settled(decide(record, state, token, pair, now), state)
}

/// Logs in with a token's code of one moving factor.
fn login(
    record: &TokenFile,
    state: &State,
    token: &Token,
    factor: u64,
    now: UnixTime,
) -> (State, String) {
    let answer = Answer::Code(token.generator().code(factor));
    let source = Source::local("alice");
    settled(verify(record, state, &answer, &source, RULES, now), state)
}

#[test]
fn two_consecutive_codes_an_hour_off_open_and_then_the_phone_s_next_code_logs_in() {
    let record = record(&[phone()]);
    for (off, expected) in [(HOUR, "phone +3600s"), (-HOUR, "phone -3600s")] {
        let pair = [step(off - 1), step(off)];
        let none = State::default();
        let (_, said) = login(&record, &none, &phone(), step(off + 1), later(1));
        assert_eq!(said, "wrong_code");
        let (state, said) = resynced(&record, &none, &phone(), pair, NOW);
        assert_eq!(said, expected);
        assert_eq!(i64::from(state.drift(phone().id())), off);
        let (_, said) = login(&record, &state, &phone(), step(off + 1), later(1));
        assert_eq!(said, "phone");
    }
}

#[test]
fn two_codes_of_a_clock_that_is_right_open_too() {
    let record = record(&[phone()]);
    let pair = [step(-1), step(0)];
    let (state, said) = resynced(&record, &State::default(), &phone(), pair, NOW);
    assert_eq!((&*said, state.drift(phone().id())), ("phone +0s", 0));
}

#[test]
fn codes_up_to_a_day_off_open_and_no_others() {
    let record = record(&[phone()]);
    let day = 24 * HOUR;
    for (first, expected) in [
        (day - 1, "phone +86400s"),
        (day, "wrong_code"),
        (-day, "phone -86370s"),
        (-day - 1, "wrong_code"),
    ] {
        let pair = [step(first), step(first + 1)];
        let (_, said) = resynced(&record, &State::default(), &phone(), pair, NOW);
        assert_eq!(said, expected, "{first}");
    }
}

#[test]
fn a_day_is_one_whatever_the_period() {
    for period in [10, 60, 300] {
        let watch = timed("watch", period, 1);
        let record = record(std::slice::from_ref(&watch));
        let last = (NOW.0 + DAY.0) / period;
        let (state, said) = resynced(&record, &State::default(), &watch, [last - 1, last], NOW);
        assert_eq!(said, "watch +86400s");
        let drift = u64::try_from(state.drift(watch.id())).unwrap();
        assert_eq!(drift, DAY.0 / period);
        let pair = [last, last + 1];
        let (_, said) = resynced(&record, &State::default(), &watch, pair, NOW);
        assert_eq!(said, "wrong_code");
    }
}

#[test]
fn codes_that_are_not_one_after_the_other_do_not_open() {
    let tablet = timed("tablet", 30, 3);
    let record = record(&[phone(), tablet.clone()]);
    for pair in [
        [HOUR, HOUR + 2],
        [HOUR + 1, HOUR],
        [HOUR, HOUR],
        [HOUR, -HOUR],
        [HOUR, HOUR + 5000],
        [HOUR + 5000, HOUR],
    ] {
        let (state, said) = resynced(&record, &State::default(), &phone(), pair.map(step), NOW);
        assert_eq!(said, "wrong_code", "{pair:?}");
        assert_eq!(
            (state.next(phone().id()), state.drift(phone().id())),
            (0, 0)
        );
    }
    // One of each, though the steps are in a row.
    let first = phone().generator().code(step(HOUR));
    let second = tablet.generator().code(step(HOUR + 1));
    let (state, source) = (State::default(), Source::local("alice"));
    let decision = resync(&record, &state, [&first, &second], &source, RULES, NOW);
    assert_eq!(settled(decision, &state).1, "wrong_code");
}

#[test]
fn codes_at_or_below_the_last_step_never_open() {
    let record = record(&[phone()]);
    let (state, said) = login(&record, &State::default(), &phone(), STEP, NOW);
    assert_eq!(said, "phone");
    for (first, expected) in [
        (-HOUR, "used_code"),
        (-2, "used_code"),
        (-1, "used_code"),
        // Its second code was never used. Its first one was.
        (0, "used_code"),
        (1, "phone +60s"),
    ] {
        let pair = [step(first), step(first + 1)];
        let (after, said) = resynced(&record, &state, &phone(), pair, NOW);
        assert_eq!(said, expected, "{first}");
        assert_eq!(after == state, expected == "used_code", "not counted");
    }
}

#[test]
fn a_resync_cannot_be_replayed_and_neither_of_its_codes_logs_in() {
    for (token, pair) in [(phone(), [step(HOUR), step(HOUR + 1)]), (key(), [500, 501])] {
        let record = record(std::slice::from_ref(&token));
        let (state, _) = resynced(&record, &State::default(), &token, pair, NOW);
        assert_eq!(state.next(token.id()), pair[1] + 1);
        for now in [NOW, later(1), later(HOUR), later(2 * HOUR)] {
            let (after, said) = resynced(&record, &state, &token, pair, now);
            assert_eq!((said.as_str(), &after), ("used_code", &state));
            let across = [pair[1], pair[1] + 1];
            assert_eq!(
                resynced(&record, &state, &token, across, now).1,
                "used_code"
            );
            for factor in pair {
                let (_, said) = login(&record, &state, &token, factor, now);
                assert_ne!(said, token.name.to_string());
            }
        }
        assert_eq!(
            login(&record, &state, &token, pair[1] + 1, NOW).1,
            token.name.to_string()
        );
    }
}

#[test]
fn two_wrong_codes_count_as_one_guess_and_the_third_pair_makes_wait() {
    let record = record(&[phone()]);
    let right = [step(HOUR), step(HOUR + 1)];
    let mut state = State::default();
    for failures in 1..=3 {
        let wrong = [step(HOUR), step(HOUR + 2)];
        let (after, said) = resynced(&record, &state, &phone(), wrong, NOW);
        assert_eq!(said, "wrong_code");
        assert_eq!(after.history().failures, failures);
        state = after;
    }
    let (same, said) = resynced(&record, &state, &phone(), right, NOW);
    assert_eq!(
        (said.as_str(), &same),
        ("throttled", &state),
        "not looked at, not counted"
    );
    assert_eq!(login(&record, &state, &phone(), STEP, NOW).1, "throttled");
    let soon = UnixTime(NOW.0 + 30);
    assert_eq!(
        resynced(&record, &state, &phone(), right, soon).1,
        "phone +3600s"
    );
}

#[test]
fn wrong_codes_at_logins_keep_a_resync_waiting() {
    let record = record(&[phone()]);
    let mut state = State::default();
    for _ in 0..3 {
        state = login(&record, &state, &phone(), step(500), NOW).0;
    }
    let pair = [step(HOUR), step(HOUR + 1)];
    assert_eq!(
        resynced(&record, &state, &phone(), pair, NOW).1,
        "throttled"
    );
}

#[test]
fn it_is_flushed_and_noted_as_a_login_is() {
    let record = record(&[phone()]);
    let wrong = [step(HOUR), step(HOUR)];
    let (state, _) = resynced(&record, &State::default(), &phone(), wrong, NOW);
    for (pair, expected) in [
        ([step(HOUR), step(HOUR + 1)], Durability::Flushed),
        (wrong, Durability::Later),
    ] {
        let mut asked = None;
        let _ = decide(&record, &state, &phone(), pair, NOW).settle(|_, durability| {
            asked = Some(durability);
            Ok::<_, ()>(Kept::OnDisk)
        });
        assert_eq!(asked, Some(expected));
    }
    let pair = [step(HOUR), step(HOUR + 1)];
    let (after, _) = resynced(&record, &state, &phone(), pair, NOW);
    let source = Source::local("alice").id(&record);
    assert_eq!(
        after,
        state
            .spend(phone().id(), step(HOUR + 1))
            .unwrap()
            .follow(phone().id(), i128::from(HOUR + 1))
            .succeeded(source, NOW)
    );
}

#[test]
fn a_drift_beyond_the_bound_grows_by_no_login_and_shrinks_by_one_step_each() {
    let record = record(&[phone()]);
    for way in [1, -1] {
        let off = way * HOUR;
        let pair = [step(off - 1), step(off)];
        let (state, _) = resynced(&record, &State::default(), &phone(), pair, NOW);
        let mut state = state;
        let mut hour = 0;
        // The phone's clock, in steps from ours, at each login; and the drift then.
        for (clock, drift) in [
            (off + way, off),
            (off + way, off),
            (off, off),
            (off - way, off - way),
            // What was given up is not taken back.
            (off, off - way),
            (off - 2 * way, off - 2 * way),
            (off - 3 * way, off - 3 * way),
        ] {
            hour += 10 * HOUR;
            let (after, said) = login(&record, &state, &phone(), step(hour + clock), later(hour));
            assert_eq!(said, "phone", "{clock}");
            assert_eq!(i64::from(after.drift(phone().id())), drift, "{clock}");
            state = after;
        }
    }
}

#[test]
fn a_clock_that_was_set_right_again_is_found_again_once_its_codes_are_fresh() {
    let record = record(&[phone()]);
    let pair = [step(HOUR - 1), step(HOUR)];
    let (state, _) = resynced(&record, &State::default(), &phone(), pair, NOW);
    let at = |steps| [step(steps - 1), step(steps)];
    assert_eq!(
        resynced(&record, &state, &phone(), at(10), later(10)).1,
        "used_code"
    );
    let (state, said) = resynced(&record, &state, &phone(), at(HOUR + 2), later(HOUR + 2));
    assert_eq!((&*said, state.drift(phone().id())), ("phone +0s", 0));
}

#[test]
fn a_counter_500_values_ahead_is_found_and_one_a_thousand_ahead_is_not() {
    let started = token("key", Kind::Hotp { counter: 100 }, 2);
    let record = record(std::slice::from_ref(&started));
    let none = State::default();
    for (first, expected) in [
        (98, "used_code"),
        (99, "used_code"),
        (100, "key in step"),
        (600, "key in step"),
        (1098, "key in step"),
        (1099, "wrong_code"),
    ] {
        let (state, said) = resynced(&record, &none, &started, [first, first + 1], NOW);
        assert_eq!(said, expected, "{first}");
        assert_eq!(state.drift(started.id()), 0);
    }
    assert_eq!(login(&record, &none, &started, 602, NOW).1, "wrong_code");
    let (state, _) = resynced(&record, &none, &started, [600, 601], NOW);
    assert_eq!(login(&record, &state, &started, 602, NOW).1, "key");
    assert_eq!(
        resynced(&record, &state, &started, [300, 301], NOW).1,
        "wrong_code"
    );
}

#[test]
fn the_last_counter_of_all_is_refused_not_wrapped() {
    let ending = token(
        "key",
        Kind::Hotp {
            counter: u64::MAX - 1,
        },
        2,
    );
    let record = record(std::slice::from_ref(&ending));
    let pair = [u64::MAX - 1, u64::MAX];
    let (_, said) = resynced(&record, &State::default(), &ending, pair, NOW);
    assert_eq!(said, "exhausted_counter");
}

#[test]
fn a_clock_at_either_end_of_time_is_no_crash() {
    let record = record(&[phone()]);
    let last = u64::MAX / 30;
    for (now, pair, expected) in [
        (0, [0, 1], "phone +30s"),
        (0, [2879, 2880], "phone +86400s"),
        (u64::MAX, [last - 1, last], "phone +0s"),
        (u64::MAX, [0, 1], "wrong_code"),
    ] {
        let (_, said) = resynced(&record, &State::default(), &phone(), pair, UnixTime(now));
        assert_eq!(said, expected);
    }
}

#[test]
fn codes_used_while_our_clock_was_years_ahead_are_told_and_not_taken_back() {
    let record = record(&[phone()]);
    let future = 94_672_800;
    let used = (NOW.0 + future) / 30;
    let then = UnixTime(NOW.0 + future);
    let (state, said) = login(&record, &State::default(), &phone(), used, then);
    assert_eq!(said, "phone");
    let (after, said) = resynced(&record, &state, &phone(), [step(-1), step(0)], NOW);
    assert_eq!((said.as_str(), &after), ("clock_was_ahead", &state));
    // As with one code: what the next step brings within the window is near.
    for (last, expected) in [(1, "used_code"), (2, "clock_was_ahead")] {
        let state = State::default().spend(phone().id(), step(last)).unwrap();
        let (_, said) = resynced(&record, &state, &phone(), [step(-1), step(0)], NOW);
        assert_eq!(said, expected, "{last}");
    }
}

#[test]
fn codes_that_two_tokens_share_open_once_and_are_spent_for_both() {
    let counter = step(HOUR) - 10;
    let twin = token("twin", Kind::Hotp { counter }, 1);
    let record = record(&[phone(), twin.clone()]);
    let pair = [step(HOUR), step(HOUR + 1)];
    let (state, said) = resynced(&record, &State::default(), &phone(), pair, NOW);
    assert_eq!(said, "phone +3630s");
    for token in [phone(), twin] {
        assert_eq!(state.next(token.id()), step(HOUR + 2), "{}", token.name);
    }
    assert_eq!(
        resynced(&record, &state, &phone(), pair, NOW).1,
        "used_code"
    );
}

/// A secret that shows the same two codes in a row twice within a day of [`NOW`]:
/// the second of them 1157 steps of 10 seconds before it, and 1109 after it.
/// Found by trying thousands.
const REPEATING: u64 = 7399;

#[test]
fn two_codes_that_come_in_a_row_twice_open_once_all_the_same() {
    let mut secret = [0; 20];
    secret[..8].copy_from_slice(&REPEATING.to_be_bytes());
    let watch = Token {
        secret: Secret::new(&secret).unwrap(),
        ..timed("watch", 10, 1)
    };
    let here = NOW.0 / 10;
    let (early, late) = ([here - 1158, here - 1157], [here + 1108, here + 1109]);
    let texts = |pair: [u64; 2]| pair.map(|step| watch.generator().code(step).to_text());
    assert_eq!(texts(early), texts(late));
    let record = record(std::slice::from_ref(&watch));
    let (state, said) = resynced(&record, &State::default(), &watch, early, NOW);
    assert_eq!(said, "watch +11090s");
    assert_eq!(state.next(watch.id()), here + 1110);
    assert_eq!(resynced(&record, &state, &watch, early, NOW).1, "used_code");
}

#[test]
fn codes_of_another_length_are_not_the_token_s() {
    let long = Token {
        digits: Digits::new(8).unwrap(),
        ..timed("long", 30, 1)
    };
    let pair = [step(0), step(1)];
    let (_, said) = resynced(&record(&[phone()]), &State::default(), &long, pair, NOW);
    assert_eq!(said, "wrong_code");
    let (_, said) = resynced(
        &record(&[phone(), long.clone()]),
        &State::default(),
        &long,
        pair,
        NOW,
    );
    assert_eq!(said, "long +30s");
}

#[test]
fn nothing_is_told_when_its_state_cannot_be_written() {
    let record = record(&[phone()]);
    for pair in [[step(0), step(1)], [step(0), step(0)]] {
        let decision = decide(&record, &State::default(), &phone(), pair, NOW);
        let told = decision.settle(|_, _| Err::<Kept, _>("disk full"));
        assert_eq!(told.unwrap_err(), "disk full");
    }
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % bound
    }
}

/// Logins and resyncs of two tokens, with clocks that jump to and fro.
#[test]
fn whatever_happens_next_never_goes_down_and_no_code_opens_twice() {
    let watch = timed("watch", 300, 1);
    let record = record(&[watch.clone(), key()]);
    let mut dice = Dice(1);
    let mut state = State::default();
    let mut opened = std::collections::BTreeSet::new();
    let (mut now, mut accepted) = (NOW.0, 0);
    for round in 0..200 {
        now = now + 3600 + dice.below(7200) - dice.below(3600);
        let token = [watch.clone(), key()][usize::from(dice.below(2) == 0)].clone();
        let near = match token.kind {
            Kind::Totp { .. } => (now / 300 + dice.below(40)).saturating_sub(20),
            Kind::Hotp { .. } => (state.next(token.id()) + dice.below(12)).saturating_sub(4),
        };
        let factors = match dice.below(3) {
            0 => vec![near],
            1 => vec![near, near + 1],
            _ => vec![near, near + dice.below(4)],
        };
        let (after, said) = match factors[..] {
            [first, second] => resynced(&record, &state, &token, [first, second], UnixTime(now)),
            _ => login(&record, &state, &token, near, UnixTime(now)),
        };
        let before = [&watch, &key()].map(|token| state.next(token.id()));
        let next = [&watch, &key()].map(|token| after.next(token.id()));
        assert!(
            next[0] >= before[0] && next[1] >= before[1],
            "round {round}"
        );
        if said.starts_with(&token.name.to_string()) {
            accepted += factors.len();
            assert!(near >= state.next(token.id()), "round {round}");
            assert_eq!(after.next(token.id()), factors.last().unwrap() + 1);
            for factor in factors {
                assert!(opened.insert((token.id().0, factor)), "round {round}");
            }
        } else {
            assert_eq!(next, before, "round {round}: {said}");
        }
        state = after;
    }
    assert!(accepted > 50, "{accepted}");
}
