//! A code opens the door once, under any number of simultaneous logins.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

mod common;

use common::{Phone, Realm, TIMED};
use pam_otp_core::code::Digits;
use pam_otp_core::token::Kind;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::race::{Finish, race, winners};

/// Processes in one race, all asked before any of them answers.
const RACERS: usize = 20;
const ROUNDS: u64 = 200;
/// Eight digits: that two codes in one window are the same by chance, and both
/// open rightly, must not happen in the life of this test.
const LONG: u64 = 8;

/// Lets all answer with one code: one gets in, and each of the others reads
/// that the code was used.
fn one_of_all_gets_in(round: u64, stack: &Stack, code: &str) {
    let finishes = race(stack, &[("alice", code); RACERS]);
    assert_eq!(winners(&finishes), 1, "round {round}: {finishes:#?}");
    let reason = |word: &str| {
        let said = |finish: &&Finish| finish.log.contains(&format!(" reason={word} "));
        finishes.iter().filter(said).count()
    };
    assert_eq!(
        reason("used_code"),
        RACERS - 1,
        "round {round}: {finishes:#?}"
    );
}

fn long() -> Digits {
    Digits::new(LONG).unwrap()
}

#[test]
fn of_twenty_logins_with_one_time_based_code_exactly_one_gets_in() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    for round in 0..ROUNDS {
        let phone = realm.enrol_as("alice", TIMED, long());
        one_of_all_gets_in(round, &stack, &phone.code());
        realm.remove("alice");
    }
}

#[test]
fn of_twenty_logins_with_one_counter_based_code_exactly_one_gets_in() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    // One record for all rounds: each goes on where the one before ended.
    let phone = realm.enrol_as("alice", Kind::Hotp { counter: 0 }, long());
    for round in 0..ROUNDS {
        one_of_all_gets_in(round, &stack, &phone.counted(round));
    }
}

#[test]
fn of_twenty_logins_with_one_recovery_code_exactly_one_gets_in() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let mut codes = Vec::new();
    for round in 0..ROUNDS {
        let code = codes.pop().unwrap_or_else(|| {
            // The first round has nothing to remove.
            if round > 0 {
                realm.remove("alice");
            }
            codes = realm.enrol("alice").recovery;
            codes.pop().unwrap()
        });
        one_of_all_gets_in(round, &stack, &code);
    }
}

#[test]
fn twenty_users_who_log_in_at_once_all_get_in() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let counted = Kind::Hotp { counter: 0 };
    let users: Vec<_> = (0..RACERS).map(|n| format!("user{n}")).collect();
    let phones: Vec<Phone> = users
        .iter()
        .map(|user| realm.enrol_as(user, counted, long()))
        .collect();
    for round in 0..50 {
        let codes: Vec<_> = phones.iter().map(|phone| phone.counted(round)).collect();
        let entrants: Vec<_> = users
            .iter()
            .zip(&codes)
            .map(|(user, code)| (&**user, &**code))
            .collect();
        let finishes = race(&stack, &entrants);
        assert_eq!(winners(&finishes), RACERS, "round {round}: {finishes:#?}");
    }
}

#[test]
fn one_user_with_ten_codes_at_once_gets_in_with_each() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    for round in 0..20 {
        let phone = realm.enrol("alice");
        let entrants: Vec<_> = phone
            .recovery
            .iter()
            .map(|code| ("alice", &**code))
            .collect();
        let finishes = race(&stack, &entrants);
        assert_eq!(
            winners(&finishes),
            entrants.len(),
            "round {round}: {finishes:#?}"
        );
        realm.remove("alice");
    }
}
