use super::*;
use crate::code::{Algorithm, Digits, Secret};
use crate::legacy::google::GoogleFile;
use crate::recovery::RecoverySet;
use crate::time::Period;
use crate::token::TokenName;

const NOW: UnixTime = UnixTime(1_700_000_010);
const STEP: u64 = NOW.0 / 30;
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

fn phone() -> Token {
    token(
        "phone",
        Kind::Totp {
            period: Period::DEFAULT,
        },
        1,
    )
}

fn key() -> Token {
    token("key", Kind::Hotp { counter: 0 }, 2)
}

fn record(tokens: &[Token]) -> TokenFile {
    TokenFile::new(tokens.to_vec(), None).unwrap()
}

fn code(token: &Token, moving_factor: u64) -> Answer {
    Answer::Code(token.generator().code(moving_factor))
}

fn decide(record: &TokenFile, state: &State, answer: &Answer, now: UnixTime) -> Decision {
    verify(record, state, answer, &Source::local("alice"), RULES, now)
}

/// Decides and applies: the state afterwards, and a word.
fn answered(record: &TokenFile, state: &State, answer: &Answer, now: UnixTime) -> (State, String) {
    let mut after = state.clone();
    let verdict = decide(record, state, answer, now)
        .settle(|state, _| {
            after = state;
            Ok::<_, ()>(Kept::OnDisk)
        })
        .unwrap();
    let word = match verdict {
        Verdict::Accepted(accepted) => match accepted.means() {
            Means::Token(name) | Means::Resync { token: name, .. } => name.clone(),
            Means::Recovery { left } => format!("recovery, {left} left"),
        },
        Verdict::Refused(refusal) => refusal.word().to_owned(),
    };
    (after, word)
}

fn word(record: &TokenFile, state: &State, answer: &Answer) -> String {
    answered(record, state, answer, NOW).1
}

/// A file of `pam_google_authenticator`'s with these scratch codes.
fn legacy(scratch: &str) -> TokenFile {
    let text = format!("JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n{scratch}\n");
    let name = TokenName::new("google-authenticator").unwrap();
    let file = GoogleFile::parse(text.as_bytes(), name).unwrap();
    TokenFile::of_legacy(file.token, file.scratch)
}

fn typed(digits: &str) -> Answer {
    Answer::Code(Code::parse(digits).unwrap())
}

#[test]
fn a_scratch_code_opens_once_and_a_miss_is_a_wrong_code() {
    let record = legacy("12345678\n23456789");
    let (state, said) = answered(&record, &State::default(), &typed("12345678"), NOW);
    assert_eq!(said, "recovery, 1 left");
    assert_eq!(word(&record, &state, &typed("12345678")), "used_code");
    let (state, said) = answered(&record, &state, &typed("12345679"), NOW);
    assert_eq!((&*said, state.history().failures), ("wrong_code", 1));
    let (state, said) = answered(&record, &state, &typed("23456789"), NOW);
    assert_eq!((&*said, state.history().failures), ("recovery, 0 left", 0));
    // What is spent stays so, however many others there were.
    let crowd = (0..40).map(|n| RecoveryId([n; 8]));
    let state = crowd
        .fold(state, State::spend_recovery)
        .with_room_for(&record);
    for code in ["12345678", "23456789"] {
        assert_eq!(word(&record, &state, &typed(code)), "used_code");
    }
}

#[test]
fn a_scratch_code_is_not_looked_at_while_its_source_waits() {
    let record = legacy("12345678");
    let guess = |state, _| answered(&record, &state, &typed("87654321"), NOW).0;
    let state = (0..3).fold(State::default(), guess);
    assert_eq!(word(&record, &state, &typed("12345678")), "throttled");
}

#[test]
fn every_scratch_code_that_is_left_has_strangers_wait_longer() {
    let interval = |record: &TokenFile, state: &State| RULES.interval(record, state, NOW);
    let empty = State::default();
    let (none, two) = (legacy(""), legacy("12345678\n23456789"));
    // Three codes of a million, and two of a hundred million.
    assert_eq!(interval(&none, &empty), throttle::interval(300));
    assert_eq!(interval(&two, &empty), throttle::interval(302));
    let (state, _) = answered(&two, &empty, &typed("12345678"), NOW);
    assert_eq!(interval(&two, &state), throttle::interval(301));
}

#[test]
fn a_code_opens_within_the_window_and_not_outside() {
    let record = record(&[phone()]);
    for (offset, expected) in [
        (-2, "other_time"),
        (-1, "phone"),
        (0, "phone"),
        (1, "phone"),
        (2, "other_time"),
    ] {
        let step = STEP.checked_add_signed(offset).unwrap();
        assert_eq!(
            word(&record, &State::default(), &code(&phone(), step)),
            expected,
            "{offset}"
        );
    }
}

