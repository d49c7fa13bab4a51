//! A real su asks for the target's password and code.

mod world;

use pam_otp_testkit::pty::Pty;
use world::{PASSWORD, QUESTION, SOON, World};

/// alice types `su bob -c 'echo in-as $(id -un)'`.
fn su(world: &World) -> Pty {
    let mut command = world.sandbox.command_as("alice", "su");
    command.args(["bob", "-c", "echo in-as $(id -un)"]);
    Pty::spawn(command)
}

fn answer(su: &mut Pty, password: &str, code: &str) {
    su.expect("Password: ", SOON);
    su.send_line(password);
    su.expect(QUESTION, SOON);
    su.send_line(code);
}

fn refused(mut su: Pty, password: &str, code: &str) {
    answer(&mut su, password, code);
    su.expect("Authentication failure", SOON);
    assert_eq!(su.wait().code(), Some(1));
}

#[test]
fn su_asks_for_the_code_of_the_user_to_become() {
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("su", "su");
    let (alice, bob) = (world.enrol("alice"), world.enrol("bob"));

    refused(su(&world), PASSWORD, &alice.code());
    world.logged(&["outcome=denied", "reason=wrong_code", "user=bob"]);

    let code = bob.code();
    let mut entered = su(&world);
    answer(&mut entered, PASSWORD, &code);
    entered.expect("in-as bob", SOON);
    assert!(entered.wait().success());
    world.logged(&[
        "outcome=granted",
        "reason=code",
        "user=bob",
        "service=su",
        "rhost=\"\"",
    ]);

    refused(su(&world), PASSWORD, &code);
    world.logged(&["outcome=denied", "reason=used_code", "user=bob"]);
    refused(su(&world), "wrong", &bob.next_code());
}

#[test]
fn root_is_asked_for_nothing() {
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("su", "su");
    world.enrol("bob");
    let mut command = world.sandbox.command("su");
    let output = command.args(["bob", "-c", "id -un"]).output();
    let output = output.expect("run su");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "bob\n");
    assert_eq!(world.log(), [""; 0]);
}
