//! A real sshd asks for password and code, for key and code, or for both in
//! one field.

#![allow(
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod world;

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sshd::{Sshd, new_identity};
use world::{PASSWORD, Phone, QUESTION, SOON, World};

/// A world where alice is enrolled and an example guards sshd. Each test has
/// a service of its own name, as the log shows.
fn world(service: &str, example: &str) -> Option<(World, Phone)> {
    let world = World::or_skip()?;
    world.stack(service, example);
    let phone = world.enrol("alice");
    Some((world, phone))
}

fn two_fields(service: &str) -> Option<(World, Phone)> {
    world(service, "sshd-password-and-code")
}

/// Answers both questions.
fn answer(mut ssh: Pty, password: &str, code: &str) -> Pty {
    ssh.expect("Password: ", SOON);
    ssh.send_line(password);
    ssh.expect(QUESTION, SOON);
    ssh.send_line(code);
    ssh
}

fn enters(mut ssh: Pty) -> String {
    ssh.expect("in-as alice", SOON);
    assert!(ssh.wait().success());
    ssh.output()
}

/// All that the client saw of a refusal.
fn refused(mut ssh: Pty) -> String {
    ssh.expect("Permission denied", SOON);
    assert_eq!(ssh.wait().code(), Some(255));
    ssh.output()
}

#[test]
fn password_and_code_get_in_and_the_log_says_who_and_from_where() {
    let Some((world, phone)) = two_fields("sshd-in") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-in", "");
    enters(answer(server.ssh("alice"), PASSWORD, &phone.code()));
    world.logged(&[
        "outcome=granted",
        "reason=code",
        "user=alice",
        "service=sshd-in",
        "rhost=127.0.0.1",
        "token=phone",
    ]);
}

#[test]
fn a_used_code_does_not_get_in_and_the_next_one_does() {
    let Some((world, phone)) = two_fields("sshd-used") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-used", "");
    let code = phone.code();
    enters(answer(server.ssh("alice"), PASSWORD, &code));
    refused(answer(server.ssh("alice"), PASSWORD, &code));
    world.logged(&[
        "outcome=denied",
        "reason=used_code",
        "user=alice",
        "service=sshd-used",
        "rhost=127.0.0.1",
    ]);
    enters(answer(server.ssh("alice"), PASSWORD, &phone.next_code()));
}

#[test]
fn a_wrong_password_a_wrong_code_and_no_record_look_the_same_to_the_client() {
    let Some((world, phone)) = two_fields("sshd-same") else {
        return;
    };
    world.sandbox.add_user("bob", PASSWORD);
    let server = Sshd::start(&world.sandbox, "sshd-same", "");
    let seen = |user: &str, password: &str, code: &str| {
        let seen = refused(answer(server.ssh(user), password, code));
        // The client itself says who it is.
        seen.replace(&format!("{user}@"), "USER@")
    };
    let wrong_code = seen("alice", PASSWORD, &phone.wrong_code());
    assert_eq!(seen("alice", "wrong", &phone.code()), wrong_code);
    assert_eq!(seen("bob", PASSWORD, &phone.code()), wrong_code);
    assert_eq!(seen("nobody-here", PASSWORD, &phone.code()), wrong_code);

    let from = ["outcome=denied", "service=sshd-same", "rhost=127.0.0.1"];
    for why in [
        ["reason=wrong_code", "user=alice"],
        ["reason=unenrolled", "user=bob"],
        ["reason=unknown_user", "user=nobody-here"],
    ] {
        world.logged(&[&from[..], &why[..]].concat());
    }
}

#[test]
fn a_connection_may_try_again_after_a_typing_mistake() {
    let Some((world, phone)) = two_fields("sshd-again") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-again", "");
    let ssh = server.client("alice").tries(3).spawn();
    let ssh = answer(ssh, PASSWORD, &phone.wrong_code());
    let ssh = answer(ssh, PASSWORD, "");
    enters(answer(ssh, PASSWORD, &phone.code()));
    world.logged(&["outcome=denied", "reason=wrong_code", "user=alice"]);
    world.logged(&["outcome=denied", "reason=no_code", "user=alice"]);
}

