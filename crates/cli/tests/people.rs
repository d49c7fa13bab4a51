//! The command in the hands of root and of other users, in a sandbox.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

use std::process::{Command, Stdio};
use std::time::Duration;

use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::sandbox::{Sandbox, run};

const SOON: Duration = Duration::from_secs(20);

/// A sandbox with alice in it; none without root.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    sandbox.add_user("alice", "correct horse");
    Some(sandbox)
}

fn as_root(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(sandbox.pam_otp());
    command.args(arguments);
    command
}

fn as_alice(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command_as("alice", sandbox.pam_otp());
    command.args(arguments);
    command
}

/// Exit status and what was said on standard error.
fn said(mut command: Command) -> (Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn use_system_store(sandbox: &Sandbox) {
    sandbox.write("/etc/security/pam_otp.toml", "store = \"system\"\n", 0o644);
    run(
        sandbox.command("chown").args(["root:", "/var/lib/pam-otp"]),
        "",
    );
    run(
        sandbox.command("chmod").args(["700", "/var/lib/pam-otp"]),
        "",
    );
}

/// Enrols; the phone is oathtool.
fn enroll(mut command: Command) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("Key:") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "no key");
    }
    let key = line.trim_start_matches("Key:").replace(' ', "");
    let code = code(key.trim(), now());
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{code}").unwrap();
    drop(input);
    stdout.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_log_says_who_enrolled_and_who_disabled_whom() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let logged = |words: &str| {
        let wanted = format!("{words} outcome=done path=/home/alice/.pam-otp");
        let line = sandbox
            .syslog()
            .wait_for(|line| line.ends_with(&wanted), SOON);
        assert!(line.starts_with("pam-otp["), "{line}");
    };
    enroll(as_alice(&sandbox, &["enroll"]));
    logged("action=enroll user=alice by=alice");
    run(&mut as_root(&sandbox, &["disable", "--user", "alice"]), "");
    logged("action=disable user=alice by=root");
    enroll(as_root(&sandbox, &["--user", "alice", "enroll"]));
    logged("action=enroll user=alice by=root");
    // authpriv.notice
    let messages = sandbox.syslog().messages();
    let ours = messages.iter().filter(|line| line.contains("pam-otp["));
    assert!(ours.clone().all(|line| line.starts_with("<85>")));
    assert_eq!(ours.count(), 3, "{messages:#?}");
}

#[test]
fn a_system_without_a_log_keeps_nobody_from_enrolling() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    run(sandbox.command("rm").arg("/dev/log"), "");
    enroll(as_alice(&sandbox, &["enroll"]));
}

#[test]
fn what_only_asks_or_fails_leaves_no_line_in_the_log() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    for command in [
        "status", "enroll", "confirm", "verify", "resync", "show", "disable",
    ] {
        said(as_alice(&sandbox, &[command]));
        said(as_root(&sandbox, &[command, "--user", "alice"]));
    }
    let mut lines = sandbox.syslog().lines();
    lines.retain(|line| line.starts_with("pam-otp"));
    assert_eq!(lines, [""; 0]);
}

#[test]
fn a_user_whom_the_system_does_not_know_is_an_error_for_every_command() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let error = "pam-otp: error: user nosuch is not known to this system\n";
    for command in [
        "enroll", "confirm", "status", "verify", "resync", "show", "disable",
    ] {
        let (status, said) = said(as_root(&sandbox, &[command, "--user", "nosuch"]));
        assert_eq!((status, said.as_str()), (Some(1), error), "{command}");
    }
}

#[test]
fn the_system_store_takes_a_stranger_s_name_with_a_warning() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    use_system_store(&sandbox);
    let (_, said_first) = said(as_root(&sandbox, &["enroll", "--user", "box@example.org"]));
    let warning = "pam-otp: warning: user box@example.org is not known to this system\n";
    assert!(said_first.starts_with(warning), "{said_first}");
    let (status, said) = said(as_root(&sandbox, &["status", "--user", "box@example.org"]));
    assert_eq!((status, said.as_str()), (Some(0), ""));
}

