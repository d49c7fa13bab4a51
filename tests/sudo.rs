//! A real sudo asks for password and code.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]

mod world;

use std::process::{Output, Stdio};

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::run;
use world::{PASSWORD, Phone, QUESTION, SOON, World};

/// A world where alice may use sudo, and is enrolled. One try only: a script
/// that is refused must see that, not the next question.
fn world() -> Option<(World, Phone)> {
    let world = World::or_skip()?;
    world.stack("sudo", "sudo");
    let rules = "Defaults:alice passwd_tries=1, timestamp_timeout=0\nalice ALL=(ALL) ALL\n";
    world.sandbox.write("/etc/sudoers.d/alice", rules, 0o440);
    let phone = world.enrol("alice");
    Some((world, phone))
}

/// `sudo -S id -un` by alice: password and code on two lines.
fn sudo(world: &World, password: &str, code: &str) -> Output {
    sudo_with(world, &["-S", "id", "-un"], password, code)
}

fn sudo_with(world: &World, arguments: &[&str], password: &str, code: &str) -> Output {
    let mut command = world.sandbox.command_as("alice", "sudo");
    command.args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().expect("start sudo");
    let mut input = process.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, format!("{password}\n{code}\n").as_bytes())
        .expect("type two lines");
    drop(input);
    process.wait_with_output().expect("run sudo")
}

/// The same for `sudo -i id -un`, a login shell of root's.
fn login_shell(world: &World, password: &str, code: &str) -> Output {
    sudo_with(world, &["-S", "-i", "id", "-un"], password, code)
}

fn became_root(output: &Output) -> bool {
    output.status.success() && output.stdout == b"root\n"
}

#[test]
fn two_lines_of_password_and_code_become_root_and_the_log_says_so() {
    let Some((world, phone)) = world() else {
        return;
    };
    let output = sudo(&world, PASSWORD, &phone.code());
    assert!(became_root(&output), "{output:?}");
    world.logged(&[
        "outcome=granted",
        "reason=code",
        "user=alice",
        "service=sudo",
        "token=phone",
    ]);
}

#[test]
fn a_wrong_or_used_code_or_a_wrong_password_stays_alice() {
    let Some((world, phone)) = world() else {
        return;
    };
    let code = phone.code();
    assert!(!became_root(&sudo(&world, PASSWORD, &phone.wrong_code())));
    world.logged(&["outcome=denied", "reason=wrong_code", "user=alice"]);
    assert!(became_root(&sudo(&world, PASSWORD, &code)));
    assert!(!became_root(&sudo(&world, PASSWORD, &code)));
    world.logged(&["outcome=denied", "reason=used_code", "user=alice"]);
    assert!(!became_root(&sudo(&world, "wrong", &phone.next_code())));
}

#[test]
fn a_recovery_code_becomes_root_once() {
    let Some((world, phone)) = world() else {
        return;
    };
    let output = sudo(&world, PASSWORD, &phone.recovery[0]);
    assert!(became_root(&output), "{output:?}");
    // sudo asks modules to be silent, so only the log tells how many are left.
    world.logged(&["outcome=granted", "reason=recovery_code", "left=9"]);
    assert!(!became_root(&sudo(&world, PASSWORD, &phone.recovery[0])));
    world.logged(&["outcome=denied", "reason=used_code"]);
}

#[test]
fn an_end_of_input_instead_of_a_code_is_a_denial() {
    let Some((world, _)) = world() else {
        return;
    };
    let mut command = world.sandbox.command_as("alice", "sh");
    let script = format!("printf '{PASSWORD}\\n' | sudo -S id -un");
    let output = command.args(["-c", &script]).output().expect("run sudo");
    assert!(!became_root(&output), "{output:?}");
    world.logged(&["outcome=denied", "user=alice"]);
}

