//! The example stacks: each is used, and the one for daemons works.

#![allow(
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod world;

use std::collections::BTreeSet;

use pam_otp_testkit::pam::Stack;
use world::{PASSWORD, World};

/// Who uses which example.
const USED: &[(&str, &str)] = &[
    ("sshd-password-and-code", include_str!("sshd.rs")),
    ("sshd-key-and-code", include_str!("sshd.rs")),
    ("sshd-one-field", include_str!("sshd.rs")),
    ("sudo", include_str!("sudo.rs")),
    ("su", include_str!("su.rs")),
    ("login", include_str!("login.rs")),
    ("cockpit", include_str!("cockpit.rs")),
    ("one-field-daemon", include_str!("examples.rs")),
    // By `make check-apps`.
    (
        "two-field-daemon",
        include_str!("../apps/programs/openvpn.py"),
    ),
    ("su-one-field", include_str!("../apps/programs/ajenti.py")),
    ("polkit-1", include_str!("../apps/programs/polkit.py")),
    ("screen-locker", include_str!("../apps/screen.py")),
];

#[test]
fn every_example_is_used_by_a_test() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/pam.d-examples");
    let there: BTreeSet<_> = std::fs::read_dir(directory)
        .expect("the examples")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .collect();
    let used: BTreeSet<_> = USED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, used);
    for (name, test) in USED {
        assert!(test.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn an_example_names_the_module_as_an_administrator_would_and_only_for_auth() {
    for (name, _) in USED {
        let text = world::read(name);
        let rules = text.lines().filter(|line| !line.starts_with('#'));
        let ours: Vec<_> = rules.filter(|line| line.contains("pam_otp")).collect();
        assert!(!ours.is_empty(), "{name}");
        for line in ours {
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(words[..3], ["auth", "required", "pam_otp.so"], "{name}");
        }
        assert!(text.starts_with("# /etc/pam.d/"), "{name}");
        assert!(text.lines().all(|line| line.len() <= 110), "{name}");
    }
}

/// One login with one field, as a daemon would.
fn daemon(world: &World, stack: &Stack, user: &str, field: &str) -> bool {
    let finish = world.sandbox.race(stack, &[(user, field)]);
    // One question, whoever asks and whatever the end.
    let questions = finish[0].report.lines().skip(1).collect::<Vec<_>>();
    assert_eq!(questions[0], "EchoOff \"Password and one-time code: \"");
    finish[0].entered
}

#[test]
fn a_daemon_with_one_field_takes_password_and_code() {
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("vpn", "one-field-daemon");
    let stack = Stack::existing("vpn", None);
    let phone = world.enrol("alice");
    let code = phone.code();
    let login =
        |password: &str, code: &str| daemon(&world, &stack, "alice", &format!("{password}{code}"));
    assert!(!login(PASSWORD, ""));
    assert!(!login(PASSWORD, &phone.wrong_code()));
    assert!(!login("", &code));
    assert!(!login("wrong", &code));
    assert!(login(PASSWORD, &code), "a wrong password used up the code");
    assert!(!login(PASSWORD, &code));
    assert!(login(PASSWORD, &phone.recovery[2]));
    assert!(!daemon(
        &world,
        &stack,
        "nobody-here",
        "correct horse123456"
    ));

    let from = ["user=alice", "service=vpn"];
    for (outcome, reason) in [
        ("outcome=held", "reason=split"),
        ("outcome=denied", "reason=wrong_code"),
        ("outcome=denied", "reason=used_code"),
        ("outcome=granted", "reason=code"),
        ("outcome=granted", "reason=recovery_code"),
    ] {
        world.logged(&[&from[..], &[outcome, reason]].concat());
    }
}