#[test]
fn a_user_is_sent_to_the_administrator_with_the_line_to_type() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    use_system_store(&sandbox);
    for command in [
        "status", "enroll", "confirm", "verify", "resync", "show", "disable",
    ] {
        let (status, said) = said(as_alice(&sandbox, &[command]));
        assert_eq!(status, Some(1));
        let hint = format!(
            "pam-otp: hint: ask the administrator; as root: pam-otp {command} --user alice\n"
        );
        assert!(said.ends_with(&hint), "{said}");
    }
}

#[test]
fn a_hint_names_the_user_whom_the_command_was_about() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let (_, said_off) = said(as_root(&sandbox, &["disable", "--user", "alice"]));
    let hint = "pam-otp: hint: pam-otp enroll --user alice switches it on\n";
    assert!(said_off.ends_with(hint), "{said_off}");
    enroll(as_root(&sandbox, &["enroll", "--user", "alice"]));
    let (_, said_on) = said(as_root(&sandbox, &["enroll", "--user", "alice"]));
    assert!(
        said_on.contains("pam-otp show --user alice shows its key again"),
        "{said_on}"
    );
}

#[test]
fn a_policy_that_alice_cannot_read_is_named_with_the_mode_it_needs() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.write("/etc/security/pam_otp.toml", "", 0o600);
    let (status, said) = said(as_alice(&sandbox, &["status"]));
    assert_eq!(status, Some(3));
    let hint = "pam-otp: hint: as root: chmod 0644 /etc/security/pam_otp.toml\n";
    assert!(said.ends_with(hint), "{said}");
}

#[test]
fn a_state_that_lost_its_token_file_can_be_enrolled_over() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enroll(as_alice(&sandbox, &["enroll"]));
    run(
        sandbox.command("rm").arg("/home/alice/.pam-otp/token.toml"),
        "",
    );
    let (status, _) = said(as_alice(&sandbox, &["status"]));
    assert_eq!(status, Some(3));
    enroll(as_alice(&sandbox, &["enroll"]));
    let (status, _) = said(as_alice(&sandbox, &["status"]));
    assert_eq!(status, Some(0));
}

#[test]
fn a_record_that_is_not_as_it_should_be_is_set_aside_and_root_is_told_where() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let lay = "ln -s /etc/passwd /home/alice/.pam-otp";
    run(sandbox.command("sh").args(["-euc", lay]), "");
    let output = run(&mut as_root(&sandbox, &["disable", "--user", "alice"]), "");
    let (off, aside) = output.split_once('\n').unwrap();
    assert_eq!(off, "Two-factor login is off for alice.");
    let path = aside
        .strip_prefix("The record was not as it should be, or kept locked; it lies at ")
        .and_then(|rest| rest.strip_suffix(" now.\n"))
        .unwrap();
    run(sandbox.command("test").args(["-L", path]), "");
    enroll(as_root(&sandbox, &["enroll", "--user", "alice"]));
}

#[test]
fn the_documented_commands_move_a_record_to_the_system_store() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enroll(as_alice(&sandbox, &["enroll"]));
    let page = include_str!("../../../docs/stores.md");
    let begin = page.find("install -d -m 700 /var/lib/pam-otp/alice\n");
    let (commands, _) = page
        .get(begin.unwrap()..)
        .and_then(|rest| rest.split_once("```"))
        .unwrap();
    use_system_store(&sandbox);
    run(sandbox.command("bash").args(["-euc", commands]), "");
    let status = run(&mut as_root(&sandbox, &["status", "--user", "alice"]), "");
    let lines = "two-factor login: on\nrecord: /var/lib/pam-otp/alice\n";
    assert!(status.contains(lines), "{status}");
    run(
        sandbox
            .command("test")
            .args(["!", "-e", "/home/alice/.pam-otp"]),
        "",
    );
}

/// What a program is told: the error's code, the exit status, and the hint.
fn refused(mut command: Command) -> (String, Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |field: &str| {
        let text = answer.pointer(&format!("/error/{field}")).unwrap();
        text.as_str().unwrap_or_default().to_owned()
    };
    (text("code"), output.status.code(), text("hint"))
}

