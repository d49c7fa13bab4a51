//! Clocks that are wrong, set, and set again: the module on the real libpam, in
//! a process that believes another time. The phone is right, or off by what a
//! test says.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::process::Command;

use common::{Phone, Realm, TIMED, Visit, value, visit_with};
use pam_otp_core::code::Digits;
use pam_otp_core::token::Kind;
use pam_otp_testkit::artifacts;
use pam_otp_testkit::faketime::set_clock;
use pam_otp_testkit::pam::{AUTH_ERR, Stack};

/// Some time in 2027, in the middle of a step.
const NOON: i64 = 1_800_000_015;
const STEP: i64 = 30;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const YEAR: i64 = 365 * 24 * HOUR;

/// Enough guesses that the limit on them does not hide what is looked at.
const PATIENT: &str = "tries = 10\nwait = 1";

/// A door, and the clock above it.
struct Tower {
    realm: Realm,
    stack: Stack,
}

impl Tower {
    fn new(rules: &str) -> Self {
        let realm = Realm::new(rules);
        let stack = realm.stack("");
        Self { realm, stack }
    }

    /// Eight digits: that two codes are the same by chance must not happen in
    /// the life of this test.
    fn enrol(&self, user: &str) -> Phone {
        let digits = Digits::new(8).unwrap();
        self.realm.enrol_as(user, TIMED, digits)
    }

    /// A login while the clock stands at `time`.
    fn visit(&self, time: i64, user: &str, reply: &str) -> Visit {
        let mut pam_try = Command::new(artifacts::helper("pam-try"));
        set_clock(&mut pam_try, time);
        let visit = visit_with(pam_try, &self.stack, user, reply);
        let outcome = value(visit.line(), "outcome");
        assert_eq!(outcome == Some("granted"), visit.entered, "{visit:?}");
        visit
    }

    /// A login of alice's, and the word in the log for how it ended.
    fn ends(&self, time: i64, reply: &str) -> String {
        let visit = self.visit(time, "alice", reply);
        value(visit.line(), "reason").unwrap().to_owned()
    }
}

fn shown(phone: &Phone, time: i64) -> String {
    phone.code_at(time.try_into().unwrap())
}

#[test]
fn a_used_code_stays_used_when_the_clock_is_set_back_ten_minutes_and_forward_again() {
    let tower = Tower::new(PATIENT);
    let phone = tower.enrol("alice");
    let (code, paper) = (shown(&phone, NOON), &phone.recovery[0]);
    assert_eq!(tower.ends(NOON, &code), "code");
    assert_eq!(tower.ends(NOON, paper), "recovery_code");
    assert_eq!(tower.ends(NOON, &code), "used_code");

    for (set, expected) in [
        (-10 * MINUTE, "wrong_code"),
        (-5 * MINUTE, "wrong_code"),
        (-MINUTE, "wrong_code"),
        (-STEP, "used_code"),
        (0, "used_code"),
        (STEP, "used_code"),
        (2 * MINUTE, "wrong_code"),
        // And once more.
        (-10 * MINUTE, "wrong_code"),
        (0, "used_code"),
    ] {
        assert_eq!(tower.ends(NOON + set, &code), expected, "{set}");
        assert_eq!(tower.ends(NOON + set, paper), "used_code", "{set}");
    }
    // While it is set back, so are the phone's codes; they were passed over.
    let early = NOON - 10 * MINUTE;
    assert_eq!(tower.ends(early, &shown(&phone, early)), "clock_was_ahead");
    // The owner's next one opens, as if nothing had been.
    assert_eq!(tower.ends(NOON + STEP, &shown(&phone, NOON + STEP)), "code");
}

#[test]
fn after_a_login_while_the_clock_was_years_ahead_paper_gets_in_and_no_code_opens_twice() {
    let tower = Tower::new(PATIENT);
    let phone = tower.enrol("alice");
    let then = NOON + 5 * YEAR;
    let code = shown(&phone, then);
    assert_eq!(tower.ends(then, &code), "code");

    let visit = tower.visit(NOON, "alice", &shown(&phone, NOON));
    assert_eq!(value(visit.line(), "reason"), Some("clock_was_ahead"));
    assert_eq!(visit.code, AUTH_ERR);
    assert_eq!(tower.ends(NOON, &phone.recovery[0]), "recovery_code");
    // That was a login at the right time; the phone is as it was before.
    let later = NOON + HOUR;
    assert_eq!(tower.ends(later, &shown(&phone, later)), "clock_was_ahead");
    // When its time has come.
    assert_eq!(tower.ends(then, &code), "used_code");
    assert_eq!(tower.ends(then + STEP, &shown(&phone, then + STEP)), "code");
}

/// The policy's window of one step, and its bound of two.
#[test]
fn a_phone_that_goes_wrong_is_followed_step_by_step_to_the_bound_and_back() {
    let tower = Tower::new(PATIENT);
    let phone = tower.enrol("alice");
    // By how many steps it is ahead, login after login.
    let way = [
        (1, ""),
        (2, ""),
        (3, ""),
        // Out of bounds.
        (4, "+120s"),
        (3, ""),
        (2, ""),
        (1, ""),
        (0, ""),
        (-1, ""),
        (-2, ""),
        (-3, ""),
        (-4, "-120s"),
        (-3, ""),
    ];
    for (hours, (ahead, clock)) in (0..).zip(way) {
        let time = NOON + hours * HOUR;
        let visit = tower.visit(time, "alice", &shown(&phone, time + ahead * STEP));
        let refused = Some(clock).filter(|clock| !clock.is_empty());
        assert_eq!(value(visit.line(), "clock"), refused, "{ahead}: {visit:?}");
        assert_eq!(visit.entered, clock.is_empty(), "{ahead}: {visit:?}");
    }
}

