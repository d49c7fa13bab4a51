//! A token that is far off, and two of its codes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that fails here fails as it should"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::Duration;

use pam_otp_testkit::authenticator::{self, Algorithm};
use pam_otp_testkit::sandbox::{Sandbox, run};

mod common;

use common::{Ran, World};

/// Of 20 bytes.
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A phone with a record that was never used, and the time on the phone when it
/// was made: all codes of a test are counted from there.
struct Phone {
    world: World,
    time: u64,
}

impl Phone {
    /// One whose clock is so many seconds ahead.
    fn new(ahead: i64) -> Self {
        let world = World::new();
        world.enroll();
        put(&world, "totp");
        let time = authenticator::now().checked_add_signed(ahead).unwrap();
        Self { world, time }
    }

    /// The code that it shows so many steps after that time.
    fn code(&self, steps: i64) -> String {
        let time = self.time.checked_add_signed(30 * steps);
        authenticator::code(SECRET, time.unwrap())
    }

    /// Types the code before that time's, and that time's.
    fn resync(&self) -> (Ran, String) {
        let input = format!("{}\n{}\n", self.code(-1), self.code(0));
        (self.world.run(&["resync"], &input), input)
    }
}

/// Puts another token into the record, as a tool that deploys it would.
fn put(world: &World, kind: &str) {
    let record = world.record();
    let text = format!(
        "version = 1\n[[token]]\nname = \"phone\"\ntype = \"{kind}\"\nsecret = \"{SECRET}\"\n"
    );
    fs::write(record.join("token.toml"), text).unwrap();
    fs::remove_file(record.join("state")).unwrap();
}

#[test]
fn a_phone_that_is_an_hour_off_is_followed_and_its_next_code_logs_in() {
    for (ahead, which) in [(3600, "ahead of"), (-3600, "behind")] {
        let phone = Phone::new(ahead);
        let ran = phone.world.run(&["verify"], &phone.code(0));
        assert!(!ran.success, "{ran:?}");
        let (ran, _) = phone.resync();
        assert!(ran.success, "{ran:?}");
        // Our clock may tick in the meantime.
        let said = [ahead, ahead - 30].map(|seconds| {
            format!(
                "Right codes of \"phone\". They are used up now, as by a login.\n\
                 Its clock is {} seconds {which} this machine's; logins follow it now.\n",
                seconds.unsigned_abs()
            )
        });
        assert!(said.contains(&ran.stdout), "{ran:?}");
        assert_eq!(ran.stderr, "");
        let ran = phone.world.run(&["verify"], &phone.code(1));
        assert!(ran.success, "{ran:?}");
    }
}

#[test]
fn the_same_two_codes_do_it_once_and_neither_logs_in() {
    let phone = Phone::new(3600);
    let (ran, input) = phone.resync();
    assert!(ran.success, "{ran:?}");
    let ran = phone.world.run(&["resync"], &input);
    assert!(!ran.success && ran.stdout.is_empty());
    assert!(
        ran.stderr
            .contains("pam-otp: error: the code was used before\n"),
        "{ran:?}"
    );
    for code in input.lines() {
        assert!(!phone.world.run(&["verify"], code).success);
    }
}

#[test]
fn codes_that_are_not_in_a_row_are_refused_and_count_as_one_wrong_code() {
    let phone = Phone::new(3600);
    let (first, second) = (phone.code(0), phone.code(1));
    for (round, input) in (1..).zip([
        format!("{second}\n{first}\n"),
        format!("{first}\n{first}\n"),
        format!("{first}\n{}\n", phone.code(4)),
    ]) {
        let ran = phone.world.run(&["resync"], &input);
        assert!(!ran.success && ran.stdout.is_empty());
        assert!(
            ran.stderr.ends_with(
                "pam-otp: error: these are not two codes in a row of any token, within a day of now\n\
                 pam-otp: hint: take two that the app shows one right after the other\n"
            ),
            "{ran:?}"
        );
        let status = phone.world.run(&["status"], "").stdout;
        let counted = format!("wrong codes since then: {round}\n");
        assert!(status.contains(&counted), "{status}");
    }
    // The fourth pair is right, and is not looked at.
    let (ran, _) = phone.resync();
    assert!(!ran.success);
    assert!(
        ran.stderr.contains("too many wrong codes; wait "),
        "{ran:?}"
    );
    // A recovery code is no way out here.
    assert!(!ran.stderr.contains("recovery code"), "{ran:?}");
}

