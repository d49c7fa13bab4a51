//! A code that counts for further logins from the same place, through the real
//! libpam and a real sudo.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;
mod world;

use std::fs;
use std::process::Command;

use common::{Phone, Realm, Visit, value, visit_from};
use pam_otp_core::source::Source;
use pam_otp_core::state::State;
use pam_otp_core::state::slots::Slots;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::TokenFile;
use pam_otp_testkit::pam::{self, Stack};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::{artifacts, authenticator};
use world::{PASSWORD, QUESTION, SOON, World};

const HOME: &str = "192.0.2.7";
const HOUR: u64 = 3600;

/// Lines of ours, and then a module that lets in whom they have not refused.
fn stack(realm: &Realm, lines: &[&str]) -> Stack {
    let ours = lines
        .iter()
        .map(|arguments| format!("auth required {}\n", realm.module(arguments)));
    let lines: String = ours
        .chain(["auth required pam_permit.so".to_owned()])
        .collect();
    Stack::new("door", &lines)
}

fn visit(stack: &Stack, rhost: &str, reply: &str) -> Visit {
    let pam_try = Command::new(artifacts::helper("pam-try"));
    visit_from(pam_try, stack, "alice", rhost, reply)
}

fn reasons(visit: &Visit) -> Vec<&str> {
    let lines = visit.log.iter();
    lines.filter_map(|line| value(line, "reason")).collect()
}

#[track_caller]
fn is_remembered(visit: &Visit) {
    assert!(visit.entered && visit.prompts.is_empty(), "{visit:?}");
    assert_eq!(reasons(visit), ["remembered"], "{visit:?}");
}

#[track_caller]
fn is_asked(visit: &Visit) {
    assert!(!visit.entered && visit.prompts.len() == 1, "{visit:?}");
    assert_eq!(reasons(visit), ["no_code"], "{visit:?}");
}

/// Alice has logged in with a code from her address.
fn logged_in() -> (Realm, Phone, Stack) {
    let realm = Realm::new("remember = \"8h\"");
    let phone = realm.enrol("alice");
    let stack = stack(&realm, &[""]);
    let first = visit(&stack, HOME, &phone.code());
    assert!(first.entered, "{first:?}");
    assert_eq!(reasons(&first), ["code"]);
    (realm, phone, stack)
}

/// Has alice's record remember a login from her address at that time.
fn remember(realm: &Realm, time: u64) {
    let tokens = fs::read(realm.token_file("alice")).unwrap();
    let tokens = TokenFile::parse(&tokens).unwrap();
    let place = Source::remote(HOME).place().unwrap().id(&tokens);
    let state = State::default().remembering(place, UnixTime(time));
    fs::write(realm.state_file("alice"), Slots::create(&state).unwrap()).unwrap();
}

#[test]
fn after_a_code_none_is_asked_from_the_same_address_and_nothing_is_written() {
    let (realm, _, stack) = logged_in();
    let before = fs::read(realm.state_file("alice")).unwrap();
    for rhost in [HOME, HOME, "::ffff:192.0.2.7"] {
        let visit = visit(&stack, rhost, "");
        is_remembered(&visit);
        let line =
            format!("outcome=skipped reason=remembered user=alice service=door rhost={rhost}");
        assert_eq!(visit.line(), line);
    }
    assert_eq!(fs::read(realm.state_file("alice")).unwrap(), before);
}

#[test]
fn elsewhere_and_where_nothing_is_remembered_it_is_asked() {
    let (realm, _, door) = logged_in();
    for rhost in ["192.0.2.8", "2001:db8::1", "host.example.org", ""] {
        is_asked(&visit(&door, rhost, "\n"));
    }
    is_asked(&visit(&stack(&realm, &["remember=0"]), HOME, "\n"));
    is_remembered(&visit(&door, HOME, ""));
}

#[test]
fn what_a_daemon_calls_its_terminal_is_none() {
    let realm = Realm::new("remember = \"8h\"");
    let phone = realm.enrol("alice");
    let door = stack(&realm, &[""]);
    let local = |reply: &str| {
        let mut pam_try = Command::new(artifacts::helper("pam-try"));
        pam_try.args(["--tty", "dovecot"]);
        visit_from(pam_try, &door, "alice", "", reply)
    };
    assert!(local(&phone.code()).entered);
    is_asked(&local("\n"));
}

#[test]
fn it_lasts_as_long_as_the_policy_says_and_a_clock_that_was_set_back_ends_it() {
    let realm = Realm::new("remember = \"8h\"");
    realm.enrol("alice");
    let door = stack(&realm, &[""]);
    // A minute to and fro: a test may be slow.
    for (age, known) in [
        (0, true),
        (8 * HOUR - 60, true),
        (8 * HOUR, false),
        (8 * HOUR + 60, false),
        (30 * 24 * HOUR, false),
    ] {
        remember(&realm, authenticator::now() - age);
        if known {
            is_remembered(&visit(&door, HOME, ""));
        } else {
            is_asked(&visit(&door, HOME, "\n"));
        }
    }
    remember(&realm, authenticator::now() + 60);
    is_asked(&visit(&door, HOME, "\n"));
    remember(&realm, authenticator::now() - HOUR);
    is_remembered(&visit(&door, HOME, ""));
    is_asked(&visit(&stack(&realm, &["remember=30m"]), HOME, "\n"));
}

