//! What a login costs, in instructions and system calls, which are the same on
//! a busy machine and an idle one. Never in time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Phone, Realm};
use pam_otp_core::code::Digits;
use pam_otp_core::store::{STATE_FILE, TOKEN_FILE};
use pam_otp_core::time::Period;
use pam_otp_core::token::Kind;
use pam_otp_testkit::authenticator::Algorithm;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::strace::{Call, Children, finish, list};
use pam_otp_testkit::temp::TempDir;
use pam_otp_testkit::{artifacts, authenticator};

/// In every system's user database.
const USER: &str = "bin";

/// Seconds that a code lives, as long as it can: under valgrind, on a busy
/// machine, others would not live long enough.
const PERIOD: u64 = 300;

/// What one login may cost, with the reasons. The module is of the test's own
/// profile.
const BUDGET: &str = include_str!("cost.budget");

/// Calls beyond the budget that pass: the user database and the log of another
/// system.
const SPARE_CALLS: u64 = 10;

/// What logins with this reason word may cost: instructions and system calls, as
/// they are in the file.
fn budget(reason: &str) -> (u64, Option<u64>) {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let mut lines = BUDGET.lines().map(|line| line.split_whitespace());
    let figures = lines.find_map(|mut words| {
        let ours = words.next() == Some(reason) && words.next() == Some(profile);
        ours.then(|| words.map(|word| word.parse().ok()).collect::<Vec<_>>())
    });
    match figures.as_deref() {
        Some([Some(instructions), calls]) => (*instructions, *calls),
        other => panic!("{reason}, {profile}: {other:?} in cost.budget"),
    }
}

/// A login: a program and its arguments.
fn login(stack: &Stack) -> Vec<String> {
    let pam_try = artifacts::helper("pam-try");
    let directory = stack.directory().expect("a directory");
    let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let mut words = vec![path(&pam_try), "--confdir".to_owned(), path(directory)];
    words.extend(["--service", stack.service(), "--user", USER].map(str::to_owned));
    words.extend(["--rhost", "192.0.2.7"].map(str::to_owned));
    words
}

/// What callgrind counts in one login from where libpam calls the module to
/// where it returns, with all that it calls: parsing, hashes, locks, the log.
/// Not the machine's user database, whose sources are its own.
fn instructions(stack: &Stack, reply: &str, says: &str) -> u64 {
    let directory = TempDir::new();
    let out = directory.path().join("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg("--toggle-collect=pam_sm_authenticate")
        .arg("--toggle-collect=getpwnam_r*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args(login(stack));
    let finished = finish(valgrind, reply);
    assert!(finished.stderr.contains(says), "{says}: {finished:#?}");
    let counted = fs::read_to_string(&out).expect("what callgrind counted");
    let mut lines = counted.lines();
    let total = lines.find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.expect("a total")
}

#[test]
fn no_login_costs_more_instructions_than_its_budget() {
    let asked = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: valgrind is not installed");
        return;
    }
    let realm = Realm::new("");
    let stack = realm.stack("");
    // Eight digits: that a wrong code is right by chance must not happen.
    let period = Period::new(PERIOD).unwrap();
    let phone = realm.enrol_as(USER, Kind::Totp { period }, Digits::new(8).unwrap());
    let now = authenticator::now();
    let code = authenticator::totp(&phone.secret, now, Algorithm::Sha1, 8, PERIOD);
    // A second wrong code finds a first one in the state.
    for (reply, reason) in [
        (&phone.wrong(), "wrong_code"),
        (&phone.wrong(), "wrong_code"),
        (&code, "code"),
        (&code, "used_code"),
        (&phone.recovery[9], "recovery_code"),
    ] {
        let cost = instructions(&stack, reply, &format!(" reason={reason} "));
        let (budget, _) = budget(reason);
        println!("{reason}: {cost} instructions, {budget} in the budget");
        assert!(
            (50_000..=budget + budget / 4).contains(&cost),
            "{reason}: {cost} instructions; cost.budget has {budget}"
        );
    }
}

/// Calls, and the bytes that each read or wrote.
type Work = Vec<(String, Option<u64>)>;

/// What a login does from where the module is opened to its end.
fn work(stack: &Stack, reply: &str, entered: bool) -> Work {
    let login = login(stack);
    let words: Vec<&str> = login.iter().map(String::as_str).collect();
    let (finished, calls) = list(Command::new("strace"), Children::Forbidden, &words, reply);
    assert_eq!(finished.status.success(), entered, "{finished:#?}");
    let first = calls.iter().position(|call| {
        call.name == "openat" && call.text.contains("pam_otp.so") && !call.text.contains("ENOENT")
    });
    let calls = &calls[first.expect("the module is opened")..];
    calls.iter().map(cost).collect()
}

fn cost(call: &Call) -> (String, Option<u64>) {
    let moves = ["read", "write", "send", "recv"];
    let moves = moves.iter().any(|word| call.name.contains(word));
    let result = call.text.rsplit_once(" = ").map(|(_, result)| result);
    // Of a call that fails ("-1 EAGAIN") that it did is compared.
    let bytes = result.and_then(|result| result.split(' ').next()?.parse().ok());
    (call.name.clone(), bytes.filter(|_| moves))
}

/// Makes it 2,000 records. By copies: each enrolment waits for the disk.
fn crowd(realm: &Realm) {
    realm.enrol("user0");
    for number in 1..1999 {
        let copy = realm.record(&format!("user{number}"));
        fs::DirBuilder::new().mode(0o700).create(&copy).unwrap();
        for file in [TOKEN_FILE, STATE_FILE] {
            fs::copy(realm.record("user0").join(file), copy.join(file)).unwrap();
        }
    }
    let records = realm.record(USER);
    let count = fs::read_dir(records.parent().unwrap()).unwrap().count();
    assert_eq!(count, 2000);
}

#[test]
fn a_login_costs_the_same_in_a_store_of_one_record_and_of_two_thousand() {
    type Reply = fn(&Phone) -> String;
    let replies: [(Reply, &str); 2] = [(Phone::code, "code"), (Phone::wrong, "wrong_code")];
    for (reply, reason) in replies {
        let entered = reason == "code";
        let works = [false, true].map(|crowded| {
            let realm = Realm::new("");
            let phone = realm.enrol(USER);
            if crowded {
                crowd(&realm);
            }
            work(&realm.stack(""), &reply(&phone), entered)
        });
        let [alone, crowded] = works;
        let bytes: u64 = alone.iter().filter_map(|(_, bytes)| *bytes).sum();
        println!("{reason}: {} system calls, {bytes} bytes", alone.len());
        let (_, budget) = budget(reason);
        let budget = budget.expect("a figure");
        assert!(
            alone.len() as u64 <= budget + SPARE_CALLS,
            "{reason}: {} system calls; cost.budget has {budget}: {alone:?}",
            alone.len()
        );
        assert!(bytes > 8192, "the state is read, at least: {alone:?}");
        assert_eq!(alone, crowded);
    }
}
