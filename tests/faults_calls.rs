//! A login is killed at each of its system calls, and each of them fails: the
//! calls of a real login, as strace lists them, from where libpam opens the
//! module to `pam_end`.
//!
//! Each call is tried with one error, another for each; with
//! `PAM_OTP_FAULTS=all`, as `make faults` runs it, with all of them.

mod common;
mod faults;

use faults::{House, Login, RULES, Said, each, fail, fail_here_and_there, kill, kill_at_changes};
use pam_otp_testkit::strace::{Call, Children, Fault, inject};

struct Case {
    kind: Login,
    call: Call,
    fault: Fault,
}

fn try_all(house: &House, faults: impl Fn(usize, &Call) -> Vec<Fault>) {
    let mut cases = Vec::new();
    for kind in Login::ALL {
        // Another login begins with another error at the same call.
        let begin = cases.len();
        for (place, call) in (begin..).zip(house.calls(kind)) {
            cases.extend(faults(place, &call).into_iter().map(|fault| Case {
                kind,
                call: call.clone(),
                fault,
            }));
        }
    }
    println!("{} points", cases.len());
    each(&cases, |worker, case| check(house, worker, case));
}

fn check(house: &House, worker: usize, case: &Case) {
    let guest = house.guest(worker);
    let reply = case.kind.prepare(house, &guest);
    let login = house.login(&guest.name);
    let words: Vec<&str> = login.iter().map(String::as_str).collect();
    let finished = inject(
        house.command("strace"),
        Children::Forbidden,
        &case.call,
        case.fault,
        &words,
        &reply,
    );
    let name = format!("{:?} {:?} {}", case.kind, case.fault, case.call.text);
    if case.fault != Fault::Kill {
        // The host lives, and says in or not in; or `pam-try` itself says that
        // libpam cannot read its configuration.
        let code = finished.status.code();
        let no_start = code == Some(101) && finished.says("pam_start of Stack");
        assert!(
            matches!(code, Some(0 | 1)) || no_start,
            "{name}: {finished:#?}"
        );
    }
    assert!(
        case.kind.opens() || !(finished.reported() || finished.says("outcome=granted")),
        "{name}: {finished:#?}"
    );
    house.check_after(&guest, &finished, &name);
}

#[test]
fn a_login_that_is_killed_at_any_system_call_opens_nothing_twice_and_keeps_nobody_out() {
    try_all(&House::with_store(), kill);
}

#[test]
fn a_login_in_a_home_that_is_killed_at_any_system_call_does_neither() {
    if let Some(house) = House::with_homes() {
        try_all(&house, kill);
    }
}

#[test]
fn a_system_call_that_fails_lets_nobody_in_or_by_and_keeps_nobody_out_after() {
    try_all(&House::with_store(), fail);
}

#[test]
fn a_system_call_that_fails_in_a_login_in_a_home_does_neither() {
    if let Some(house) = House::with_homes() {
        try_all(&house, fail);
    }
}

/// By a file of another program: the state alone is ours, and the first login
/// makes it.
#[test]
fn a_login_by_another_program_s_file_that_is_killed_at_any_system_call_does_neither() {
    if let Some(house) = House::with_foreign_files() {
        try_all(&house, kill_at_changes);
    }
}

#[test]
fn a_system_call_that_fails_in_a_login_by_another_program_s_file_does_neither() {
    if let Some(house) = House::with_foreign_files() {
        try_all(&house, fail_here_and_there);
    }
}

/// Where a call that the disk fails is made good in memory, that counts as much.
#[test]
fn where_memory_stands_in_for_the_disk_a_system_call_that_fails_does_neither() {
    let rules = format!("{RULES}\nunwritable = \"volatile\"");
    if let Some(house) = House::with_homes_and(&rules) {
        try_all(&house, fail);
    }
}
