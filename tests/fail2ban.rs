//! The filter that we ship, read by the real fail2ban, on lines that the real
//! module wrote. Skipped where fail2ban is not installed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::Realm;
use pam_otp_testkit::artifacts::helper;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::temp::TempDir;

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/fail2ban");

/// Whether there is a fail2ban to ask; says so if not.
fn is_installed() -> bool {
    let asked = Command::new("fail2ban-regex")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let installed = asked.is_ok_and(|status| status.success());
    if !installed {
        eprintln!("SKIPPED: fail2ban-regex is not installed");
    }
    installed
}

/// The addresses that the filter counts in these lines, in their order.
fn counted(lines: &[String]) -> Vec<String> {
    let directory = TempDir::new();
    let log = directory.path().join("auth.log");
    fs::write(&log, lines.join("\n") + "\n").expect("write a log");
    let output = Command::new("fail2ban-regex")
        .args(["--out", "ip"])
        .arg(&log)
        .arg(Path::new(PACKAGING).join("filter.d/pam-otp.conf"))
        .output()
        .expect("run fail2ban-regex");
    let (said, complaint) = (text(&output.stdout), text(&output.stderr));
    assert!(complaint.is_empty(), "fail2ban-regex: {complaint}{said}");
    said.lines().map(str::to_owned).collect()
}

/// What the module logs about one login, as it stands in a log file.
fn line(stack: &Stack, user: &str, rhost: &str, reply: &str) -> String {
    let mut pam_try = Command::new(helper("pam-try"));
    pam_try.args(["--service", stack.service(), "--user", user]);
    if !rhost.is_empty() {
        pam_try.args(["--rhost", rhost]);
    }
    pam_try.arg("--confdir");
    pam_try.arg(stack.directory().expect("a directory of its own"));
    let mut process = pam_try
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start pam-try");
    let mut input = process.stdin.take().expect("its input");
    input.write_all(reply.as_bytes()).expect("reply");
    drop(input);
    let output = process.wait_with_output().expect("wait for pam-try");
    let said = text(&output.stderr);
    // What glibc prints beside the log, "pam-try: ", is what the log has after
    // the time, but for the process's number. All that follows belongs to it:
    // a line break would be seen.
    // The module has the name of its file, which cargo begins with "lib".
    let start = said.find("pam_otp(");
    let start = start.unwrap_or_else(|| panic!("no line for {user:?}: {said}"));
    let said = said[start..].trim_end();
    format!("Nov 21 12:00:00 host sshd[4711]: {said}")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_can_be_a_guess_counts_for_every_user_alike() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let wrong = phone.wrong();
    let mut lines = Vec::new();
    for user in [
        "alice",
        "bob",
        "root",
        "Jürgen Ä",
        "EXAMPLE\\alice",
        "a@example.org",
        "../x",
    ] {
        for reply in [&*wrong, "", "hunter2", "abcd-efgh-jkmn-pqrs"] {
            lines.push(line(&stack, user, "192.0.2.7", &format!("{reply}\n")));
        }
    }
    assert_eq!(
        counted(&lines),
        vec!["192.0.2.7"; lines.len()],
        "{lines:#?}"
    );
}

#[test]
fn a_source_that_waits_is_counted_on() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let wrong = phone.wrong() + "\n";
    let lines: Vec<_> = (0..8)
        .map(|_| line(&stack, "alice", "2001:db8::7", &wrong))
        .collect();
    assert!(lines[7].contains("reason=throttled"), "{lines:#?}");
    assert_eq!(counted(&lines), ["2001:db8::7"; 8], "{lines:#?}");
}