#[test]
fn a_disk_that_is_full_or_read_only_is_named_and_the_record_stays_whole() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let shell = |script: &str| run(sandbox.command("sh").args(["-euc", script]), "");
    shell(
        "mount -t tmpfs -o size=64k,mode=700 tmpfs /home/alice
         chown alice: /home/alice",
    );
    enroll(as_alice(&sandbox, &["enroll"]));
    let record = || shell("cat /home/alice/.pam-otp/*");
    let before = record();
    // Root needs no proof with --user.
    let add = ["enroll", "--json", "--user", "alice", "--name", "tablet"];
    shell("cat /dev/zero > /home/alice/fill 2>&1 || true");
    let (code, status, hint) = refused(as_root(&sandbox, &add));
    assert_eq!((code.as_str(), status), ("disk_full", Some(3)));
    assert_eq!(hint, "make room, and run the command again");
    assert_eq!(record(), before);

    shell("rm /home/alice/fill; mount -o remount,ro /home/alice");
    let (code, status, _) = refused(as_root(&sandbox, &add));
    assert_eq!((code.as_str(), status), ("read_only", Some(3)));
    assert_eq!(record(), before);

    shell("mount -o remount,rw /home/alice");
    enroll(as_root(
        &sandbox,
        &["enroll", "--user", "alice", "--name", "tablet"],
    ));
    let status = run(&mut as_root(&sandbox, &["status", "--user", "alice"]), "");
    assert!(status.contains("token: tablet (totp,"), "{status}");
}

#[test]
fn a_home_that_is_not_there_is_named() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    run(sandbox.command("rm").args(["-r", "/home/alice"]), "");
    for command in ["enroll", "confirm", "status"] {
        let (code, status, hint) =
            refused(as_root(&sandbox, &[command, "--json", "--user", "alice"]));
        assert_eq!(
            (code.as_str(), status),
            ("missing_directory", Some(3)),
            "{command}"
        );
        assert!(hint.starts_with("mkdir -m 0700 /home/alice"), "{hint}");
    }
}

#[test]
fn alice_cancels_what_root_began_and_root_what_alice_began_and_the_log_says_who_did() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let root = ["enroll", "--json", "--user", "alice"];
    run(&mut as_root(&sandbox, &root), "");
    run(&mut as_alice(&sandbox, &["cancel"]), "");
    run(&mut as_alice(&sandbox, &["enroll", "--json"]), "");
    run(&mut as_root(&sandbox, &["cancel", "--user", "alice"]), "");
    assert_eq!(
        said(as_alice(&sandbox, &["cancel", "--user", "bob"])).0,
        Some(1)
    );
    for who in ["alice", "root"] {
        let wanted =
            format!("action=cancel user=alice by={who} outcome=done path=/home/alice/.pam-otp");
        sandbox
            .syslog()
            .wait_for(|line| line.ends_with(&wanted), SOON);
    }
    // A user whose store is root's is sent to root.
    use_system_store(&sandbox);
    run(&mut as_root(&sandbox, &root), "");
    let (status, words) = said(as_alice(&sandbox, &["cancel"]));
    assert_eq!(status, Some(1));
    assert!(
        words.contains("as root: pam-otp cancel --user alice\n"),
        "{words}"
    );
}

#[test]
fn what_root_begins_alice_confirms_and_the_log_says_who_did() {
    use std::io::Write as _;
    let Some(sandbox) = sandbox() else {
        return;
    };
    let begun = run(
        &mut as_root(&sandbox, &["enroll", "--json", "--user", "alice"]),
        "",
    );
    let begun: serde_json::Value = serde_json::from_str(&begun).unwrap();
    let key = begun.pointer("/token/key").unwrap().as_str().unwrap();
    let mut command = as_alice(&sandbox, &["confirm", "--json"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", code(key, now())).unwrap();
    drop(input);
    assert!(child.wait_with_output().unwrap().status.success());
    let wanted = "action=enroll user=alice by=alice outcome=done path=/home/alice/.pam-otp";
    sandbox
        .syslog()
        .wait_for(|line| line.ends_with(wanted), SOON);
    let secret = |line: &String| line.contains(key);
    assert!(!sandbox.syslog().messages().iter().any(secret));
}
