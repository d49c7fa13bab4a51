//! usage: `demo`, as root, with `$PAM_OTP_MODULE` and `$PAM_OTP_COMMAND` (see
//! `scripts/demo.sh`): one user's first day with pam-otp, told step by step.
//!
//! Every step is checked; the first that does not go as told ends it.

use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::Sandbox;
use pam_otp_testkit::sshd::Sshd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The stack that guards the demonstration's sshd, as an administrator would
/// install it.
const STACK: &str = include_str!("../../../../pam.d-examples/sshd-password-and-code");
const SERVICE: &str = "sshd-demo";
const PASSWORD: &str = "correct horse";
const SOON: Duration = Duration::from_secs(20);
/// Seconds in a step of a time-based code.
const STEP: u64 = 30;

fn main() -> ExitCode {
    let sandbox = match Sandbox::new() {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("demo: error: {error}");
            eprintln!("demo: hint: run it as root: sudo make demo");
            return ExitCode::FAILURE;
        }
    };
    let begin = Instant::now();
    prepare(&sandbox);
    let server = Sshd::start(&sandbox, SERVICE, "");
    let Enrolled { secret, recovery } = enrol(&sandbox);

    tell(
        "alice logs in over ssh with password and code. Her first code was used up by\n\
         the enrolment. The next one is good up to 30 seconds early, as clocks differ.",
    );
    let first = code(&secret, now() + STEP);
    enters(&server, &first);

    tell("Somebody who looked over her shoulder sends the same password and code again.");
    is_refused(&server, &first);

    tell("Somebody who has the password guesses a code.");
    is_refused(&server, &wrong_code(&secret));

    tell("The phone is lost. A recovery code from the paper opens, once.");
    enters(&server, &recovery);
    is_refused(&server, &recovery);

    tell("What the administrator reads in the log:");
    show_log(&sandbox);

    drop(server);
    drop(sandbox);
    tell(
        "Everything went as told, and the sandbox is gone: this machine's logins are as they were.",
    );
    println!("({} s)", begin.elapsed().as_secs());
    ExitCode::SUCCESS
}

/// Adds alice, and the stack.
fn prepare(sandbox: &Sandbox) {
    tell(
        "A sandbox: its own /etc, /home, /var and log. In it a user alice with a password,\n\
         and an sshd on 127.0.0.1 with pam.d-examples/sshd-password-and-code, which says:",
    );
    sandbox.add_user("alice", PASSWORD);
    sandbox.pam_service(SERVICE, &STACK.replace("pam_otp.so", "{module}"));
    STACK
        .lines()
        .filter(|line| line.starts_with("auth"))
        .for_each(show);
}

struct Enrolled {
    secret: String,
    recovery: String,
}

/// alice runs `pam-otp enroll`; her phone is oathtool.
fn enrol(sandbox: &Sandbox) -> Enrolled {
    tell(
        "alice enrols. The phone that reads the key and shows the code is oathtool here;\n\
         you can scan the QR code with yours: its codes will be the same.",
    );
    let mut command = sandbox.command_as("alice", sandbox.pam_otp());
    command.arg("enroll");
    let mut enrolment = Pty::spawn(command);
    let before = enrolment.expect("Code: ", SOON);
    let key = before.lines().find_map(|line| line.strip_prefix("Key:"));
    let secret = key.expect("a line with the key").replace(' ', "");
    let secret = secret.trim_end().to_owned();
    let shown = code(&secret, now());
    enrolment.send_line(&shown);
    let ended = enrolment.wait();
    enrolment.output().lines().for_each(show);
    demand(ended.success(), "pam-otp enroll");

    let output = enrolment.output();
    let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
    let codes: Vec<&str> = output.lines().map(str::trim_end).filter(is_code).collect();
    demand(codes.len() == 10, "ten recovery codes");
    Enrolled {
        secret,
        recovery: codes[0].to_owned(),
    }
}

/// One login by the OpenSSH client, which runs `echo in-as $(id -un)`.
fn log_in(server: &Sshd<'_>, code: &str) -> bool {
    let mut ssh = server.ssh("alice");
    ssh.expect("Password: ", SOON);
    ssh.send_line(PASSWORD);
    ssh.expect("One-time code: ", SOON);
    ssh.send_line(code);
    let entered = ssh.wait().success();
    show(&format!("ssh alice@127.0.0.1    (code: {code})"));
    ssh.output()
        .lines()
        .filter(|line| !line.trim().is_empty())
        .for_each(show);
    entered && ssh.output().contains("in-as alice")
}

fn enters(server: &Sshd<'_>, code: &str) {
    demand(log_in(server, code), "this login should have succeeded");
    println!("  => she is in.");
}

fn is_refused(server: &Sshd<'_>, code: &str) {
    demand(!log_in(server, code), "this login should have been refused");
    println!("  => refused.");
}

/// Six digits that are no code of this minute.
fn wrong_code(secret: &str) -> String {
    let now = now();
    let near: Vec<_> = (0..7)
        .map(|step| code(secret, now - 3 * STEP + step * STEP))
        .collect();
    let mut wrong = (123_456..).map(|guess| format!("{guess:06}"));
    wrong
        .find(|guess| !near.contains(guess))
        .expect("a wrong code")
}

/// The module's lines; each way a login ended is among them.
fn show_log(sandbox: &Sandbox) {
    let is_ours = |line: &str| line.contains("pam_otp(");
    for (outcome, reason) in [
        ("granted", "code"),
        ("denied", "used_code"),
        ("denied", "wrong_code"),
        ("granted", "recovery_code"),
    ] {
        let words = format!("outcome={outcome} reason={reason} user=alice service={SERVICE}");
        let wanted = |line: &str| is_ours(line) && line.contains(&words);
        let line = sandbox.syslog().wait_for(wanted, SOON);
        demand(
            line.contains("rhost=127.0.0.1"),
            "a log line with the address",
        );
    }
    let lines = sandbox.syslog().lines();
    lines
        .iter()
        .filter(|line| is_ours(line))
        .for_each(|line| show(line));
}

fn tell(sentences: &str) {
    println!("\n{sentences}");
}

fn show(line: &str) {
    println!("    {}", line.trim_end());
}

/// # Panics
/// When a step did not go as told.
fn demand(as_told: bool, what: &str) {
    assert!(as_told, "the demonstration failed: {what}");
}