#[test]
fn nothing_but_two_codes_will_do_and_nothing_is_counted() {
    let world = World::new();
    let shown = world.enroll();
    let recovery = format!("{}\n{}\n", shown.recovery[0], shown.recovery[1]);
    for (input, error) in [
        ("", "no code was given; nothing was changed"),
        ("123456\n", "no code was given; nothing was changed"),
        ("\n123456\n", "no code was given"),
        ("123456\n\n", "no code was given"),
        ("12345\n123456\n", "that is not the form of a code"),
        ("123456\n123456789\n", "that is not the form of a code"),
        (
            &recovery,
            "a recovery code tells nothing of a clock; it is not used up",
        ),
    ] {
        let ran = world.run(&["resync"], input);
        assert!(!ran.success && ran.stdout.is_empty());
        let error = format!("pam-otp: error: {error}\n");
        assert!(ran.stderr.contains(&error), "{input:?}: {ran:?}");
    }
    let status = world.run(&["status"], "").stdout;
    assert!(
        status.contains("recovery codes left: 10\n")
            && status.contains("wrong codes since then: 0\n"),
        "{status}"
    );
}

#[test]
fn a_key_that_was_pressed_500_times_is_found_again() {
    let world = World::new();
    world.enroll();
    put(&world, "hotp");
    let code = |counter| authenticator::hotp(SECRET, counter, 6, Algorithm::Sha1);
    assert!(!world.run(&["verify"], &code(500)).success);
    let ran = world.run(&["resync"], &format!("{}\n{}\n", code(501), code(502)));
    assert!(ran.success, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "Right codes of \"phone\". They are used up now, as by a login.\n\
         Its counter is found again; logins go on from there.\n"
    );
    assert!(!world.run(&["verify"], &code(502)).success);
    assert!(world.run(&["verify"], &code(503)).success);
}

#[test]
fn without_a_record_it_says_how_to_get_one() {
    let ran = World::new().run(&["resync"], "123456\n654321\n");
    assert!(!ran.success && ran.stdout.is_empty());
    assert!(
        ran.stderr
            .starts_with("pam-otp: error: two-factor login is not on for ")
            && ran
                .stderr
                .ends_with("pam-otp: hint: pam-otp enroll switches it on\n"),
        "{ran:?}"
    );
}

#[test]
fn a_code_of_another_time_comes_with_the_way_to_follow_the_clock() {
    let phone = Phone::new(240);
    let ran = phone.world.run(&["verify"], &phone.code(0));
    assert!(
        ran.stderr.contains(
            " seconds ahead of this machine's clock\n\
             pam-otp: hint: check both clocks; pam-otp resync learns it, "
        ),
        "{ran:?}"
    );
}

#[test]
fn root_needs_the_codes_too_and_the_log_says_who_did_it_for_whom() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    let key = enrolled(&sandbox);
    let resync = |input: &str| {
        let mut command = sandbox.command(sandbox.pam_otp());
        command.args(["resync", "--user", "alice"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    let refused = resync("");
    assert!(!refused.status.success());
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .ends_with("pam-otp: error: no code was given; nothing was changed\n")
    );
    let logged = |line: &&String| line.contains("action=resync");
    assert_eq!(sandbox.syslog().lines().iter().filter(logged).count(), 0);

    let soon = authenticator::now() + 3600;
    let [first, second] = [soon, soon + 30].map(|time| authenticator::code(&key, time));
    let output = resync(&format!("{first}\n{second}\n"));
    assert!(output.status.success(), "{output:?}");
    let line = sandbox.syslog().wait_for(
        |line| line.contains("action=resync"),
        Duration::from_secs(20),
    );
    assert!(
        line.ends_with("action=resync user=alice by=root outcome=done path=/home/alice/.pam-otp"),
        "{line}"
    );
    for secret in [&key, &first, &second] {
        assert!(!line.contains(secret.as_str()));
    }
    // Still alice's own record, in her own hands.
    let mut verify = sandbox.command_as("alice", sandbox.pam_otp());
    verify.arg("verify");
    run(&mut verify, &authenticator::code(&key, soon + 60));
}

/// Enrols alice, and gives the key.
fn enrolled(sandbox: &Sandbox) -> String {
    let mut command = sandbox.command_as("alice", sandbox.pam_otp());
    command.arg("enroll");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.starts_with("Key:"));
    let key = line.unwrap().trim_start_matches("Key:").replace(' ', "");
    let mut stdin = child.stdin.take().unwrap();
    let code = authenticator::code(&key, authenticator::now());
    writeln!(stdin, "{code}").unwrap();
    drop(stdin);
    assert!(lines.map(Result::unwrap).count() > 0);
    assert!(child.wait().unwrap().success());
    key
}