#[test]
fn at_a_terminal_the_code_is_asked_after_the_password_and_not_shown() {
    let Some((world, phone)) = world() else {
        return;
    };
    let mut command = world.sandbox.command_as("alice", "sudo");
    command.args(["id", "-un"]);
    let mut sudo = Pty::spawn(command);
    sudo.expect("password for alice: ", SOON);
    sudo.send_line(PASSWORD);
    sudo.expect(QUESTION, SOON);
    let code = phone.code();
    sudo.send_line(&code);
    sudo.expect("root", SOON);
    assert!(sudo.wait().success());
    assert!(!sudo.output().contains(&code), "{}", sudo.output());
}

/// `sed -i SCRIPT /etc/pam.d/sshd` of docs/stacks.md.
fn the_page_s_script() -> &'static str {
    let page = include_str!("../docs/stacks.md");
    let (_, rest) = page.split_once("sed -i '").expect("the command");
    rest.split_once("' /etc/pam.d/sshd\n").expect("its end").0
}

#[test]
fn the_command_by_hand_puts_the_two_lines_into_the_distribution_s_own_stacks() {
    let Some((world, phone)) = world() else {
        return;
    };
    let own = std::fs::read_to_string("/etc/pam.d/sudo").expect("the machine's own stack");
    if !own.contains("\n@include common-auth\n") {
        eprintln!("SKIPPED: this test needs Debian's stacks");
        return;
    }
    world.sandbox.write("/etc/pam.d/sudo", &own, 0o644);
    for service in ["sshd", "sudo", "sudo-i", "su", "login"] {
        let path = format!("/etc/pam.d/{service}");
        run(
            world
                .sandbox
                .command("sed")
                .args(["-i", the_page_s_script(), &path]),
            "",
        );
        let stack = String::from_utf8(world.sandbox.read(&path)).expect("text");
        let lines = "\nauth required pam_unix.so\nauth required pam_otp.so\n";
        assert!(stack.contains(lines), "{service}: {stack}");
        assert!(
            !stack.contains("\n@include common-auth\n"),
            "{service}: {stack}"
        );
    }
    let here = format!("s,pam_otp\\.so,{},", world.sandbox.module().display());
    run(
        world
            .sandbox
            .command("sed")
            .args(["-i", &here, "/etc/pam.d/sudo"]),
        "",
    );
    assert!(!became_root(&sudo(&world, PASSWORD, &phone.wrong_code())));
    assert!(became_root(&sudo(&world, PASSWORD, &phone.code())));
}

#[test]
fn a_login_shell_takes_a_code_too_where_the_example_lies_at_both_names() {
    let Some((world, phone)) = world() else {
        return;
    };
    world.stack("sudo-i", "sudo");
    let refused = login_shell(&world, PASSWORD, &phone.wrong_code());
    assert!(!became_root(&refused), "{refused:?}");
    world.logged(&["outcome=denied", "reason=wrong_code", "service=sudo-i"]);
    let output = login_shell(&world, PASSWORD, &phone.code());
    assert!(became_root(&output), "{output:?}");
    world.logged(&["outcome=granted", "reason=code", "service=sudo-i"]);
    // The other name still asks as well.
    assert!(!became_root(&sudo(&world, PASSWORD, &phone.wrong_code())));
    world.logged(&["outcome=denied", "reason=wrong_code", "service=sudo"]);
}

#[test]
fn a_stranger_to_the_record_is_denied() {
    let Some((world, phone)) = world() else {
        return;
    };
    world.sandbox.add_user("bob", PASSWORD);
    let rules = "Defaults:bob passwd_tries=1\nbob ALL=(ALL) ALL\n";
    world.sandbox.write("/etc/sudoers.d/bob", rules, 0o440);
    let mut command = world.sandbox.command_as("bob", "sh");
    let script = format!("printf '{PASSWORD}\\n{}\\n' | sudo -S id -un", phone.code());
    let output = command.args(["-c", &script]).output().expect("run sudo");
    assert!(!became_root(&output), "{output:?}");
    world.logged(&["outcome=denied", "reason=unenrolled", "user=bob"]);
}
