//! Guessing is limited, under any number of simultaneous guesses, and nobody is
//! kept out by the guesses of others.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod common;

use common::{Phone, Realm};
use pam_otp_testkit::pam::{Application, Stack, Transcript};
use pam_otp_testkit::race::{Finish, race, winners};

fn count(finishes: &[Finish], word: &str) -> usize {
    let said = |finish: &&Finish| finish.log.contains(&format!(" reason={word} "));
    finishes.iter().filter(said).count()
}

/// N processes guess at once, the right code among them: three are looked at,
/// and each wrong one of these is written down. So the right one opens in about
/// 3 of N rounds.
fn of_n_guesses_at_once_three_are_looked_at(guesses: usize, rounds: usize) {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let mut entered = 0;
    for round in 0..rounds {
        let phone = realm.enrol("alice");
        let (wrong, right) = (phone.wrong(), phone.code());
        let mut entrants = vec![("alice", &*wrong); guesses];
        entrants[round % guesses] = ("alice", &right);
        let finishes = race(&stack, &entrants);
        let (winners, wrong) = (winners(&finishes), count(&finishes, "wrong_code"));
        // A login ends the count of its source: then there are three more.
        let looked_at = if winners == 1 { wrong <= 5 } else { wrong == 3 };
        assert!(winners <= 1 && looked_at, "round {round}: {finishes:#?}");
        let throttled = count(&finishes, "throttled");
        assert_eq!(
            winners + wrong + throttled,
            guesses,
            "round {round}: {finishes:#?}"
        );
        if winners == 0 {
            assert_eq!(realm.failures("alice"), 3, "every failure is written down");
        }
        entered += winners;
        realm.remove("alice");
    }
    // Which three come first is chance: a binomial count, and five standard
    // deviations above its mean.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (mean, rounds) = (3.0 * rounds as f64 / guesses as f64, rounds as f64);
    let most = mean + 5.0 * (mean * (1.0 - mean / rounds)).sqrt();
    println!("{guesses} at once: {entered} of {rounds} rounds opened, {mean:.1} expected");
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let entered = entered as f64;
    assert!(
        entered <= most,
        "{entered} rounds of {rounds} opened, more than {most:.1}"
    );
}

#[test]
fn of_sixteen_guesses_at_once_three_are_looked_at() {
    of_n_guesses_at_once_three_are_looked_at(16, 64);
}

#[test]
fn of_sixty_four_guesses_at_once_three_are_looked_at() {
    of_n_guesses_at_once_three_are_looked_at(64, 64);
}

fn from(rhost: &str, stack: &Stack, answer: &str) -> Transcript {
    Application::new()
        .user("alice")
        .rhost(rhost)
        .reply(answer)
        .authenticate(stack)
}

/// An owner who has logged in from home, and the code of the next step.
fn known_at_home(realm: &Realm, stack: &Stack) -> (Phone, String) {
    let phone = realm.enrol("alice");
    let now = pam_otp_testkit::authenticator::now();
    assert!(from(HOME, stack, &phone.code_at(now)).entered());
    let next = phone.code_at(now + 30);
    (phone, next)
}

const HOME: &str = "192.0.2.1";

#[test]
fn a_flood_from_strangers_leaves_the_owner_alone() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let (phone, next) = known_at_home(&realm, &stack);
    for address in 0..200 {
        let rhost = format!("198.51.100.{address}");
        assert!(!from(&rhost, &stack, &phone.wrong()).entered());
    }
    assert_eq!(
        realm.failures("alice"),
        10,
        "the strangers' bucket is empty"
    );
    assert!(
        !from("203.0.113.9", &stack, &next).entered(),
        "strangers wait"
    );
    assert!(
        from("203.0.113.9", &stack, &phone.recovery[0]).entered(),
        "with paper nobody waits"
    );
    assert!(from(HOME, &stack, &next).entered());
}

#[test]
fn one_address_that_guesses_makes_only_itself_wait() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let (phone, next) = known_at_home(&realm, &stack);
    for _ in 0..50 {
        assert!(!from("198.51.100.7", &stack, &phone.wrong()).entered());
    }
    assert_eq!(realm.failures("alice"), 3);
    assert!(!from("198.51.100.7", &stack, &next).entered());
    assert!(from(HOME, &stack, &next).entered());
}

#[test]
fn a_user_of_this_machine_who_guesses_through_su_makes_only_themselves_wait() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let phone = realm.enrol("alice");
    let through = |ruser: &str, answer: &str| {
        Application::new()
            .user("alice")
            .ruser(ruser)
            .reply(answer)
            .authenticate(&stack)
    };
    for _ in 0..20 {
        assert!(!through("mallory", &phone.wrong()).entered());
    }
    assert!(!through("mallory", &phone.code()).entered());
    assert!(through("alice", &phone.code()).entered());
}

#[test]
fn no_user_can_loosen_the_policy_s_limit() {
    let realm = Realm::new("tries = 1");
    let stack = realm.stack("");
    let phone = realm.enrol("alice");
    // What a user can write is the record; a key of the policy in it is a fault.
    let path = realm.token_file("alice");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("tries = 10\n{text}")).unwrap();
    assert!(!from(HOME, &stack, &phone.code()).entered());
    std::fs::write(&path, text).unwrap();
    assert!(!from(HOME, &stack, &phone.wrong()).entered());
    assert!(!from(HOME, &stack, &phone.code()).entered());
}
