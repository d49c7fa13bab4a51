//! A login that enrols its user is killed at each of its system calls, and each
//! of them fails: whoever is in has a record, and whoever is not can enrol anew
//! or logs in with what was shown.

#![allow(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;
mod faults;

use common::{Visit, value};
use faults::{House, Said, each, fail_here_and_there, kill_at_changes};
use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::strace::{Call, Children, Fault, Finished, inject};

const ENROLL: &str = "unenrolled = \"enroll\"";

/// A code of the key that is shown, then Enter.
const DIALOGUE: &str = "@code\n\n";

fn try_all(house: &House, faults: impl Fn(usize, &Call) -> Vec<Fault>) {
    let name = house.newcomer(0);
    let (finished, calls) = house.list(Children::Untraced, &words(&house.login(&name)), DIALOGUE);
    assert!(finished.says("outcome=enrolled"), "{finished:#?}");
    let calls = of_the_login(calls);
    let faults = calls.iter().enumerate().flat_map(|(place, call)| {
        let faults = faults(place, call);
        faults.into_iter().map(move |fault| (call.clone(), fault))
    });
    let cases: Vec<(Call, Fault)> = faults.collect();
    println!("{} points", cases.len());
    each(&cases, |worker, (call, fault)| {
        check(house, worker, call, *fault);
    });
}

/// Without those by which the person's app is asked for a code.
fn of_the_login(mut calls: Vec<Call>) -> Vec<Call> {
    let first = calls.iter().position(|call| call.name == "pipe2");
    let first = first.expect("a pipe to the app");
    let ended = |call: &Call| call.name == "wait4" || call.name == "waitid";
    let last = calls.iter().rposition(ended).expect("the app ends");
    calls.drain(first..=last);
    calls
}

fn words(login: &[String]) -> Vec<&str> {
    login.iter().map(String::as_str).collect()
}

fn check(house: &House, worker: usize, call: &Call, fault: Fault) {
    let name = house.newcomer(worker);
    let login = house.login(&name);
    let begun = now();
    let strace = house.command("strace");
    let finished = inject(
        strace,
        Children::Untraced,
        call,
        fault,
        &words(&login),
        DIALOGUE,
    );
    let case = format!("{fault:?} {}", call.text);
    if fault != Fault::Kill {
        let status = finished.status.code();
        let no_start = status == Some(101) && finished.says("pam_start of Stack");
        assert!(
            matches!(status, Some(0 | 1)) || no_start,
            "{case}: {finished:#?}"
        );
    }
    assert!(!finished.says("outcome=skipped"), "{case}: {finished:#?}");
    let in_after = |visit: &Visit, outcome: &str| {
        let logged = visit
            .log
            .iter()
            .any(|line| value(line, "outcome") == Some(outcome));
        assert!(
            visit.entered && logged,
            "{case}: kept out: {finished:#?}\n{visit:?}"
        );
    };
    let Some(key) = house.key(&name) else {
        assert!(
            !is_in(&finished),
            "{case}: in without a record: {finished:#?}"
        );
        in_after(&house.visit(&name, DIALOGUE), "enrolled");
        assert!(house.key(&name).is_some(), "{case}");
        return;
    };
    // The code that confirmed is spent.
    if begun / 30 == now() / 30 {
        let again = house.visit(&name, &code(&key, begun));
        let reason = again.log.last().and_then(|line| value(line, "reason"));
        assert!(
            !again.entered && (reason == Some("used_code") || begun / 30 != now() / 30),
            "{case}: twice: {finished:#?}\n{again:?}"
        );
    }
    in_after(&house.visit(&name, &code(&key, now() + 30)), "granted");
}

/// Authenticated, and credentials set.
fn is_in(finished: &Finished) -> bool {
    finished.stdout.starts_with("code=0 setcred=0")
}

#[test]
fn a_first_login_that_is_killed_at_any_system_call_keeps_nobody_out() {
    try_all(&House::with_store_and(ENROLL), kill_at_changes);
}

#[test]
fn a_first_login_in_a_home_that_is_killed_at_any_system_call_keeps_nobody_out() {
    if let Some(house) = House::with_homes_and(ENROLL) {
        try_all(&house, kill_at_changes);
    }
}

#[test]
fn a_system_call_that_fails_in_a_first_login_lets_nobody_in_without_a_record() {
    try_all(&House::with_store_and(ENROLL), fail_here_and_there);
}

#[test]
fn a_system_call_that_fails_in_a_first_login_in_a_home_does_neither() {
    if let Some(house) = House::with_homes_and(ENROLL) {
        try_all(&house, fail_here_and_there);
    }
}
