//! What applications can do in a conversation: every way of not answering, and
//! every kind of answer. Each is decided; none opens but the right code.

#![allow(
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "codes are digits"
)]

mod common;

use std::ffi::c_int;

use common::{Phone, Realm};
use pam_otp_testkit::pam::{self, Application, Reply, Stack};

/// What an application does at our question, and the PAM code for it.
type Case = (&'static str, fn(&Phone) -> Reply, c_int);

/// Answers of applications that fail, and of people who mean harm.
const HOSTILE: &[Case] = &[
    ("a NULL reply", |_| Reply::Null, pam::AUTH_ERR),
    (
        "no array of responses",
        |_| Reply::NoResponse,
        pam::AUTH_ERR,
    ),
    ("a conversation that fails", |_| Reply::Fail, pam::AUTH_ERR),
    (
        "a conversation that is not ready",
        |_| Reply::FailAgain,
        pam::AUTH_ERR,
    ),
    ("an empty reply", |_| "".into(), pam::AUTH_ERR),
    ("a space", |_| " ".into(), pam::AUTH_ERR),
    ("spaces and hyphens", |_| " - \t -- ".into(), pam::AUTH_ERR),
    ("511 bytes", |_| digits(511), pam::AUTH_ERR),
    ("512 bytes", |_| digits(512), pam::AUTH_ERR),
    ("513 bytes", |_| digits(513), pam::AUTH_ERR),
    ("4096 bytes", |_| digits(4096), pam::AUTH_ERR),
    ("a mebibyte", |_| digits(1 << 20), pam::AUTH_ERR),
    (
        "a mebibyte of spaces",
        |_| " ".repeat(1 << 20).into(),
        pam::AUTH_ERR,
    ),
    // More than libpam's PAM_MAX_RESP_SIZE is no answer, whatever is in it.
    (
        "the right code after 510 spaces",
        |phone| format!("{:510}{}", "", phone.code()).into(),
        pam::AUTH_ERR,
    ),
    (
        "bytes that are not UTF-8",
        |_| Reply::Bytes(b"\xff\xfe12345".to_vec()),
        pam::AUTH_ERR,
    ),
    (
        "the right code and a byte that is not UTF-8",
        |phone| Reply::Bytes([phone.code().as_bytes(), b"\xff"].concat()),
        pam::AUTH_ERR,
    ),
    (
        "control characters",
        |_| "\x01\x02\x1b[2J\x7f".into(),
        pam::AUTH_ERR,
    ),
    (
        "the right code and a line break",
        |phone| format!("{}\n", phone.code()).into(),
        pam::AUTH_ERR,
    ),
    // What sshd sends for users whom it does not let in.
    (
        "sshd's own",
        |_| Reply::Bytes(b"\x08\n\r\x7fINCORRECT".to_vec()),
        pam::AUTH_ERR,
    ),
    (
        "full-width digits",
        |phone| full_width(&phone.code()).into(),
        pam::AUTH_ERR,
    ),
    ("a wrong code", |phone| phone.wrong().into(), pam::AUTH_ERR),
    (
        "a digit too few",
        |phone| phone.code()[1..].into(),
        pam::AUTH_ERR,
    ),
    (
        "the code twice",
        |phone| phone.code().repeat(2).into(),
        pam::AUTH_ERR,
    ),
    (
        "a sign before the code",
        |phone| format!("+{}", phone.code()).into(),
        pam::AUTH_ERR,
    ),
    (
        "the secret itself",
        |phone| phone.secret.clone().into(),
        pam::AUTH_ERR,
    ),
    ("a format", |_| "%s%n%s%n".into(), pam::AUTH_ERR),
];

/// How a right code is typed.
type Typed = (&'static str, fn(&str) -> Reply);

/// Ways to type a right code.
const HONEST: &[Typed] = &[
    ("as it is", |code| code.into()),
    ("in two groups", |code| {
        format!("{} {}", &code[..3], &code[3..]).into()
    }),
    ("with hyphens", |code| {
        format!("{}-{}-{}", &code[..2], &code[2..4], &code[4..]).into()
    }),
    ("with spaces around", |code| format!(" \t{code}  ").into()),
    ("after 506 spaces, 512 bytes in all", |code| {
        format!("{:506}{code}", "").into()
    }),
    // As any C program sees it.
    ("and a NUL with something behind it", |code| {
        Reply::Bytes(format!("{code}\0INCORRECT").into_bytes())
    }),
];

fn digits(count: usize) -> Reply {
    "1".repeat(count).into()
}

fn full_width(code: &str) -> String {
    let wide = |digit: char| char::from_u32(u32::from(digit) - u32::from('0') + 0xff10);
    code.chars().filter_map(wide).collect()
}

fn login(stack: &Stack, reply: impl Into<Reply>) -> pam::Transcript {
    Application::new()
        .user("alice")
        .reply(reply)
        .authenticate(stack)
}

#[test]
fn every_hostile_reply_is_decided_and_an_honest_login_follows() {
    let realm = Realm::new("");
    for (name, reply, expected) in HOSTILE {
        let phone = realm.enrol("alice");
        let stack = realm.stack("");
        let transcript = login(&stack, reply(&phone));
        assert_eq!(transcript.code, *expected, "{name}: {transcript:?}");
        assert_eq!(transcript.questions(), ["One-time code: "], "{name}");
        assert!(login(&stack, phone.code()).entered(), "after {name}");
        realm.remove("alice");
    }
}

#[test]
fn every_hostile_reply_to_a_split_line_is_decided_and_an_honest_login_follows() {
    let realm = Realm::new("");
    for (name, reply, _) in HOSTILE {
        let phone = realm.enrol("alice");
        let lines = ["split", ""].map(|line| format!("auth required {}", realm.module(line)));
        let stack = Stack::new("door", &lines.join("\n"));
        let transcript = login(&stack, reply(&phone));
        // The end of a field may well be a code: "+123456" is a password and one.
        let ends_right = ["a sign before the code", "the code twice"].contains(name);
        let after_spaces = name.contains("spaces") && name.contains("right code");
        if ends_right {
            assert_eq!(transcript.code, pam::SUCCESS, "{name}: {transcript:?}");
        } else {
            assert_ne!(transcript.code, pam::SUCCESS, "{name}: {transcript:?}");
            assert_ne!(transcript.code, pam::IGNORE, "{name}: {transcript:?}");
        }
        assert!(!after_spaces || transcript.code == pam::AUTH_ERR, "{name}");
        if !ends_right {
            assert!(
                login(&stack, format!("password{}", phone.code())).entered(),
                "after {name}"
            );
        }
        realm.remove("alice");
    }
}

#[test]
fn a_right_code_opens_however_it_is_typed() {
    let realm = Realm::new("");
    for (name, typed) in HONEST {
        let phone = realm.enrol("alice");
        let transcript = login(&realm.stack(""), typed(&phone.code()));
        assert!(transcript.entered(), "{name}: {transcript:?}");
        realm.remove("alice");
    }
}

#[test]
fn an_application_that_cannot_show_messages_still_logs_in() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    for (code, application) in phone.recovery.iter().zip([
        Application::new().mute_messages(),
        Application::new().ignore_messages(),
    ]) {
        let transcript = application
            .user("alice")
            .reply(&**code)
            .authenticate(&stack);
        assert!(transcript.entered(), "{transcript:?}");
        assert_eq!(transcript.messages().len(), 1);
    }
}

#[test]
fn an_application_that_cannot_ask_for_the_name_is_refused() {
    let realm = Realm::new("");
    let stack = realm.stack("");
    for reply in [
        Reply::Null,
        Reply::NoResponse,
        Reply::Fail,
        Reply::FailAgain,
    ] {
        let transcript = Application::new().reply(reply).authenticate(&stack);
        assert_ne!(transcript.code, pam::SUCCESS);
        assert_ne!(transcript.code, pam::IGNORE);
        assert_eq!(transcript.questions().len(), 1, "{transcript:?}");
    }
}

#[test]
fn a_user_name_that_is_no_text_is_refused_before_any_question() {
    let realm = Realm::new("unenrolled = \"allow\"");
    let stack = realm.stack("");
    for name in [
        &b"\xff\xfe"[..],
        b"",
        b"/",
        b"..",
        b"a/b",
        b"a\nb",
        b"\x1b[2J",
    ] {
        let login = Application::new().user(name).reply("123456");
        let transcript = login.authenticate(&stack);
        assert_eq!(transcript.code, pam::AUTH_ERR, "{name:?}");
        assert_eq!(
            (transcript.prompts, transcript.leftover),
            (vec![], 1),
            "{name:?}"
        );
    }
}
