//! New recovery codes, and tokens one by one.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

use std::fs;
use std::process::{Command, Stdio};

use pam_otp_testkit::authenticator;
use serde_json::{Value, json};

mod common;

use common::World;

/// Who runs the tests, by name: for `--user`.
fn me() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A record whose token is called `phone`, and a second one, `tablet`.
fn with_tablet(world: &World) -> common::Enrolled {
    let shown = world.enroll();
    let uri = "otpauth://totp/tablet?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n";
    let input = format!("{}\n{uri}", shown.recovery[9]);
    world.done(&["import", "-", "--add"], &input);
    shown
}

fn names(world: &World) -> Value {
    let status = world.done(&["status"], "");
    let tokens = status["tokens"].as_array().unwrap();
    tokens.iter().map(|token| token["name"].clone()).collect()
}

#[test]
fn new_recovery_codes_open_and_the_old_ones_do_not() {
    let world = World::new();
    let shown = world.enroll();
    let answer = world.done(&["recovery"], &shown.recovery[0]);
    let new = answer["recovery_codes"].as_array().unwrap();
    assert_eq!(new.len(), 10);
    for old in &shown.recovery {
        world.refused(&["verify"], old, "wrong_code");
    }
    let left = |place: usize| {
        let answer = world.done(&["verify"], new[place].as_str().unwrap());
        answer["recovery_codes_left"].clone()
    };
    assert_eq!((left(0), left(1)), (json!(9), json!(8)));
    // With a code of the token it goes too; in words they are the same.
    let ran = world.run(&["recovery"], &shown.code(1));
    assert!(ran.success, "{ran:?}");
    let code = ran.stdout.lines().nth(1).unwrap();
    world.done(&["verify"], code);
    world.refused(&["verify"], new[2].as_str().unwrap(), "wrong_code");
}

#[test]
fn each_token_has_its_day_and_keeps_it_under_another_name() {
    let world = World::new();
    let shown = with_tablet(&world);
    let days = || {
        let status = world.done(&["status"], "");
        let tokens = status["tokens"].as_array().unwrap();
        let days = tokens.iter().map(|token| token["added"].clone());
        days.collect::<Vec<_>>()
    };
    let before = days();
    for day in &before {
        assert!(
            day.as_u64().unwrap().abs_diff(shown.time) < 90,
            "{before:?}"
        );
    }
    world.done(&["rename", "phone", "old phone"], &shown.recovery[0]);
    assert_eq!(days(), before);
    let words = world.run(&["status"], "").stdout;
    assert_eq!(words.matches(" s, since 2").count(), 2, "{words}");

    // Who was enrolled before days were kept has none, and keeps none.
    let path = world.record().join("token.toml");
    let text = fs::read_to_string(&path).unwrap();
    let old: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("added"))
        .collect();
    fs::write(&path, old.join("\n")).unwrap();
    assert_eq!(days(), [Value::Null, Value::Null]);
    world.done(&["rename", "old phone", "phone"], &shown.recovery[1]);
    assert_eq!(days(), [Value::Null, Value::Null]);
    assert!(!world.run(&["status"], "").stdout.contains("since 2"));

    let begun = world.done(&["enroll", "--name", "watch"], &shown.recovery[2]);
    assert_eq!(begun["token"]["added"], Value::Null);
    let key = begun["token"]["key"].as_str().unwrap();
    let now = authenticator::now();
    let code = authenticator::totp(key, now, authenticator::Algorithm::Sha1, 6, 30);
    world.done(&["confirm"], &code);
    let days = days();
    assert_eq!(days[..2], [Value::Null, Value::Null]);
    assert!(days[2].as_u64().unwrap().abs_diff(now) < 90, "{days:?}");
}

#[test]
fn nothing_is_changed_without_a_code() {
    let world = World::new();
    let shown = with_tablet(&world);
    let tokens = || fs::read(world.record().join("token.toml")).unwrap();
    let before = tokens();
    for command in [
        &["recovery"][..],
        &["rename", "phone", "old phone"],
        &["remove", "tablet"],
        &["export"],
    ] {
        for (input, code) in [
            ("", "no_code"),
            ("1234", "malformed_code"),
            (&*shown.recovery[9], "used_code"),
            (&*shown.code(0), "used_code"),
        ] {
            world.refused(command, input, code);
        }
    }
    world.refused(&["recovery"], "000000", "wrong_code");
    assert_eq!(tokens(), before);
}

