//! A real login at a console asks for password and code.

mod world;

use pam_otp_testkit::pty::Pty;
use world::{PASSWORD, Phone, QUESTION, SOON, World};

fn world() -> Option<(World, Phone)> {
    let world = World::or_skip()?;
    world.stack("login", "login");
    let phone = world.enrol("alice");
    Some((world, phone))
}

fn answer(login: &mut Pty, user: &str, password: &str, code: &str) {
    login.expect("login: ", SOON);
    login.send_line(user);
    login.expect("Password: ", SOON);
    login.send_line(password);
    login.expect(QUESTION, SOON);
    login.send_line(code);
}

fn comes_in(mut login: Pty) {
    // Typed before the shell is there, it would be thrown away.
    login.expect("$ ", SOON);
    login.send_line("echo in-as $(id -un)");
    login.expect("in-as alice", SOON);
    login.send_line("exit");
    login.wait();
}

#[test]
fn password_and_code_open_the_console() {
    let Some((world, phone)) = world() else {
        return;
    };
    let mut login = Pty::spawn(world.sandbox.command("login"));
    answer(&mut login, "alice", PASSWORD, &phone.code());
    comes_in(login);
    world.logged(&[
        "outcome=granted",
        "reason=code",
        "user=alice",
        "service=login",
    ]);
}

#[test]
fn after_refusals_the_same_login_asks_again_and_a_right_answer_opens() {
    let Some((world, phone)) = world() else {
        return;
    };
    let mut login = Pty::spawn(world.sandbox.command("login"));
    answer(&mut login, "alice", PASSWORD, &phone.wrong_code());
    login.expect("Login incorrect", SOON);
    answer(&mut login, "nobody-here", PASSWORD, &phone.code());
    login.expect("Login incorrect", SOON);
    answer(&mut login, "alice", PASSWORD, &phone.code());
    comes_in(login);
    world.logged(&["outcome=denied", "reason=wrong_code", "user=alice"]);
    world.logged(&["outcome=denied", "reason=unknown_user", "user=nobody-here"]);
}

#[test]
fn a_used_code_does_not_open_and_a_recovery_code_does() {
    let Some((world, phone)) = world() else {
        return;
    };
    let code = phone.code();
    let mut login = Pty::spawn(world.sandbox.command("login"));
    answer(&mut login, "alice", PASSWORD, &code);
    comes_in(login);

    let mut login = Pty::spawn(world.sandbox.command("login"));
    answer(&mut login, "alice", PASSWORD, &code);
    login.expect("Login incorrect", SOON);
    world.logged(&["outcome=denied", "reason=used_code", "user=alice"]);
    answer(&mut login, "alice", PASSWORD, &phone.recovery[9]);
    comes_in(login);
    world.logged(&["outcome=granted", "reason=recovery_code", "left=9"]);
}
