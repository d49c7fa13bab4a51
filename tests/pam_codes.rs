//! What libpam and the log are told: each class of outcome has its PAM code and
//! its line.

mod common;

use std::ffi::c_int;
use std::fs;
use std::time::Duration;

use common::{Realm, visit};
use pam_otp_testkit::pam::{self, Application, Stack};
use pam_otp_testkit::sandbox::Sandbox;

const SOON: Duration = Duration::from_secs(10);

/// Service, user, replies, PAM code; outcome and reason in the log; the rest of
/// its line, or what begins it.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    c_int,
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    (
        "door",
        "alice",
        "CODE",
        pam::SUCCESS,
        "granted code",
        "token=phone",
    ),
    (
        "door",
        "alice",
        "CODE",
        pam::AUTH_ERR,
        "denied used_code",
        "",
    ),
    (
        "door",
        "alice",
        "WRONG",
        pam::AUTH_ERR,
        "denied wrong_code",
        "",
    ),
    ("door", "alice", "\n", pam::AUTH_ERR, "denied no_code", ""),
    (
        "door",
        "alice",
        "hello",
        pam::AUTH_ERR,
        "denied malformed_code",
        "",
    ),
    (
        "door",
        "nobody-at-all",
        "CODE",
        pam::AUTH_ERR,
        "denied unenrolled",
        "",
    ),
    (
        "door",
        "../alice",
        "CODE",
        pam::AUTH_ERR,
        "denied bad_user_name",
        "detail=\"a user name",
    ),
    (
        "door",
        "a\nb",
        "CODE",
        pam::AUTH_ERR,
        "denied bad_user_name",
        "detail=\"a user name",
    ),
    (
        "door",
        "broken",
        "CODE",
        pam::AUTH_ERR,
        "denied bad_token_file",
        "path=BROKEN",
    ),
    (
        "odd",
        "alice",
        "CODE",
        pam::SERVICE_ERR,
        "denied bad_policy",
        "detail=\"module argument `nosuch`",
    ),
    // No replies: the application cannot ask.
    (
        "door",
        "alice",
        "",
        pam::AUTH_ERR,
        "denied no_conversation",
        "detail=\"the application",
    ),
    // What libpam makes of a stack in which nobody decides.
    (
        "open",
        "nobody-at-all",
        "CODE",
        pam::PERM_DENIED,
        "skipped unenrolled",
        "",
    ),
    (
        "open",
        "alice",
        "WRONG",
        pam::AUTH_ERR,
        "denied wrong_code",
        "",
    ),
    (
        "open",
        "broken",
        "CODE",
        pam::AUTH_ERR,
        "denied bad_token_file",
        "path=BROKEN",
    ),
];
#[test]
fn every_class_of_outcome_has_its_pam_code_and_its_line_in_the_log() {
    let realm = Realm::new("[service.open]\nunenrolled = \"allow\"");
    let phone = realm.enrol("alice");
    realm.enrol("broken");
    fs::write(realm.token_file("broken"), "version = 1\nsecret").unwrap();
    let (code, wrong) = (&*phone.code(), &*phone.wrong());
    let broken = realm.token_file("broken").display().to_string();

    for (service, user, replies, expected, words, rest) in CASES {
        let replies = replies.replace("CODE", code).replace("WRONG", wrong);
        let rest = rest.replace("BROKEN", &broken);
        let module = realm.module(if *service == "odd" { "nosuch" } else { "" });
        let stack = Stack::new(service, &format!("auth required {module}"));
        let visit = visit(&stack, user, &replies);
        assert_eq!(visit.code, *expected, "{user:?} {replies:?}: {visit:?}");
        let (outcome, reason) = words.split_once(' ').unwrap();
        let user = user.replace("a\nb", "\"a\\u{a}b\"");
        let start = format!(
            "outcome={outcome} reason={reason} user={user} service={service} rhost=192.0.2.7 {rest}"
        );
        assert!(
            visit.line().starts_with(start.trim_end()),
            "{start}\n{visit:?}"
        );
        assert!(
            !rest.is_empty() || visit.line() == start.trim_end(),
            "{visit:?}"
        );
        for secret in [code, wrong, &phone.secret] {
            assert!(!visit.line().contains(secret), "{visit:?}");
        }
    }
}

#[test]
fn who_needs_no_code_is_left_to_the_rest_of_the_stack() {
    let realm = Realm::new("unenrolled = \"allow\"");
    let line = format!("auth required {}", realm.module(""));
    for (rest, expected) in [
        ("pam_permit.so", pam::SUCCESS),
        ("pam_deny.so", pam::AUTH_ERR),
    ] {
        let stack = Stack::new("door", &format!("{line}\nauth required {rest}"));
        let login = Application::new().user("alice").reply("123456");
        let transcript = login.authenticate(&stack);
        assert_eq!((transcript.code, transcript.leftover), (expected, 1));
    }
}

#[test]
fn credentials_are_granted_even_without_a_login_and_every_other_line_is_a_service_error() {
    let realm = Realm::new("");
    let module = realm.module("");
    let lines =
        ["auth", "account", "password", "session"].map(|kind| format!("{kind} required {module}"));
    let stack = Stack::new("door", &lines.join("\n"));
    let mut transaction = Application::new().user("alice").start(&stack);
    assert_eq!(transaction.setcred(pam::ESTABLISH_CRED), pam::SUCCESS);
    assert_eq!(transaction.setcred(pam::DELETE_CRED), pam::SUCCESS);
    assert_eq!(transaction.acct_mgmt(), pam::SERVICE_ERR);
    assert_eq!(transaction.chauthtok(), pam::SERVICE_ERR);
    assert_eq!(transaction.open_session(), pam::SERVICE_ERR);
    assert_eq!(transaction.close_session(), pam::SERVICE_ERR);
}

#[test]
fn a_line_of_another_type_says_in_the_log_that_it_must_go() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    for kind in ["account", "session"] {
        let lines = ["auth", "account", "session"].map(|line| {
            let module = if line == kind {
                "{module}"
            } else {
                "pam_permit.so"
            };
            format!("{line} required {module}")
        });
        sandbox.pam_service("su", &lines.join("\n"));
        sandbox.syslog().clear();
        let mut su = sandbox.command("su");
        let output = su.args(["alice", "-c", "echo in"]).output().unwrap();
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        );
        let line = sandbox
            .syslog()
            .wait_for(|line| line.contains("pam_otp"), SOON);
        let expected = format!(
            "pam_otp(su:{kind}): outcome=denied reason=not_an_auth_line user=alice service=su rhost=\"\" detail=\"pam_otp answers auth lines only; remove this line from the stack\""
        );
        assert!(line.ends_with(&expected), "{line}");
    }
}