#[test]
fn root_needs_no_code_with_user() {
    let world = World::new();
    with_tablet(&world);
    let me = me();
    for command in [
        &["recovery", "--user", &me][..],
        &["export", "--user", &me],
        &["rename", "phone", "old phone", "--user", &me],
        &["remove", "old phone", "--user", &me],
    ] {
        world.done(command, "");
    }
    assert_eq!(names(&world), json!(["tablet"]));
}

#[test]
fn codes_that_nobody_saw_are_lost_and_that_is_said() {
    let world = World::new();
    let shown = world.enroll();
    let mut command = world.command(&["recovery"]);
    command.stdin(Stdio::piped());
    command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(
        &mut child.stdin.take().unwrap(),
        shown.recovery[0].as_bytes(),
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "pam-otp: error: the new recovery codes could not be shown, and are lost; all others are \
         void\npam-otp: hint: pam-otp recovery makes new ones\n"
    );
    world.refused(&["verify"], &shown.recovery[1], "wrong_code");
    let status = world.done(&["status"], "");
    assert_eq!(status["recovery_codes_left"], 10);
    world.done(&["recovery"], &shown.code(1));
}

#[test]
fn a_token_gets_another_name_and_keeps_its_used_codes() {
    let world = World::new();
    let shown = world.enroll();
    let ran = world.run(&["rename", "phone", "Jürgen's"], &shown.code(1));
    assert_eq!(ran.stdout, "\"phone\" is \"Jürgen's\" now.\n", "{ran:?}");
    assert_eq!(names(&world), json!(["Jürgen's"]));
    world.refused(&["verify"], &shown.code(1), "used_code");
}

#[test]
fn a_slip_in_a_name_uses_up_no_code() {
    let world = World::new();
    let shown = with_tablet(&world);
    let code = &shown.recovery[0];
    for (command, error) in [
        (&["rename", "phne", "old"][..], "no_such_token"),
        (&["rename", "phone", "tablet"], "name_taken"),
        (&["rename", "phone", "a\"b"], "bad_token_name"),
        (&["rename", "phone", ""], "bad_token_name"),
        (&["remove", "phne"], "no_such_token"),
        (&["export", "--name", "phne"], "no_such_token"),
    ] {
        world.refused(command, code, error);
    }
    world.done(&["verify"], code);
}

#[test]
fn a_removed_token_opens_no_more_and_the_last_one_stays() {
    let world = World::new();
    let shown = with_tablet(&world);
    let answer = world.done(&["remove", "phone"], &shown.recovery[0]);
    assert_eq!(answer["tokens_left"], 1);
    world.refused(&["verify"], &shown.code(1), "wrong_code");
    let error = world.refused(&["remove", "tablet"], &shown.recovery[1], "last_token");
    assert_eq!(
        error["hint"],
        "pam-otp disable switches two-factor login off"
    );
    world.done(&["verify"], &shown.recovery[1]);
}

#[test]
fn what_is_exported_makes_the_same_codes() {
    let world = World::new();
    let shown = with_tablet(&world);
    let ran = world.run(&["export"], &shown.recovery[0]);
    let uris: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(uris.len(), 2, "{ran:?}");
    assert_eq!(uris[0], shown.uri);
    let answer = world.done(&["export", "--name", "phone"], &shown.recovery[1]);
    assert_eq!(answer["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(answer["tokens"][0]["uri"], shown.uri.as_str());
    // Back again, into a store of its own.
    let other = World::new();
    other.done(&["import", "-"], &ran.stdout);
    let code = authenticator::totp(
        &shown.key,
        authenticator::now(),
        authenticator::Algorithm::Sha1,
        6,
        30,
    );
    other.done(&["verify"], &code);
}

#[test]
fn a_counter_is_exported_and_shown_from_where_it_stands() {
    let world = World::new();
    let uri = "otpauth://hotp/key?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=3\n";
    world.done(&["import", "-"], uri);
    // RFC 4226, appendix D: counter 4.
    world.done(&["verify"], "338314");
    let me = me();
    let answer = world.done(&["export", "--user", &me], "");
    let uri = answer["tokens"][0]["uri"].as_str().unwrap();
    assert!(uri.ends_with("&counter=5"), "{uri}");
    let answer = world.done(&["show", "--user", &me], "");
    assert_eq!(answer["tokens"][0]["uri"], uri);
    let words = world.run(&["show", "--user", &me], "").stdout;
    assert!(words.contains("&counter=5\n"), "{words}");
}