#[test]
fn a_code_opens_once() {
    let record = record(&[phone(), key()]);
    for answer in [code(&phone(), STEP), code(&key(), 0)] {
        let (state, first) = answered(&record, &State::default(), &answer, NOW);
        assert!(first == "phone" || first == "key", "{first}");
        assert_eq!(word(&record, &state, &answer), "used_code");
    }
}

#[test]
fn after_a_code_no_older_one_opens() {
    let record = record(&[phone()]);
    let (state, _) = answered(&record, &State::default(), &code(&phone(), STEP), NOW);
    assert_eq!(
        word(&record, &state, &code(&phone(), STEP - 1)),
        "used_code"
    );
    assert_eq!(word(&record, &state, &code(&phone(), STEP + 1)), "phone");
}

#[test]
fn a_clock_set_back_and_forward_again_does_not_reopen_a_code() {
    let record = record(&[phone()]);
    let answer = code(&phone(), STEP);
    let (state, _) = answered(&record, &State::default(), &answer, NOW);
    for seconds in [600, 30, 0] {
        let now = UnixTime(NOW.0 - seconds);
        assert_ne!(answered(&record, &state, &answer, now).1, "phone");
    }
}

#[test]
fn a_counter_is_looked_for_ahead_and_passed_values_are_gone() {
    let record = record(&[key()]);
    let state = State::default();
    assert_eq!(word(&record, &state, &code(&key(), 9)), "key");
    assert_eq!(word(&record, &state, &code(&key(), 10)), "wrong_code");
    let (state, _) = answered(&record, &state, &code(&key(), 5), NOW);
    assert_eq!(state.next(key().id()), 6);
    assert_eq!(word(&record, &state, &code(&key(), 4)), "used_code");
    assert_eq!(word(&record, &state, &code(&key(), 1)), "wrong_code");
    assert_eq!(word(&record, &state, &code(&key(), 15)), "key");
}

#[test]
fn a_counter_starts_where_the_token_file_says() {
    let started = token("key", Kind::Hotp { counter: 100 }, 2);
    let record = record(std::slice::from_ref(&started));
    assert_eq!(
        word(&record, &State::default(), &code(&started, 99)),
        "used_code"
    );
    assert_eq!(
        word(&record, &State::default(), &code(&started, 100)),
        "key"
    );
}

#[test]
fn the_last_counter_of_all_is_refused_not_wrapped() {
    let ending = token("key", Kind::Hotp { counter: u64::MAX }, 2);
    let record = record(std::slice::from_ref(&ending));
    assert_eq!(
        word(&record, &State::default(), &code(&ending, u64::MAX)),
        "exhausted_counter"
    );
}

#[test]
fn each_token_has_its_own_last_step() {
    let tablet = token(
        "tablet",
        Kind::Totp {
            period: Period::DEFAULT,
        },
        3,
    );
    let record = record(&[phone(), tablet.clone()]);
    let (state, _) = answered(&record, &State::default(), &code(&phone(), STEP), NOW);
    assert_eq!(word(&record, &state, &code(&tablet, STEP)), "tablet");
    assert_eq!(word(&record, &state, &code(&phone(), STEP)), "used_code");
}