#[test]
fn what_is_right_what_was_seen_and_what_is_our_fault_does_not_count() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    realm.enrol("broken");
    fs::write(realm.token_file("broken"), "").expect("break a record");
    let code = phone.code() + "\n";
    let lines = [
        line(&stack, "alice", "192.0.2.7", &code),
        line(&stack, "alice", "192.0.2.7", &code),
        line(
            &stack,
            "alice",
            "192.0.2.7",
            &(phone.recovery[0].clone() + "\n"),
        ),
        line(&stack, "broken", "192.0.2.7", "123456\n"),
        // No answer at all.
        line(&stack, "alice", "192.0.2.7", ""),
        line(&realm.stack("nosuch"), "alice", "192.0.2.7", "123456\n"),
        line(&realm.stack("nullok"), "bob", "192.0.2.7", "123456\n"),
    ];
    for (line, reason) in lines.iter().zip([
        "granted reason=code",
        "denied reason=used_code",
        "granted reason=recovery_code",
        "denied reason=bad_token_file",
        "denied reason=no_conversation",
        "denied reason=bad_policy",
        "skipped reason=unenrolled",
    ]) {
        assert!(
            line.contains(&format!(" outcome={reason} ")),
            "{reason}: {line}"
        );
    }
    assert_eq!(counted(&lines), [""; 0], "{lines:#?}");
}

/// At a first login the key was just shown: no code that is typed is a guess.
#[test]
fn what_is_typed_at_a_first_login_does_not_count() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("unenrolled = \"enroll\"\nrequire_users = [\"carol\"]");
    let stack = realm.stack("");
    let mut lines = Vec::new();
    for user in ["alice", "carol"] {
        for replies in ["000000\n\n111111\n", "hunter2\n".repeat(3).as_str()] {
            lines.push(line(&stack, user, "192.0.2.7", replies));
        }
    }
    for line in &lines {
        assert!(
            line.contains(" outcome=denied reason=not_confirmed "),
            "{line}"
        );
    }
    // Who never gets so far is asked for a code, and counts as everywhere.
    let never = line(&realm.stack("use_first_pass"), "alice", "192.0.2.8", "");
    assert!(
        never.contains(" outcome=denied reason=unenrolled "),
        "{never}"
    );
    lines.push(never);
    assert_eq!(counted(&lines), ["192.0.2.8"], "{lines:#?}");
}

#[test]
fn a_login_without_an_address_counts_for_nobody() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let stack = realm.stack("");
    let rhosts = [
        "",
        "host.example.org",
        "localhost",
        "1.2.3",
        "1.2.3.4.example.org",
        "203.0.113.9x",
    ];
    let lines = rhosts.map(|rhost| line(&stack, "bob", rhost, "123456\n"));
    assert_eq!(counted(&lines), [""; 0], "{lines:#?}");
}

/// Who is to be banned though he did nothing.
const VICTIM: &str = "203.0.113.9";

#[test]
fn no_user_name_can_have_another_address_banned() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let stack = realm.stack("");
    let forged = format!("outcome=denied reason=wrong_code user=x service=sshd rhost={VICTIM}");
    let mut lines = Vec::new();
    for name in [
        format!("x rhost={VICTIM}"),
        format!("x service=sshd rhost={VICTIM}"),
        format!("x\" service=sshd rhost={VICTIM} a=\""),
        format!("x\\\" service=sshd rhost={VICTIM}"),
        format!("\" service=\"\" rhost={VICTIM}"),
        format!("x\nNov 21 12:00:00 host sshd[1]: pam_otp(sshd:auth): {forged}"),
        format!("x\rhost sshd[1]: pam_otp(sshd:auth): {forged}"),
        format!("x\u{2028}host sshd[1]: pam_otp(sshd:auth): {forged}"),
        format!("x\u{85}host sshd[1]: pam_otp(sshd:auth): {forged}"),
        format!("pam_otp(sshd:auth): {forged}"),
        format!("x]: pam_otp(sshd:auth): {forged}"),
        format!("{}\" rhost={VICTIM}", "\\".repeat(99)),
        format!("{} rhost={VICTIM}", "\u{1b}".repeat(150)),
        forged.clone(),
    ] {
        lines.push(line(&stack, &name, "192.0.2.7", "123456\n"));
        // And from nowhere.
        lines.push(line(&stack, &name, "", "123456\n"));
    }
    assert_eq!(
        counted(&lines),
        vec!["192.0.2.7"; lines.len() / 2],
        "{lines:#?}"
    );
}

