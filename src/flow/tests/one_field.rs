//! One field that holds a password and a code.

use pam::constants::PamResultCode::{PAM_AUTH_ERR, PAM_IGNORE, PAM_SUCCESS};

use super::scripted::Scripted;
use super::world::{NOW, TIMED, World, recovery, token};
use crate::event::Level;
use crate::host::HostError;

const CODE: &str = "One-time code: ";
const BOTH: &str = "Password and one-time code: ";
const LIBPAM: &str = "detail=\"libpam refused a request of ours\"";

fn split(field: &str, password: &str, code: &str) -> Scripted {
    Scripted::login("alice")
        .asks(BOTH, field)
        .holds(code)
        .hands_on(password)
        .logs(Level::Info, "held", "split", "")
}

fn granted(host: Scripted) -> Scripted {
    host.logs(Level::Info, "granted", "code", "token=phone")
}

fn denied(host: Scripted, reason: &str) -> Scripted {
    host.logs(Level::Notice, "denied", reason, "")
}

fn field(password: &str, code: &str) -> String {
    format!("{password}{code}")
}

#[test]
fn a_split_line_holds_the_code_and_a_later_line_decides_about_it_once_without_a_question() {
    let world = World::with_alice("");
    let mut host = split(&field("hunter2", NOW), "hunter2", NOW);
    assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
    let mut host = granted(host.next_line());
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    // Taken out, it is gone: a third line asks.
    let mut host = denied(host.next_line().asks(CODE, ""), "no_code");
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
}

#[test]
fn a_wrong_password_does_not_use_up_the_code() {
    let world = World::with_alice("");
    let mut host = split(&field("wrong", NOW), "wrong", NOW);
    assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
    // The password's module ends the stack here; nobody decides.
    host.end();
    let mut host = split(&field("right", NOW), "right", NOW);
    world.play(&mut host, &["split"]);
    let mut host = granted(host.next_line());
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
}

#[test]
fn a_second_try_in_one_transaction_replaces_what_the_first_one_left_held() {
    let world = World::with_alice("");
    let mut host = split(&field("wrong", "123456"), "wrong", "123456");
    world.play(&mut host, &["split"]);
    let mut host = host
        .next_line()
        .asks(BOTH, field("right", NOW))
        .holds(NOW)
        .hands_on("right")
        .logs(Level::Info, "held", "split", "");
    world.play(&mut host, &["split"]);
    let mut host = granted(host.next_line());
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(
        world.failures("alice"),
        0,
        "the first code was never judged"
    );
}

#[test]
fn a_field_without_a_code_is_denied_by_the_later_line_without_a_question() {
    for (typed, password) in [("hunter2", "hunter2"), ("", ""), ("12345", "12345")] {
        let world = World::with_alice("");
        let mut host = split(typed, password, "empty");
        assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
        let mut host = denied(host.next_line(), "no_code");
        assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    }
}

#[test]
fn a_recovery_code_stands_at_the_end_of_a_field_as_well() {
    let world = World::with_alice("");
    let code = recovery().1[0].to_text().to_string();
    let mut host = split(&field("hunter2", &code), "hunter2", &code);
    world.play(&mut host, &["split"]);
    let mut host = host
        .next_line()
        .tells_later("Recovery code used, 9 left.")
        .logs(Level::Info, "granted", "recovery_code", "left=9");
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
}

#[test]
fn a_field_ends_in_as_many_digits_as_the_user_s_codes_have() {
    // RFC 6238, appendix B, at 59 s: eight digits of step 1.
    for (typed, password, code) in [
        ("pw94287082", "pw", "94287082"),
        ("pw287082", "pw", "287082"),
        // Neither fits: the first token's length.
        ("pw12345678", "pw", "12345678"),
    ] {
        let world = World::new("");
        let tokens = vec![token("card", TIMED, 8), token("phone", TIMED, 6)];
        world.enrol("alice", tokens);
        let mut host = split(typed, password, code);
        host.clock.set(59);
        world.play(&mut host, &["split"]);
        host.end();
    }
}

#[test]
fn who_has_no_record_gets_the_same_split_and_is_denied_by_the_later_line() {
    let world = World::new("");
    let mut host = split(&field("hunter2", NOW), "hunter2", NOW);
    assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
    let mut host = denied(host.next_line(), "unenrolled");
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
}

#[test]
fn who_needs_no_code_gives_the_password_alone_and_all_of_it_is_handed_on() {
    let world = World::new("unenrolled = \"allow\"");
    // A password that ends like a code stays whole.
    for password in ["hunter2", "hunter123456", ""] {
        for arguments in [["split"], ["forward_pass"]] {
            let mut host = Scripted::login("alice")
                .asks(BOTH, password)
                .hands_on(password)
                .logs(Level::Notice, "skipped", "unenrolled", "");
            assert_eq!(world.play(&mut host, &arguments), PAM_IGNORE);
            let mut host = host
                .next_line()
                .logs(Level::Notice, "skipped", "unenrolled", "");
            assert_eq!(world.play(&mut host, &[]), PAM_IGNORE);
        }
    }
}