#[test]
fn a_recovery_code_opens_once_and_the_others_still_do() {
    let (set, codes) = RecoverySet::generate(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
    let record = TokenFile::new(vec![phone()], Some(set)).unwrap();
    let answer = |n: usize| Answer::Recovery(codes[n].clone());
    let (state, first) = answered(&record, &State::default(), &answer(0), NOW);
    assert_eq!(first, "recovery, 9 left");
    let (state, again) = answered(&record, &state, &answer(0), NOW);
    assert_eq!(again, "used_code");
    assert_eq!(word(&record, &state, &answer(1)), "recovery, 8 left");
}

#[test]
fn without_a_recovery_set_no_recovery_code_opens() {
    let (_, codes) = RecoverySet::generate(&[4; RecoverySet::ENTROPY]);
    let answer = Answer::Recovery(codes[0].clone());
    assert_eq!(
        word(&record(&[phone()]), &State::default(), &answer),
        "wrong_code"
    );
}

#[test]
fn only_a_wrong_guess_counts_as_a_failure() {
    let record = record(&[phone()]);
    let (state, _) = answered(&record, &State::default(), &code(&phone(), STEP), NOW);
    for (answer, failures) in [
        (code(&phone(), STEP), 0),
        (Answer::Empty, 0),
        (Answer::Malformed, 0),
        (code(&phone(), STEP + 9), 1),
    ] {
        let (after, _) = answered(&record, &state, &answer, NOW);
        assert_eq!(after.history().failures, failures);
    }
}

#[test]
fn no_verdict_is_told_when_its_state_cannot_be_written() {
    let record = record(&[phone()]);
    for step in [STEP, STEP + 9] {
        let decision = decide(&record, &State::default(), &code(&phone(), step), NOW);
        assert_eq!(
            decision.settle(|_, _| Err("disk full")).unwrap_err(),
            "disk full"
        );
    }
}

#[test]
fn an_accepted_code_is_flushed_and_a_wrong_one_is_not() {
    let record = record(&[phone()]);
    for (step, expected) in [(STEP, Durability::Flushed), (STEP + 9, Durability::Later)] {
        let decision = decide(&record, &State::default(), &code(&phone(), step), NOW);
        let mut asked = None;
        let _ = decision.settle(|_, durability| {
            asked = Some(durability);
            Ok::<_, ()>(Kept::OnDisk)
        });
        assert_eq!(asked, Some(expected));
    }
}

#[test]
fn a_code_fits_while_it_is_in_the_window_used_or_not() {
    let record = record(&[phone()]);
    assert!(fits(&record, &phone().generator().code(STEP), RULES, NOW));
    assert!(!fits(
        &record,
        &phone().generator().code(STEP + 2),
        RULES,
        NOW
    ));
}

/// A step whose code comes again two steps later; found by trying.
const REPEATED: u64 = 888_811;

#[test]
fn a_code_that_two_steps_share_opens_once_all_the_same() {
    let record = record(&[phone()]);
    let step = REPEATED;
    let text = |step| phone().generator().code(step).to_text();
    assert_eq!(text(step), text(step + 2));
    let now = UnixTime((step + 1) * 30);
    let (state, first) = answered(&record, &State::default(), &code(&phone(), step), now);
    assert_eq!(first, "phone");
    assert_eq!(state.next(phone().id()), step + 3);
    assert_eq!(
        answered(&record, &state, &code(&phone(), step), now).1,
        "used_code"
    );
}

#[test]
fn a_clock_that_is_a_little_off_is_followed_step_by_step_within_its_bound() {
    let record = record(&[phone()]);
    let mut state = State::default();
    // The phone runs ahead by one more step each time that it is asked.
    for (round, (offset, expected)) in [(1, "phone"), (2, "phone"), (3, "phone"), (4, "other_time")]
        .into_iter()
        .enumerate()
    {
        let later = u64::try_from(round).unwrap() * 100;
        let now = UnixTime(NOW.0 + later * 30);
        let answer = code(&phone(), STEP + later + offset);
        let (after, said) = answered(&record, &state, &answer, now);
        assert_eq!(said, expected, "{offset} steps ahead");
        state = after;
    }
    assert_eq!(state.drift(phone().id()), 2);
}

#[test]
fn a_clock_that_was_set_right_again_is_followed_back() {
    let record = record(&[phone()]);
    let mut state = State::default()
        .learn(phone().id(), 9, 2)
        .learn(phone().id(), 9, 2);
    assert_eq!(state.drift(phone().id()), 2);
    for (later, offset, drift) in [(10, 1, 1), (20, 0, 0), (30, -1, -1)] {
        let now = UnixTime(NOW.0 + later * 30);
        let step = (STEP + later).checked_add_signed(offset).unwrap();
        let (after, said) = answered(&record, &state, &code(&phone(), step), now);
        assert_eq!((said.as_str(), after.drift(phone().id())), ("phone", drift));
        state = after;
    }
}

#[test]
fn a_clock_that_was_set_right_all_at_once_is_followed_too() {
    let record = record(&[phone()]);
    for drift in [2, -2, 100, -100] {
        let mut state = State::default().follow(phone().id(), drift);
        for later in [1000, 2000] {
            let now = UnixTime(NOW.0 + later * 30);
            let (after, said) = answered(&record, &state, &code(&phone(), STEP + later), now);
            assert_eq!(said, "phone", "{drift}");
            state = after;
        }
        assert_eq!(i128::from(state.drift(phone().id())).abs(), drift.abs() - 2);
    }
}

#[test]
fn the_more_codes_may_open_the_longer_strangers_wait() {
    let record = record(&[phone()]);
    for (drift, interval) in [(0, 3507), (1, 4676), (-2, 5844), (3, 7013), (100, 7013)] {
        let state = State::default().follow(phone().id(), drift);
        assert_eq!(RULES.interval(&record, &state, NOW), interval, "{drift}");
    }
}

#[test]
fn used_codes_teach_nothing() {
    let record = record(&[phone()]);
    let (state, _) = answered(&record, &State::default(), &code(&phone(), STEP), NOW);
    let hour_later = UnixTime(NOW.0 + 3600);
    let mut replayed = state.clone();
    for offset in [-1, 0, 1] {
        let step = STEP.checked_add_signed(offset).unwrap();
        let (after, said) = answered(&record, &replayed, &code(&phone(), step), hour_later);
        assert_eq!(said, "wrong_code");
        replayed = after;
    }
    assert_eq!(replayed.drift(phone().id()), state.drift(phone().id()));
    let wait_over = UnixTime(hour_later.0 + 60);
    let now_step = wait_over.0 / 30;
    assert_eq!(
        answered(&record, &replayed, &code(&phone(), now_step), wait_over).1,
        "phone"
    );
}

#[test]
fn a_code_of_another_time_is_refused_and_says_by_how_much_the_clock_is_off() {
    let record = record(&[phone()]);
    for (steps, expected) in [(3_i64, 90), (-2, -60), (11, 330)] {
        let step = STEP.checked_add_signed(steps).unwrap();
        let decision = decide(&record, &State::default(), &code(&phone(), step), NOW);
        match decision.settle(|_, _| Ok::<_, ()>(Kept::OnDisk)).unwrap() {
            Verdict::Refused(Refusal::OtherTime { seconds }) => assert_eq!(seconds, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        word(&record, &State::default(), &code(&phone(), STEP + 12)),
        "wrong_code"
    );
}

#[test]
fn a_code_used_while_the_clock_was_years_ahead_is_told_and_never_taken_back() {
    let record = record(&[phone()]);
    let future = UnixTime(NOW.0 + 94_672_800);
    let answer = code(&phone(), future.0 / 30);
    let (state, first) = answered(&record, &State::default(), &answer, future);
    assert_eq!(first, "phone");
    assert_eq!(
        word(&record, &state, &code(&phone(), STEP)),
        "clock_was_ahead"
    );
    assert_eq!(answered(&record, &state, &answer, future).1, "used_code");
}

#[test]
fn after_three_wrong_codes_even_the_right_one_waits_and_a_recovery_code_does_not() {
    let (set, codes) = RecoverySet::generate(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
    let record = TokenFile::new(vec![phone()], Some(set)).unwrap();
    let mut state = State::default();
    for _ in 0..3 {
        let (after, said) = answered(&record, &state, &code(&phone(), STEP + 500), NOW);
        assert_eq!(said, "wrong_code");
        state = after;
    }
    let (same, said) = answered(&record, &state, &code(&phone(), STEP), NOW);
    assert_eq!(
        (said.as_str(), &same),
        ("throttled", &state),
        "not looked at, not counted"
    );
    let (_, said) = answered(&record, &state, &Answer::Recovery(codes[0].clone()), NOW);
    assert_eq!(said, "recovery, 9 left");
    assert_eq!(
        answered(
            &record,
            &state,
            &code(&phone(), STEP + 1),
            UnixTime(NOW.0 + 30)
        )
        .1,
        "phone"
    );
}

#[test]
fn wrong_recovery_codes_keep_nobody_waiting() {
    let record = record(&[phone()]);
    let (_, codes) = RecoverySet::generate(&[4; RecoverySet::ENTROPY]);
    let mut state = State::default();
    for _ in 0..50 {
        state = answered(&record, &state, &Answer::Recovery(codes[0].clone()), NOW).0;
    }
    assert_eq!(state.history().failures, 50);
    assert_eq!(word(&record, &state, &code(&phone(), STEP)), "phone");
}

/// N guesses at once from one source, the right one among them, in every place.
#[test]
fn a_budget_of_three_lets_the_right_one_in_only_if_it_is_among_the_first_three() {
    let record = record(&[phone()]);
    for guesses in [16_u64, 64] {
        let mut entered = 0;
        for place in 0..guesses {
            let mut state = State::default();
            for guess in 0..guesses {
                let step = if guess == place {
                    STEP
                } else {
                    STEP + 1000 + guess
                };
                let (after, said) = answered(&record, &state, &code(&phone(), step), NOW);
                entered += u32::from(said == "phone");
                state = after;
            }
        }
        assert_eq!(entered, 3, "of {guesses}");
    }
}

#[test]
fn a_code_that_two_tokens_share_opens_once_all_the_same() {
    let twin = Token {
        name: TokenName::new("twin").unwrap(),
        digits: Digits::DEFAULT,
        ..phone()
    };
    let other_kind = Token {
        name: TokenName::new("slow").unwrap(),
        kind: Kind::Totp {
            period: Period::new(60).unwrap(),
        },
        ..phone()
    };
    // Same secret, other period: at step 2 n of the one, step n of the other.
    let now = UnixTime(0);
    let record = record(&[phone(), twin, other_kind]);
    let (state, first) = answered(&record, &State::default(), &code(&phone(), 0), now);
    assert_eq!(first, "phone");
    assert_eq!(
        answered(&record, &state, &code(&phone(), 0), now).1,
        "used_code"
    );
}
