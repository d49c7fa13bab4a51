//! Logins through the real libpam, in this process. Nothing of the machine's
//! own login is touched, and no rights are needed.

mod common;

use std::process::Command;

use common::{Realm, visit_with};
use pam_otp_testkit::pam::{self, Application, Stack, Style, Transcript};
use pam_otp_testkit::{artifacts, authenticator};

fn login(stack: &Stack, reply: &str) -> Transcript {
    Application::new()
        .user("alice")
        .rhost("192.0.2.7")
        .reply(reply)
        .authenticate(stack)
}

#[test]
fn a_right_code_opens_and_the_same_code_again_does_not() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let code = phone.code();

    let first = login(&stack, &code);
    assert_eq!(
        (first.code, first.setcred),
        (pam::SUCCESS, Some(pam::SUCCESS))
    );
    let question = (Style::EchoOff, "One-time code: ".to_owned());
    assert_eq!((first.prompts, first.leftover), (vec![question.clone()], 0));

    let second = login(&stack, &code);
    assert_eq!((second.code, second.setcred), (pam::AUTH_ERR, None));
    assert_eq!((second.prompts, second.leftover), (vec![question], 0));
}

#[test]
fn a_code_of_the_next_step_opens_after_the_present_one_but_not_the_other_way_round() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    // Forward in time: a step that ends while we try stays within the window.
    for (order, expected) in [([0, 30], pam::SUCCESS), ([30, 0], pam::AUTH_ERR)] {
        let phone = realm.enrol("alice");
        let now = authenticator::now();
        let [first, second] = order.map(|ahead| phone.code_at(now + ahead));
        assert!(login(&stack, &first).entered());
        assert_eq!(login(&stack, &second).code, expected);
        realm.remove("alice");
    }
}

#[test]
fn a_wrong_code_is_refused_and_costs_the_owner_nothing() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    assert_eq!(login(&stack, &phone.wrong()).code, pam::AUTH_ERR);
    assert!(login(&stack, &phone.code()).entered());
}

#[test]
fn each_recovery_code_opens_once_and_the_user_is_told_how_many_are_left() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    for (used, code) in phone.recovery.iter().enumerate() {
        let transcript = login(&stack, code);
        assert!(transcript.entered(), "{used}: {transcript:?}");
        let left = format!(
            "Recovery code used, {} left.",
            phone.recovery.len() - used - 1
        );
        assert_eq!(transcript.messages(), [left]);
        assert_eq!(login(&stack, code).code, pam::AUTH_ERR);
    }
    let code = phone.code();
    assert!(login(&stack, &code).entered(), "the phone works as before");
}

#[test]
fn nobody_with_one_factor_is_told_that_it_was_right() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let module = realm.module("");
    let stack = Stack::new(
        "door",
        &format!("auth required {module}\nauth required pam_deny.so"),
    );
    let transcript = login(&stack, &phone.recovery[0]);
    assert!(!transcript.entered());
    assert_eq!(transcript.messages(), [""; 0]);
}

#[test]
fn a_silent_application_gets_no_messages_and_its_user_gets_in() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let login = Application::new().user("alice").flags(pam::SILENT);
    let transcript = login
        .reply(&*phone.recovery[0])
        .authenticate(&realm.stack(""));
    assert!(transcript.entered());
    assert_eq!(transcript.messages(), [""; 0]);
}

#[test]
fn a_second_try_in_the_same_transaction_counts_for_itself() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let mut transaction = Application::new()
        .user("alice")
        .reply(phone.wrong())
        .start(&stack);
    assert_eq!(transaction.authenticate().code, pam::AUTH_ERR);
    let code = phone.code();
    transaction.reply(&*code);
    assert!(transaction.authenticate().entered());
    // And a success does not stay.
    transaction.reply(&*code);
    assert_eq!(transaction.authenticate().code, pam::AUTH_ERR);
}

#[test]
fn a_failure_asks_libpam_for_the_delay_of_the_policy_and_a_success_for_none() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    for (arguments, from, to) in [
        ("tries=9 fail_delay=2000", 1_000_000, 3_000_000),
        ("tries=9 fail_delay=60000", 30_000_000, 90_000_000),
    ] {
        let refused = login(&realm.stack(arguments), &phone.wrong());
        let [delay] = refused.delays[..] else {
            panic!("{refused:?}")
        };
        // libpam's own dice: pam_fail_delay(3).
        assert!((from..=to).contains(&delay), "{arguments}: {delay}");
    }
    assert_eq!(
        login(&realm.stack("tries=9 fail_delay=0"), &phone.wrong()).delays,
        []
    );
    let granted = login(&realm.stack("tries=9 fail_delay=2000"), &phone.code());
    assert!(granted.entered());
    assert_eq!(granted.delays, []);
}

#[test]
fn threads_with_a_handle_each_log_in_at_once() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    let users: Vec<_> = (0..16).map(|n| format!("user{n}")).collect();
    let phones: Vec<_> = users.iter().map(|user| realm.enrol(user)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = users
            .iter()
            .zip(&phones)
            .map(|(user, phone)| {
                let stack = &stack;
                scope.spawn(move || {
                    let try_in = |reply: &str| {
                        let login = Application::new().user(&**user).reply(reply);
                        login.authenticate(stack).code
                    };
                    let code = phone.code();
                    (try_in(&phone.wrong()), try_in(&code), try_in(&code))
                })
            })
            .collect();
        for thread in threads {
            let codes = thread.join().unwrap();
            assert_eq!(codes, (pam::AUTH_ERR, pam::SUCCESS, pam::AUTH_ERR));
        }
    });
}

#[test]
fn the_environment_changes_nothing() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let pam_try = || {
        let mut command = Command::new(artifacts::helper("pam-try"));
        for (name, value) in [
            ("HOME", "/nonexistent"),
            ("USER", "root"),
            ("LOGNAME", "root"),
            ("TMPDIR", "/nonexistent"),
            ("TZ", "Antarctica/Troll"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("RUST_BACKTRACE", "full"),
            ("RUST_LOG", "trace"),
            ("PAM_OTP_POLICY", "/nonexistent"),
            ("PAM_OTP_DEBUG", "1"),
            ("XDG_CONFIG_HOME", "/nonexistent"),
            ("XDG_STATE_HOME", "/nonexistent"),
        ] {
            command.env(name, value);
        }
        command
    };
    let code = phone.code();
    let expected =
        "outcome=granted reason=code user=alice service=door rhost=192.0.2.7 token=phone";
    let visit = visit_with(pam_try(), &stack, "alice", &code);
    assert_eq!((visit.entered, visit.line()), (true, expected));
    let visit = visit_with(pam_try(), &stack, "alice", &code);
    assert_eq!((visit.entered, visit.code), (false, pam::AUTH_ERR));
    let mut empty = Command::new(artifacts::helper("pam-try"));
    empty.env_clear();
    let visit = visit_with(empty, &stack, "alice", &phone.recovery[0]);
    assert!(visit.entered, "{visit:?}");
}