#[test]
fn a_new_token_is_asked_for() {
    let (realm, phone, door) = logged_in();
    // A new enrolment.
    let (old_state, old_token) = (realm.state_file("alice"), realm.token_file("alice"));
    let state = fs::read(&old_state).unwrap();
    realm.remove("alice");
    let new = realm.enrol("alice");
    is_asked(&visit(&door, HOME, "\n"));
    // A new secret beside the old state.
    fs::write(&old_state, &state).unwrap();
    is_asked(&visit(&door, HOME, "\n"));
    let text = fs::read_to_string(&old_token).unwrap();
    fs::write(&old_token, text.replace(&new.secret, &phone.secret)).unwrap();
    is_remembered(&visit(&door, HOME, ""));
}

#[test]
fn a_wrong_code_in_between_ends_it() {
    let (realm, phone, door) = logged_in();
    let always = stack(&realm, &["remember=0"]);
    let elsewhere = visit(&always, "192.0.2.8", &phone.wrong());
    assert_eq!(reasons(&elsewhere), ["wrong_code"]);
    is_remembered(&visit(&door, HOME, ""));
    let here = visit(&always, HOME, &phone.wrong());
    assert_eq!(reasons(&here), ["wrong_code"]);
    is_asked(&visit(&door, HOME, "\n"));
}

#[test]
fn a_broken_record_is_not_remembered_but_told() {
    let (realm, phone, door) = logged_in();
    fs::write(realm.state_file("alice"), "").unwrap();
    let visit = visit(&door, HOME, &phone.code());
    assert_eq!((visit.entered, visit.code), (false, pam::AUTH_ERR));
    assert_eq!(visit.prompts.len(), 1, "{visit:?}");
    assert!(visit.line().starts_with("outcome=denied"), "{visit:?}");
}

#[test]
fn it_alone_lets_nobody_in() {
    let (realm, ..) = logged_in();
    let visit = visit(&realm.stack(""), HOME, "");
    assert!(!visit.entered, "{visit:?}");
    assert_eq!(reasons(&visit), ["remembered"]);
}

#[test]
fn a_client_sends_the_same_field_with_each_request() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let phone = world.enrol("alice");
    let lines = "auth required {module} remember=8h split\n\
                 auth requisite pam_unix.so use_first_pass\n\
                 auth required {module} remember=8h\n\
                 account required pam_permit.so";
    let stack = world.sandbox.stack("mail", lines);
    let login = |field: &str| {
        let pam_try = world.sandbox.command(world.sandbox.pam_try());
        visit_from(pam_try, &stack, "alice", HOME, field)
    };
    let field = format!("{PASSWORD}{}", phone.code());
    let first = login(&field);
    assert!(first.entered, "{first:?}");
    assert_eq!(reasons(&first), ["split", "code"]);
    for field in [&field, &field, PASSWORD] {
        let again = login(field);
        assert!(again.entered, "{again:?}");
        assert_eq!(reasons(&again), ["remembered", "remembered"]);
    }
    // The password is checked each time.
    for field in ["wrong", "\n", &field.replace(PASSWORD, "wrong")] {
        let refused = login(field);
        assert!(!refused.entered, "{refused:?}");
        assert_eq!(reasons(&refused), ["remembered"]);
    }
}

/// Alice's shell on a terminal of its own.
fn shell(world: &World) -> Pty {
    Pty::spawn(world.sandbox.command_as("alice", "sh"))
}

/// Runs sudo there, which asks for a code if there is one to give.
fn sudo(shell: &mut Pty, code: impl FnOnce() -> Option<String>) {
    shell.expect("$ ", SOON);
    shell.send_line("sudo id -un");
    shell.expect("password for alice: ", SOON);
    shell.send_line(PASSWORD);
    if let Some(code) = code() {
        shell.expect(QUESTION, SOON);
        shell.send_line(&code);
    }
    let said = shell.expect("root\r\n", SOON);
    assert!(!said.contains(QUESTION), "{said}");
}

/// Newer sudos ask the kernel for the terminal's path. In a chroot that is no
/// mount's root it leads nowhere, and what is nowhere is not remembered.
fn terminals_have_their_paths(world: &World) -> bool {
    let mut shell = shell(world);
    shell.expect("$ ", SOON);
    shell.send_line("test -e \"$(readlink /proc/self/fd/0)\"; echo ends=$?");
    shell.expect("ends=$?", SOON);
    shell.expect("ends=", SOON);
    shell.expect("$ ", SOON).starts_with('0')
}

#[test]
fn sudo_asks_for_one_code_at_each_terminal() {
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("sudo", "sudo");
    let rules = "Defaults:alice passwd_tries=1, timestamp_timeout=0\nalice ALL=(ALL) ALL\n";
    world.sandbox.write("/etc/sudoers.d/alice", rules, 0o440);
    let policy = "/etc/security/pam_otp.toml";
    world
        .sandbox
        .write(policy, "[service.sudo]\nremember = \"8h\"\n", 0o644);
    let phone = world.enrol("alice");
    if !terminals_have_their_paths(&world) {
        eprintln!("SKIPPED: in this chroot the kernel names terminals by paths outside of it");
        return;
    }

    let mut first = shell(&world);
    sudo(&mut first, || Some(phone.code()));
    sudo(&mut first, || None);
    world.logged(&[
        "outcome=skipped",
        "reason=remembered",
        "user=alice",
        "service=sudo",
    ]);
    // Another terminal, another session.
    let mut second = shell(&world);
    sudo(&mut second, || Some(phone.next_code()));
    sudo(&mut second, || None);
    sudo(&mut first, || None);

    // Their numbers are free again, and most likely the next one has one of them.
    drop((first, second));
    let mut third = shell(&world);
    sudo(&mut third, || Some(phone.recovery[0].clone()));
    sudo(&mut third, || None);
}