#[test]
fn used_codes_that_are_sent_again_later_do_not_open_and_the_owner_still_gets_in() {
    let tower = Tower::new(PATIENT);
    let phone = tower.enrol("alice");
    let codes = [0, 1, 2].map(|step| shown(&phone, NOON + step * STEP));
    for (step, code) in (0..).zip(&codes) {
        assert_eq!(tower.ends(NOON + step * STEP, code), "code");
    }
    for later in [4 * MINUTE, HOUR] {
        for _ in 0..3 {
            for code in &codes {
                let visit = tower.visit(NOON + later, "alice", code);
                assert!(!visit.entered, "{visit:?}");
            }
        }
    }
    // After a wait: those were guesses.
    let later = NOON + 3 * HOUR;
    assert_eq!(tower.ends(later, &shown(&phone, later)), "code");
}

#[test]
fn a_right_code_of_another_time_is_refused_and_the_log_says_how_wrong_a_clock_is() {
    let tower = Tower::new(PATIENT);
    for (name, ahead, expected) in [
        ("ahead2", 2, Some("+60s")),
        ("ahead3", 3, Some("+90s")),
        ("ahead11", 11, Some("+330s")),
        ("behind3", -3, Some("-90s")),
        ("behind11", -11, Some("-330s")),
        // Too far to be told from a guess.
        ("ahead12", 12, None),
        ("behind12", -12, None),
    ] {
        let phone = tower.enrol(name);
        let code = shown(&phone, NOON + ahead * STEP);
        let visit = tower.visit(NOON, name, &code);
        let reason = expected.map_or("wrong_code", |_| "other_time");
        assert_eq!(value(visit.line(), "reason"), Some(reason), "{name}");
        assert_eq!(value(visit.line(), "clock"), expected, "{name}");
        assert_eq!(visit.code, AUTH_ERR, "{name}");
        // It was not used up: its time may come.
        let then = NOON + ahead * STEP;
        assert!(tower.visit(then, name, &code).entered, "{name}");
    }
}

/// Before 1970; 32 bits full, with and without a sign; 2200; the end of 9999.
#[test]
fn whatever_the_clock_says_nothing_opens_but_a_code_of_that_time_once() {
    let tower = Tower::new(PATIENT);
    for (name, time) in [
        ("y1969", -HOUR),
        ("y1970", 0),
        ("y2038", (1 << 31) + 1),
        ("y2106", (1 << 32) + 1),
        ("y2200", 7_258_118_400),
        ("y9999", 253_402_300_799),
    ] {
        let phone = tower.enrol(name);
        let ends = |reply: &str| {
            let visit = tower.visit(time, name, reply);
            value(visit.line(), "reason").unwrap().to_owned()
        };
        assert_eq!(ends(&shown(&phone, NOON)), "wrong_code", "{name}");
        assert_eq!(ends(&phone.recovery[0]), "recovery_code", "{name}");
        assert_eq!(ends(&phone.recovery[0]), "used_code", "{name}");
        // Phones know no time before 1970, either.
        let code = shown(&phone, time.max(0));
        assert_eq!(ends(&code), "code", "{name}");
        assert_eq!(ends(&code), "used_code", "{name}");
        // And the clock is set right.
        let right = tower.visit(NOON, name, &shown(&phone, NOON));
        let expected = if time < NOON {
            "code"
        } else {
            "clock_was_ahead"
        };
        assert_eq!(value(right.line(), "reason"), Some(expected), "{name}");
        let paper = tower.visit(NOON, name, &phone.recovery[1]);
        assert!(paper.entered, "{name}: {paper:?}");
    }
}

#[test]
fn counted_codes_ask_no_clock() {
    let tower = Tower::new("");
    let phone = tower
        .realm
        .enrol_as("alice", Kind::Hotp { counter: 0 }, Digits::DEFAULT);
    for (counter, time) in (0..).zip([NOON, NOON - HOUR, 0, 7_258_118_400, -YEAR, NOON]) {
        let code = phone.counted(counter);
        assert_eq!(tower.ends(time, &code), "code", "{time}");
        assert_eq!(tower.ends(time, &code), "used_code", "{time}");
    }
}

/// What a clock that was wrong leaves in a record: times in the future.
#[test]
fn guesses_while_the_clock_was_ahead_keep_nobody_out_and_free_nobody_from_the_limit() {
    let tower = Tower::new("");
    let then = NOON + 5 * YEAR;
    for user in ["alice", "bob"] {
        let phone = tower.enrol(user);
        let guess = |time| {
            let visit = tower.visit(time, user, &phone.wrong());
            value(visit.line(), "reason").unwrap().to_owned()
        };
        for _ in 0..3 {
            assert_eq!(guess(then), "wrong_code");
        }
        assert_eq!(guess(then), "throttled");
        if user == "bob" {
            // One guess is free, and sets the count right.
            assert_eq!(guess(NOON), "wrong_code");
            for _ in 0..3 {
                assert_eq!(guess(NOON), "throttled");
            }
        }
        let time = if user == "bob" { NOON + 2 * HOUR } else { NOON };
        assert!(tower.visit(time, user, &shown(&phone, time)).entered);
    }
}
