//! What stands in the way of an enrolment: it is named, nothing is lost, and a
//! rerun works.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test or a helper that fails here fails as it should"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::Value;

mod common;

use common::World;

const SOON: Duration = Duration::from_secs(20);

/// A sandbox with alice in it; none without root.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    sandbox.add_user("alice", "correct horse");
    Some(sandbox)
}

fn by_alice(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command_as("alice", sandbox.pam_otp());
    command.args(arguments);
    command
}

/// What alice is answered.
fn ask(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Value {
    answer(by_alice(sandbox, &[&["--json"], arguments].concat()), input)
}

fn answer(mut command: Command, input: &str) -> Value {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that asks nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    common::schema::check(&answer).unwrap();
    answer
}

fn refused(answer: &Value, code: &str, hint: &str) {
    assert_eq!(answer["error"]["code"], code, "{answer}");
    let told = answer["error"]["hint"].as_str().unwrap_or_default();
    assert!(told.contains(hint), "{answer}");
}

fn shell(sandbox: &Sandbox, script: &str) {
    run(sandbox.command("sh").args(["-euc", script]), "");
}

/// What the phone shows for what was begun.
fn shown(begun: &Value) -> String {
    code(begun["token"]["key"].as_str().unwrap(), now())
}

#[test]
fn on_a_full_disk_a_first_enrolment_comes_to_nothing_and_goes_on_when_there_is_room() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    shell(
        &sandbox,
        "mount -t tmpfs -o size=64k,mode=700 tmpfs /home/alice; chown alice: /home/alice",
    );
    let fill = "cat /dev/zero > /home/alice/fill 2>&1 || true";
    shell(&sandbox, fill);
    let room = "make room, and run the command again";
    refused(&ask(&sandbox, &["enroll"], ""), "disk_full", room);
    assert_eq!(ask(&sandbox, &["status"], "")["enrolled"], false);

    shell(&sandbox, "rm /home/alice/fill");
    let begun = ask(&sandbox, &["enroll"], "");
    assert_eq!(begun["ok"], true, "{begun}");
    shell(&sandbox, fill);
    let confirmed = ask(&sandbox, &["confirm"], &shown(&begun));
    refused(&confirmed, "disk_full", room);
    let status = ask(&sandbox, &["status"], "");
    assert_eq!(status["enrolled"], false, "{status}");
    assert_eq!(status["pending"]["name"], "phone", "{status}");

    // Even the code is good still.
    shell(&sandbox, "rm /home/alice/fill");
    let confirmed = ask(&sandbox, &["confirm"], &shown(&begun));
    assert_eq!(confirmed["ok"], true, "{confirmed}");
    assert_eq!(ask(&sandbox, &["status"], "")["enrolled"], true);
}

#[test]
fn in_a_home_that_cannot_be_written_nothing_begins_and_nothing_ends() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    shell(
        &sandbox,
        "mount -t tmpfs -o size=1m,mode=700 tmpfs /home/alice; chown alice: /home/alice",
    );
    let mount = |how: &str| shell(&sandbox, &format!("mount -o remount,{how} /home/alice"));
    let writing = "mount it for writing";
    mount("ro");
    refused(&ask(&sandbox, &["enroll"], ""), "read_only", writing);
    assert_eq!(ask(&sandbox, &["status"], "")["enrolled"], false);
    mount("rw");
    let begun = ask(&sandbox, &["enroll"], "");
    mount("ro");
    let confirm = ask(&sandbox, &["confirm"], &shown(&begun));
    refused(&confirm, "read_only", writing);
    refused(&ask(&sandbox, &["cancel"], ""), "read_only", writing);
    mount("rw");
    let confirmed = ask(&sandbox, &["confirm"], &shown(&begun));
    assert_eq!(confirmed["ok"], true, "{confirmed}");
}

#[test]
fn a_user_without_a_home_is_told_so_and_root_where_a_record_can_be() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    shell(&sandbox, "sed -i s,:/home/alice:,:/home/none:, /etc/passwd");
    for command in ["enroll", "confirm", "status", "cancel"] {
        let answer = ask(&sandbox, &[command], "");
        refused(&answer, "missing_directory", "mkdir -m 0700 /home/none");
        assert_eq!(answer["error"]["path"], "/home/none", "{answer}");
    }
    shell(&sandbox, "sed -i s,:/home/none:,::, /etc/passwd");
    for command in ["enroll", "status"] {
        let answer = ask(&sandbox, &[command], "");
        refused(
            &answer,
            "missing_directory",
            "store = \"system\" in the policy",
        );
        let message = "the user has no home directory";
        assert_eq!(answer["error"]["message"], message, "{answer}");
    }
    // Where the administrator keeps records, no home is needed.
    sandbox.write("/etc/security/pam_otp.toml", "store = \"system\"\n", 0o644);
    shell(&sandbox, "install -d -m 700 -o root /var/lib/pam-otp");
    let mut by_root = sandbox.command(sandbox.pam_otp());
    by_root.args(["--json", "enroll", "--user", "alice"]);
    assert_eq!(answer(by_root, "")["ok"], true);
}

