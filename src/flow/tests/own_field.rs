//! A field of our own: who is asked what, and what opens.

use pam::constants::PamResultCode::{self, PAM_AUTH_ERR, PAM_IGNORE, PAM_SUCCESS};
use pam_otp_core::token::Kind;

use super::scripted::Scripted;
use super::world::{CODES, NOW, SECRET, World, recovery, token};
use crate::event::Level;

const QUESTION: &str = "One-time code: ";
const BOTH: &str = "Password and one-time code: ";

fn granted(user: &str, code: &str) -> Scripted {
    Scripted::login(user)
        .asks(QUESTION, code)
        .logs(Level::Info, "granted", "code", "token=phone")
}

fn denied(user: &str, reply: impl AsRef<[u8]>, reason: &str) -> Scripted {
    Scripted::login(user)
        .asks(QUESTION, reply)
        .logs(Level::Notice, "denied", reason, "")
}

#[test]
fn a_right_code_is_granted_once() {
    let world = World::with_alice("");
    assert_eq!(world.play(&mut granted("alice", NOW), &[]), PAM_SUCCESS);
    let mut again = denied("alice", NOW, "used_code");
    assert_eq!(world.play(&mut again, &[]), PAM_AUTH_ERR);
}

#[test]
fn the_window_is_the_policy_s() {
    for (rules, step, expected) in [
        ("", 3, PAM_AUTH_ERR),
        ("", 4, PAM_SUCCESS),
        ("", 6, PAM_SUCCESS),
        ("", 7, PAM_AUTH_ERR),
        ("window = 0", 4, PAM_AUTH_ERR),
        ("window = 0", 5, PAM_SUCCESS),
        ("window = 2", 7, PAM_SUCCESS),
        ("window = 0\n[service.door]\nwindow = 1", 4, PAM_SUCCESS),
        ("window = 0\n[service.other]\nwindow = 1", 4, PAM_AUTH_ERR),
    ] {
        let world = World::with_alice(rules);
        let mut host = if expected == PAM_SUCCESS {
            granted("alice", CODES[step])
        } else {
            // CODES[5] is that of now.
            let seconds = (i64::try_from(step).unwrap() - 5) * 30;
            let clock = format!("clock={seconds:+}s");
            Scripted::login("alice").asks(QUESTION, CODES[step]).logs(
                Level::Notice,
                "denied",
                "other_time",
                &clock,
            )
        };
        assert_eq!(world.play(&mut host, &[]), expected, "{rules} {step}");
    }
}

#[test]
fn what_does_not_open_is_denied_with_its_reason_and_only_guesses_count() {
    let long = "1".repeat(513);
    for (reply, reason, failures) in [
        (&b"123456"[..], "wrong_code", 1),
        (b"00254676", "wrong_code", 1),
        (b"0000-0000-0000-0000", "wrong_code", 1),
        (b"", "no_code", 0),
        (b" - ", "no_code", 0),
        (b"25467", "malformed_code", 0),
        (b"password", "malformed_code", 0),
        (SECRET.as_bytes(), "malformed_code", 0),
        (b"\xff254676", "malformed_code", 0),
        (b"\x08\n\r\x7fINCORRECT", "malformed_code", 0),
        (long.as_bytes(), "malformed_code", 0),
    ] {
        let world = World::with_alice("");
        let code = world.play(&mut denied("alice", reply, reason), &[]);
        assert_eq!(
            (code, world.failures("alice")),
            (PAM_AUTH_ERR, failures),
            "{reply:?}"
        );
    }
}

#[test]
fn the_question_and_its_echo_are_the_policy_s_but_a_password_is_never_shown() {
    for (rules, arguments, question, echo) in [
        ("", &[][..], QUESTION, false),
        ("prompt = \"Kod: \"", &[], "Kod: ", false),
        ("prompt = \"\"", &[], QUESTION, false),
        ("prompt = \"Kod: \"", &["prompt=Code? "], "Code? ", false),
        ("", &["authtok_prompt=Code? "], "Code? ", false),
        ("echo = true", &[], QUESTION, true),
        ("echo = true", &["echo=false"], QUESTION, false),
        ("", &["echo_verification_code"], QUESTION, true),
        ("", &["forward_pass"], BOTH, false),
        ("echo = true", &["forward_pass"], BOTH, false),
        ("prompt = \"Both: \"", &["forward_pass"], "Both: ", false),
    ] {
        let world = World::with_alice(rules);
        let login = Scripted::login("alice");
        let mut host = if echo {
            login.asks_with_echo(question, "")
        } else {
            login.asks(question, "")
        }
        .logs(Level::Notice, "denied", "no_code", "");
        assert_eq!(
            world.play(&mut host, arguments),
            PAM_AUTH_ERR,
            "{rules} {arguments:?}"
        );
    }
}

#[test]
fn who_has_no_record_is_asked_the_same_question_and_denied_whatever_the_answer() {
    let world = World::with_alice("");
    // A user of this system, and one that no system has.
    for user in ["root", "nobody-at-all"] {
        for reply in [NOW, "", "hello", "0000-0000-0000-0000"] {
            let mut host = denied(user, reply, "unenrolled");
            assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR, "{user} {reply}");
        }
    }
}