#[test]
fn a_recovery_code_gets_in_once() {
    let Some((world, phone)) = two_fields("sshd-paper") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-paper", "");
    let code = &phone.recovery[0];
    enters(answer(server.ssh("alice"), PASSWORD, code));
    refused(answer(server.ssh("alice"), PASSWORD, code));
    world.logged(&[
        "outcome=granted",
        "reason=recovery_code",
        "user=alice",
        "rhost=127.0.0.1",
        "left=9",
    ]);
    world.logged(&["outcome=denied", "reason=used_code", "user=alice"]);
    enters(answer(
        server.ssh("alice"),
        PASSWORD,
        &phone.recovery[1].to_uppercase(),
    ));
}

#[test]
fn a_key_is_followed_by_the_code_alone() {
    let Some((world, phone)) = world("sshd-key", "sshd-key-and-code") else {
        return;
    };
    let config = "AuthenticationMethods publickey,keyboard-interactive";
    let server = Sshd::start(&world.sandbox, "sshd-key", config);
    let key = new_identity(&world.sandbox, "alice");
    let client = |code: &str| {
        let client = server.client("alice").identity(&key);
        let mut ssh = client.methods("publickey,keyboard-interactive").spawn();
        let before = ssh.expect(QUESTION, SOON);
        assert!(!before.contains("Password"), "{before}");
        ssh.send_line(code);
        ssh
    };
    refused(client(&phone.wrong_code()));
    let code = phone.code();
    enters(client(&code));
    refused(client(&code));
    world.logged(&["outcome=granted", "service=sshd-key", "rhost=127.0.0.1"]);

    // Without the key, the code is not even asked for.
    let lines = world.log().len();
    let without = server.ssh("alice");
    let seen = refused(without);
    assert!(!seen.contains(QUESTION), "{seen}");
    assert_eq!(world.log().len(), lines);
}

/// One field, by the two methods that sshd has for it.
fn one_field(server: &Sshd<'_>, method: &str, field: &str) -> Pty {
    let question = match method {
        "password" => "'s password: ",
        _ => "Password and one-time code: ",
    };
    let mut ssh = server.client("alice").methods(method).spawn();
    ssh.expect(question, SOON);
    ssh.send_line(field);
    ssh
}

fn one_field_opens(service: &str, method: &str) {
    let Some((world, phone)) = world(service, "sshd-one-field") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, service, "PasswordAuthentication yes");
    let with = |end: &str| one_field(&server, method, &format!("{PASSWORD}{end}"));
    let code = phone.code();
    refused(with(""));
    refused(with(&phone.wrong_code()));
    // A wrong password does not use up the code.
    refused(one_field(&server, method, &format!("wrong{code}")));
    enters(with(&code));
    refused(with(&code));
    enters(with(&phone.recovery[5]));

    let from = [&format!("service={service}"), "rhost=127.0.0.1"];
    for (outcome, reason) in [
        ("outcome=held", "reason=split"),
        ("outcome=denied", "reason=no_code"),
        ("outcome=denied", "reason=wrong_code"),
        ("outcome=granted", "reason=code"),
        ("outcome=denied", "reason=used_code"),
        ("outcome=granted", "reason=recovery_code"),
    ] {
        world.logged(&[&from[..], &[outcome, reason]].concat());
    }
}

#[test]
fn one_field_takes_password_and_code_by_password_authentication() {
    one_field_opens("sshd-one-a", "password");
}

#[test]
fn one_field_takes_password_and_code_by_keyboard_interactive() {
    one_field_opens("sshd-one-b", "keyboard-interactive");
}

#[test]
fn password_authentication_never_opens_a_stack_of_two_questions() {
    let Some((world, phone)) = two_fields("sshd-field") else {
        return;
    };
    // sshd gives the one field as the answer to both questions.
    let server = Sshd::start(&world.sandbox, "sshd-field", "PasswordAuthentication yes");
    let code = phone.code();
    for field in [
        PASSWORD.to_owned(),
        code.clone(),
        PASSWORD.to_owned() + &code,
    ] {
        refused(one_field(&server, "password", &field));
    }
    world.logged(&["outcome=denied", "reason=malformed_code", "user=alice"]);
}