#[test]
fn where_the_policy_keeps_records_from_users_each_command_says_who_can_do_it() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.write("/etc/security/pam_otp.toml", "store = \"system\"\n", 0o644);
    shell(&sandbox, "install -d -m 700 -o root /var/lib/pam-otp");
    for command in [
        &["enroll"][..],
        &["confirm"],
        &["cancel"],
        &["status"],
        &["verify"],
        &["resync"],
        &["show"],
        &["disable"],
        &["recovery"],
        &["rename", "phone", "tablet"],
        &["remove", "phone"],
        &["import", "-"],
        &["import", "--add", "-"],
        &["export"],
    ] {
        let answer = ask(
            &sandbox,
            command,
            "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ\n",
        );
        let hint = format!("as root: pam-otp {} --user alice", command[0]);
        refused(&answer, "administrator_only", &hint);
    }
}

#[test]
fn who_interrupts_at_the_question_has_begun_and_changed_nothing() {
    use std::os::unix::process::ExitStatusExt as _;
    let world = World::new();
    let png = world.path("code.png");
    let enroll = ["enroll", "--png", png.to_str().unwrap()];
    // Ctrl-C, and Ctrl-C after a wrong code.
    for keys in [&b"\x03"[..], b"000000\n\x03"] {
        let mut terminal = Pty::spawn(world.command(&enroll));
        let first = terminal.expect("\nCode: ", SOON);
        assert!(png.exists());
        for part in keys.split_inclusive(|key| *key == b'\n') {
            terminal.send(part);
            if part.ends_with(b"\n") {
                terminal.expect("\nCode: ", SOON);
            }
        }
        // As a shell wants to see it.
        assert_eq!(terminal.wait().signal(), Some(2));
        assert!(!png.exists(), "the picture of a key that is of no use");
        let status = world.done(&["status"], "");
        assert_eq!(status["enrolled"], false);
        assert_eq!(status["pending"], Value::Null);

        // Of what a panel has begun a person is told.
        world.done(&["enroll", "--name", "handset"], "");
        let mut terminal = Pty::spawn(world.command(&["enroll"]));
        let again = terminal.expect("\nCode: ", SOON);
        let replaced = "warning: an enrolment of \"handset\" was begun and not confirmed; this \
                        one takes its place";
        assert!(again.contains(replaced), "{again}");
        assert_ne!(key(&again), key(&first));
        // Those of the first one confirm nothing.
        terminal.send_line(&code(&key(&first), now()));
        terminal.expect("That code does not match", SOON);
        terminal.expect("\nCode: ", SOON);
        terminal.send_line(&code(&key(&again), now()));
        terminal.expect("they are not shown again.", SOON);
        assert!(terminal.wait().success());
        let paper = paper(&terminal.output());
        world.done(&["disable"], &paper[0]);
    }
}

#[test]
fn who_interrupts_a_replacement_keeps_the_old_phone() {
    let world = World::new();
    let phone = world.enroll();
    for _ in 0..2 {
        let mut terminal = Pty::spawn(world.command(&["enroll", "--replace", "phone"]));
        terminal.expect("Code or recovery code: ", SOON);
        terminal.send(b"\x03");
        assert!(!terminal.wait().success());
    }
    let mut terminal = Pty::spawn(world.command(&["enroll", "--replace", "phone"]));
    terminal.expect("Code or recovery code: ", SOON);
    terminal.send_line(&phone.recovery[0]);
    let new = key(&terminal.expect("\nCode: ", SOON));
    terminal.send(b"\x03");
    assert!(!terminal.wait().success());
    world.done(&["verify"], &phone.code(1));
    world.refused(&["verify"], &code(&new, now()), "wrong_code");
    assert_eq!(world.done(&["status"], "")["recovery_codes_left"], 9);
    world.refused(&["cancel"], "", "no_pending");
}

/// The key that the terminal shows.
fn key(shown: &str) -> String {
    let line = shown.lines().find_map(|line| line.strip_prefix("Key:"));
    line.unwrap().replace(' ', "").trim().to_owned()
}

/// The recovery codes that the terminal shows.
fn paper(shown: &str) -> Vec<String> {
    let lines = shown.lines().map(str::trim);
    let codes = lines.filter(|line| line.len() == 19 && line.matches('-').count() == 3);
    codes.map(str::to_owned).collect()
}