#[test]
fn no_client_s_name_can_have_another_address_banned() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let stack = realm.stack("");
    let lines: Vec<_> = [
        format!("x rhost={VICTIM}"),
        format!("x\" rhost={VICTIM}"),
        format!("{VICTIM} rhost=192.0.2.7"),
        format!("{VICTIM}\n"),
        format!("\n{VICTIM}"),
        format!("{VICTIM}.example.org"),
        format!("x@{VICTIM}"),
        format!("{VICTIM},192.0.2.7"),
        format!("{VICTIM}:22"),
        format!("{VICTIM}%eth0"),
    ]
    .iter()
    .map(|rhost| line(&stack, "bob", rhost, "123456\n"))
    .collect();
    assert_eq!(counted(&lines), [""; 0], "{lines:#?}");
}

#[test]
fn other_programs_that_quote_a_line_of_ours_are_not_us() {
    if !is_installed() {
        return;
    }
    let ours = format!(
        "pam_otp(sshd:auth): outcome=denied reason=wrong_code user=x service=sshd rhost={VICTIM}"
    );
    let lines = [
        format!("sshd[1]: Invalid user {ours} from 192.0.2.7 port 22"),
        format!("sshd[1]: Invalid user {ours}"),
        format!("sshd[1]: Failed password for invalid user x: {ours}"),
        format!("su[1]: x: {ours}"),
        format!("sudo: x : {ours}"),
        format!("kernel: [ 12.3] x: {ours}"),
        format!("cron[1]: ({ours})"),
    ];
    let lines = lines.map(|line| format!("Nov 21 12:00:00 host {line}"));
    assert_eq!(counted(&lines), [""; 0], "{lines:#?}");
}

#[test]
fn every_usual_form_of_a_log_is_read() {
    if !is_installed() {
        return;
    }
    let realm = Realm::new("");
    let written = line(&realm.stack(""), "bob", "192.0.2.7", "123456\n");
    let (_, ours) = written.split_once("]: ").expect("a message");
    let lines = [
        format!("Nov  1 12:00:00 host sshd[4711]: {ours}"),
        format!("2026-11-21T12:00:00.123456+01:00 host sshd[4711]: {ours}"),
        format!("Nov 21 12:00:00 host.example.org cockpit-session[4711]: {ours}"),
        format!("Nov 21 12:00:00 host login: {ours}"),
        // As journalctl writes it, which is what fail2ban makes of the journal.
        format!("2026-11-21T12:00:00+0100 host sshd-session[4711]: {ours}"),
        format!("Nov 21 12:00:00 host sshd[4711]: message repeated 2 times: [ {ours}]"),
    ];
    // One log has one form.
    for line in lines {
        let line = [line];
        assert_eq!(counted(&line), ["192.0.2.7"], "{line:?}");
    }
}

#[test]
fn fail2ban_takes_the_jail() {
    if !is_installed() || !Path::new("/etc/fail2ban/jail.conf").exists() {
        return;
    }
    let directory = TempDir::new();
    let config = directory.path().join("fail2ban");
    let copied = Command::new("cp")
        .args(["-r", "/etc/fail2ban"])
        .arg(&config)
        .status();
    assert!(copied.expect("cp").success());
    for part in ["filter.d/pam-otp.conf", "jail.d/pam-otp.conf"] {
        let text = fs::read_to_string(Path::new(PACKAGING).join(part)).expect("read a part");
        // As an administrator does it; on a log that is there.
        let text = text.replace("enabled  = false", "enabled  = true");
        let text = text.replace("%(syslog_authpriv)s", "/dev/null");
        fs::write(config.join(part), text).expect("write a part");
    }
    let mut client = Command::new("fail2ban-client");
    let output = client
        .arg("-c")
        .arg(&config)
        .arg("-d")
        .output()
        .expect("run fail2ban-client");
    let mut said = text(&output.stdout);
    let _ = write!(said, "{}", text(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("'pam-otp'") && said.contains("outcome=denied"),
        "{said}"
    );
}