#[test]
fn where_the_policy_allows_it_in_words_who_has_no_record_is_not_asked() {
    for (rules, arguments) in [
        ("unenrolled = \"allow\"", &[][..]),
        ("", &["unenrolled=allow"]),
        ("", &["nullok"]),
        ("[service.door]\nunenrolled = \"allow\"", &[]),
    ] {
        let world = World::with_alice(rules);
        let mut host = Scripted::login("root").logs(Level::Notice, "skipped", "unenrolled", "");
        assert_eq!(world.play(&mut host, arguments), PAM_IGNORE);
        let mut host = denied("alice", "123456", "wrong_code");
        assert_eq!(
            world.play(&mut host, arguments),
            PAM_AUTH_ERR,
            "alice has a record"
        );
    }
}

#[test]
fn a_recovery_code_opens_once_and_the_user_is_told_how_many_are_left() {
    let world = World::with_alice("");
    let codes = recovery().1;
    let written = [
        codes[0].to_text().to_string(),
        codes[1].to_text().to_uppercase().replace('-', ""),
    ];
    for (code, left) in written.iter().zip([9, 8]) {
        let mut host = Scripted::login("alice")
            .asks(QUESTION, code)
            .tells_later(&format!("Recovery code used, {left} left."))
            .logs(
                Level::Info,
                "granted",
                "recovery_code",
                &format!("left={left}"),
            );
        assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
        let mut host = denied("alice", code, "used_code");
        assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    }
    assert_eq!(world.play(&mut granted("alice", NOW), &[]), PAM_SUCCESS);
}

#[test]
fn a_counter_goes_on_from_the_last_code_and_never_back() {
    let world = World::new("look_ahead = 2");
    world.enrol("alice", vec![token("phone", Kind::Hotp { counter: 1 }, 6)]);
    let plays: &[(usize, PamResultCode, &str)] = &[
        (0, PAM_AUTH_ERR, "used_code"),
        (3, PAM_AUTH_ERR, "wrong_code"),
        (2, PAM_SUCCESS, ""),
        (1, PAM_AUTH_ERR, "used_code"),
        (2, PAM_AUTH_ERR, "used_code"),
        (5, PAM_AUTH_ERR, "wrong_code"),
        (4, PAM_SUCCESS, ""),
    ];
    for (counter, expected, reason) in plays {
        let mut host = match expected {
            PAM_SUCCESS => granted("alice", CODES[*counter]),
            _ => denied("alice", CODES[*counter], reason),
        };
        assert_eq!(world.play(&mut host, &[]), *expected, "{counter}");
    }
}

#[test]
fn the_clock_is_read_when_the_answer_is_there() {
    // Two minutes to type: the code of the question's step is too old, the one
    // that the phone shows at the end opens.
    for (step, level, outcome, reason, details, expected) in [
        (
            5,
            Level::Notice,
            "denied",
            "other_time",
            "clock=-120s",
            PAM_AUTH_ERR,
        ),
        (
            9,
            Level::Info,
            "granted",
            "code",
            "token=phone",
            PAM_SUCCESS,
        ),
    ] {
        let world = World::with_alice("");
        let host = Scripted::login("alice").asks(QUESTION, CODES[step]);
        let clock = host.clock.clone();
        let mut host = host
            .meanwhile(move || clock.set(clock.get() + 120))
            .logs(level, outcome, reason, details);
        assert_eq!(world.play(&mut host, &[]), expected, "step {step}");
    }
}

#[test]
fn a_trial_s_witness_is_left_once_the_stack_agrees_and_only_where_a_code_opened() {
    let world = World::with_alice("");
    let file = world.policy_file().with_file_name("witness");
    let witness = format!("witness={}", file.display());
    let left = || std::fs::read_to_string(&file).ok();

    let mut host = denied("alice", "000000", "wrong_code");
    assert_eq!(world.play(&mut host, &[&witness]), PAM_AUTH_ERR);
    assert_eq!(host.marked, None);

    // A file that is not there is not made, and costs nobody the login.
    let mut host = granted("alice", CODES[4]).shows(true);
    assert_eq!(world.play(&mut host, &[&witness]), PAM_SUCCESS);
    assert!(world.set_credentials(&mut host, &[&witness]).is_none());
    assert_eq!((left(), &host.marked), (None, &None));

    std::fs::write(&file, "").unwrap();
    let mut host = granted("alice", NOW).shows(true);
    assert_eq!(world.play(&mut host, &[&witness]), PAM_SUCCESS);
    assert_eq!(left().as_deref(), Some(""), "the stack may still refuse");
    assert!(world.set_credentials(&mut host, &[&witness]).is_none());
    assert_eq!(left().as_deref(), Some("alice\n"));

    // Nobody asked for one.
    let mut host = granted("alice", CODES[6]);
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(host.marked, None);
}
