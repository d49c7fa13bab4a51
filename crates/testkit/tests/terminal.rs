//! Programs on a pseudo-terminal.

use pam_otp_testkit::pty::Pty;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_line_typed_is_echoed_and_repeated_by_cat() {
    let mut cat = Pty::spawn(Command::new("cat"));
    cat.send_line("hello");
    cat.expect("hello", SOON);
    cat.expect("hello", SOON);
    cat.send(b"\x04");
    assert!(cat.wait().success());
    assert_eq!(cat.output(), "hello\r\nhello\r\n");
}

#[test]
fn the_program_has_a_controlling_terminal_of_its_own() {
    let mut command = Command::new("sh");
    command.args(["-c", "tty; echo secret-to </dev/tty >/dev/tty; exit 3"]);
    let mut shell = Pty::spawn(command);
    shell.expect("/dev/pts/", SOON);
    shell.expect("secret-to", SOON);
    assert_eq!(shell.wait().code(), Some(3));
}

#[test]
#[should_panic(expected = "the program ended before \"never\"; seen so far:\nonly this")]
fn what_was_seen_is_told_when_the_expected_does_not_come() {
    let mut command = Command::new("echo");
    command.arg("only this");
    Pty::spawn(command).expect("never", SOON);
}

#[test]
fn a_dropped_terminal_takes_its_program_along() {
    let pty = Pty::spawn(Command::new("cat"));
    let process = format!("/proc/{}", pty.id());
    assert!(std::fs::exists(&process).expect("look at /proc"));
    drop(pty);
    assert!(!std::fs::exists(&process).expect("look at /proc"));
}