#[test]
fn forward_pass_hands_the_password_on_only_with_a_right_code() {
    let world = World::with_alice("");
    for (code, reason) in [("123456", "wrong_code"), ("", "no_code")] {
        let login = Scripted::login("alice").asks(BOTH, field("hunter", code));
        let mut host = denied(login, reason);
        assert_eq!(world.play(&mut host, &["forward_pass"]), PAM_AUTH_ERR);
    }
    let login = Scripted::login("alice").asks(BOTH, field("hunter2", NOW));
    let mut host = granted(login.hands_on("hunter2"));
    assert_eq!(world.play(&mut host, &["forward_pass"]), PAM_SUCCESS);
}

#[test]
fn try_first_pass_asks_unless_the_earlier_password_ends_in_a_right_code() {
    for (offered, guesses) in [(None, 0), (Some("hunter2"), 0), (Some("hunter123456"), 1)] {
        let world = World::with_alice("");
        let login = Scripted::login("alice").offers(offered);
        let mut host = denied(login.asks(CODE, ""), "no_code");
        assert_eq!(world.play(&mut host, &["try_first_pass"]), PAM_AUTH_ERR);
        assert_eq!(world.failures("alice"), guesses, "{offered:?}");
        let login = Scripted::login("alice").offers(offered);
        let mut host = granted(login.asks(CODE, NOW));
        assert_eq!(world.play(&mut host, &["try_first_pass"]), PAM_SUCCESS);
    }
    for arguments in [&["try_first_pass"][..], &["use_first_pass"]] {
        let world = World::with_alice("");
        let offered = field("hunter2", NOW);
        let mut host = granted(Scripted::login("alice").offers(Some(&offered)));
        assert_eq!(world.play(&mut host, arguments), PAM_SUCCESS);
    }
}

#[test]
fn try_first_pass_asks_those_without_a_record_as_well() {
    let world = World::with_alice("");
    for offered in [None, Some("hunter2"), Some("hunter123456")] {
        let login = Scripted::login("bob").offers(offered);
        let mut host = denied(login.asks(CODE, NOW), "unenrolled");
        assert_eq!(world.play(&mut host, &["try_first_pass"]), PAM_AUTH_ERR);
    }
}

#[test]
fn use_first_pass_never_asks() {
    for (offered, reason) in [
        (None, "no_code"),
        (Some("hunter2"), "no_code"),
        (Some("hunter123456"), "wrong_code"),
    ] {
        let world = World::with_alice("");
        let mut host = denied(Scripted::login("alice").offers(offered), reason);
        assert_eq!(world.play(&mut host, &["use_first_pass"]), PAM_AUTH_ERR);
    }
}

#[test]
fn with_forward_pass_what_stood_before_the_code_replaces_the_earlier_password() {
    for first in ["try_first_pass", "use_first_pass"] {
        let world = World::with_alice("");
        let offered = field("hunter2", NOW);
        let login = Scripted::login("alice").offers(Some(&offered));
        let mut host = granted(login.hands_on("hunter2"));
        assert_eq!(world.play(&mut host, &[first, "forward_pass"]), PAM_SUCCESS);
    }
    // Not there, both are asked for.
    for offered in [None, Some("hunter2")] {
        let world = World::with_alice("");
        let login = Scripted::login("alice").offers(offered);
        let mut host = granted(login.asks(BOTH, field("hunter3", NOW)).hands_on("hunter3"));
        let arguments = ["try_first_pass", "forward_pass"];
        assert_eq!(world.play(&mut host, &arguments), PAM_SUCCESS);
    }
}

#[test]
fn who_needs_no_code_is_not_asked_again_for_a_password_that_is_there() {
    let world = World::new("unenrolled = \"allow\"");
    let skipped = |host: Scripted| host.logs(Level::Notice, "skipped", "unenrolled", "");
    let login = || Scripted::login("alice");
    for (host, arguments) in [
        (login(), &["try_first_pass"][..]),
        (login(), &["use_first_pass"]),
        (
            login().offers(Some("hunter2")),
            &["try_first_pass", "forward_pass"],
        ),
        (
            login()
                .offers(None)
                .asks(BOTH, "hunter2")
                .hands_on("hunter2"),
            &["try_first_pass", "forward_pass"],
        ),
        (login(), &["use_first_pass", "forward_pass"]),
    ] {
        let mut host = skipped(host);
        assert_eq!(
            world.play(&mut host, arguments),
            PAM_IGNORE,
            "{arguments:?}"
        );
    }
}

#[test]
fn that_libpam_fails_is_a_denial() {
    let login = || Scripted::login("alice");
    let whole = field("hunter2", NOW);
    for (host, arguments) in [
        (login().asks(BOTH, &whole).holds_in_vain(NOW), ["split"]),
        (
            login().asks(BOTH, &whole).hands_on_in_vain("hunter2"),
            ["forward_pass"],
        ),
        (
            login().offers_nothing(HostError::Libpam),
            ["try_first_pass"],
        ),
        (
            login().offers_nothing(HostError::Libpam),
            ["use_first_pass"],
        ),
    ] {
        let world = World::with_alice("");
        let mut host = host.logs(Level::Error, "denied", "libpam_failed", LIBPAM);
        assert_eq!(world.play(&mut host, &arguments), PAM_AUTH_ERR);
    }
    let world = World::with_alice("");
    let mut host = login()
        .asks(BOTH, &whole)
        .holds(NOW)
        .hands_on_in_vain("hunter2")
        .logs(Level::Error, "denied", "libpam_failed", LIBPAM);
    assert_eq!(world.play(&mut host, &["split"]), PAM_AUTH_ERR);
    host.end();
}
