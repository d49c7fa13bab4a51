//! Refused for other reasons than the answer: policy, names, records, and
//! applications that do not play along.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use pam::constants::PamResultCode::{self, PAM_AUTH_ERR, PAM_SERVICE_ERR, PAM_SUCCESS};
use pam_otp_core::code::Secret;
use pam_otp_core::state::State;
use pam_otp_core::store::Removal;
use pam_otp_core::token::{Token, TokenFile};

use super::scripted::Scripted;
use super::world::{CODES, NOW, TIMED, World, account, token};
use crate::event::Level;
use crate::host::HostError;

const QUESTION: &str = "One-time code: ";

#[test]
fn a_mistake_in_the_policy_file_denies_before_any_question_and_is_named_with_its_line() {
    // The world writes two lines of its own before these.
    for (rules, line, word) in [
        ("windwo = 1", "line 3", "windwo"),
        ("\nwindow = 11", "line 4", "window"),
        ("window = \"1\"", "line 3", "window"),
        ("window = 1\nwindow = 1", "line 4", "duplicate key"),
        ("unenrolled = \"maybe\"", "line 3", "unenrolled"),
        ("echo = \"yes\"", "line 3", "echo"),
        ("[service.other]\nprompt = 1", "line 4", "prompt"),
        ("[service.other]\nsecret = \"x\"", "line 4", "secret"),
        ("[servic.door]\nwindow = 1", "line 3", "servic"),
        ("window", "line 3", ""),
    ] {
        let world = World::with_alice("unenrolled = \"allow\"");
        let file = world.policy_file();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("unenrolled = \"allow\"", rules)).unwrap();
        for user in ["alice", "nobody-at-all"] {
            let said = denied_by_policy(&world, user, &[]);
            assert!(
                said.contains(&file.display().to_string()),
                "{rules:?}: {said}"
            );
            assert!(
                said.contains(line) && said.contains(word),
                "{rules:?}: {said}"
            );
        }
    }
}

/// What the log says of a file, and how it came to be so.
type Unusable = (&'static str, fn(&Path));

const UNUSABLE: &[Unusable] = &[
    ("no such file", |_| {}),
    ("no such file", |file| {
        symlink("/nonexistent", file).unwrap();
    }),
    ("not a regular file", |file| fs::create_dir(file).unwrap()),
    ("mode 0620", |file| write_with(file, "", 0o620)),
    ("mode 0602", |file| write_with(file, "", 0o602)),
    ("65536 bytes", |file| {
        write_with(file, &"#".repeat(65_537), 0o600);
    }),
];

fn write_with(file: &Path, text: &str, mode: u32) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_policy_file_that_cannot_be_used_denies_and_is_named() {
    for (problem, breaks) in UNUSABLE {
        let world = World::with_alice("");
        let file = world.policy_file();
        fs::remove_file(&file).unwrap();
        breaks(&file);
        let said = denied_by_policy(&world, "alice", &[]);
        assert!(said.contains(&file.display().to_string()), "{said}");
        assert!(said.contains(problem), "{problem}: {said}");
    }
}

#[test]
fn an_unknown_or_malformed_argument_denies_before_any_question_and_is_named() {
    for (arguments, word) in [
        (&["nosuch"][..], "`nosuch`"),
        (&["nosuch=1"], "`nosuch`"),
        (&[""], "``"),
        (&["window"], "`window`"),
        (&["window=eleven"], "`window`"),
        (&["window=+1"], "`window`"),
        (&["unenrolled=ALLOW"], "`unenrolled`"),
        (&["policy=relative.toml"], "`policy`"),
        (&["split", "forward_pass"], "`forward_pass`"),
        (&["try_first_pass", "use_first_pass"], "`use_first_pass`"),
        (&["nullok", "nullOK"], "`nullOK`"),
    ] {
        let world = World::with_alice("unenrolled = \"allow\"");
        let said = denied_by_policy(&world, "nobody-at-all", arguments);
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

/// Plays a login that is refused with the policy's own words, and returns them.
fn denied_by_policy(world: &World, user: &str, arguments: &[&str]) -> String {
    let mut host = Scripted::refused_early(Ok(user)).logs_something(Level::Error);
    assert_eq!(world.play(&mut host, arguments), PAM_SERVICE_ERR);
    let line = host.last_line();
    let start = format!(
        "outcome=denied reason=bad_policy user={user} service=door rhost=192.0.2.7 detail=\""
    );
    assert!(line.starts_with(&start), "{line}");
    line.replace("\\\"", "\"")
}

#[test]
fn a_user_name_that_cannot_be_one_is_refused_without_a_question() {
    let world = World::with_alice("unenrolled = \"allow\"");
    let long = "a".repeat(256);
    for (user, quoted) in [
        ("", "\"\""),
        (".", "."),
        ("..", ".."),
        ("/", "/"),
        ("../records/alice", "../records/alice"),
        ("a/b", "a/b"),
        ("a\nb", "\"a\\u{a}b\""),
        ("a outcome=granted\nb", "\"a outcome=granted\\u{a}b\""),
        ("\x1b[2J", "\"\\u{1b}[2J\""),
        ("a\0b", "\"a\\u{0}b\""),
        (&long, &long),
    ] {
        let detail =
            "detail=\"a user name has 1 to 255 bytes, no slash and no control characters\"";
        let mut host = Scripted::login(user).logs_user(
            Level::Notice,
            "denied",
            "bad_user_name",
            quoted,
            detail,
        );
        assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR, "{user:?}");
    }
}

#[test]
fn without_a_user_there_is_nothing_to_ask() {
    let world = World::with_alice("unenrolled = \"allow\"");
    let detail = "detail=\"the application names no user\"";
    let mut host = Scripted::refused_early(Err(HostError::NoUser)).logs(
        Level::Error,
        "denied",
        "no_user",
        detail,
    );
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
}

#[test]
fn an_application_that_cannot_ask_is_refused_whoever_the_user_is() {
    for (error, reason, detail) in [
        (
            HostError::Conversation,
            "no_conversation",
            "the application could not ask the user",
        ),
        (
            HostError::NoAnswer,
            "no_answer",
            "the application gave no answer",
        ),
    ] {
        let world = World::with_alice("");
        for user in ["alice", "nobody-at-all"] {
            for (arguments, question) in [
                (&[][..], QUESTION),
                (&["split"], "Password and one-time code: "),
                (&["forward_pass"], "Password and one-time code: "),
            ] {
                let mut host = Scripted::login(user).asks_in_vain(question, error).logs(
                    Level::Notice,
                    "denied",
                    reason,
                    &format!("detail=\"{detail}\""),
                );
                assert_eq!(world.play(&mut host, arguments), PAM_AUTH_ERR);
            }
        }
        let code = world.play(&mut granted(NOW), &[]);
        assert_eq!(code, PAM_SUCCESS, "nothing was counted or used up");
    }
}

fn granted(code: &str) -> Scripted {
    Scripted::login("alice").asks(QUESTION, code).logs(
        Level::Info,
        "granted",
        "code",
        "token=phone",
    )
}

#[test]
fn who_has_a_broken_record_is_asked_like_everybody_and_then_denied_with_its_path() {
    for rules in ["", "unenrolled = \"allow\""] {
        let world = World::with_alice(rules);
        let file = world.token_file("alice");
        fs::write(&file, "").unwrap();
        let path = file.display();
        for (arguments, question, reply) in [
            (&[][..], QUESTION, NOW),
            (&[], QUESTION, ""),
            (
                &["forward_pass"],
                "Password and one-time code: ",
                "hunter254676",
            ),
        ] {
            let details = format!("path={path} detail=\"{path}: the file is empty\"");
            let mut host = Scripted::login("alice").asks(question, reply).logs(
                Level::Error,
                "denied",
                "bad_token_file",
                &details,
            );
            assert_eq!(world.play(&mut host, arguments), PAM_AUTH_ERR);
        }
        let details = format!("path={path} detail=\"{path}: the file is empty\"");
        let mut host = Scripted::login("alice")
            .offers(Some("hunter2"))
            .asks(QUESTION, NOW)
            .logs(Level::Error, "denied", "bad_token_file", &details);
        assert_eq!(world.play(&mut host, &["try_first_pass"]), PAM_AUTH_ERR);
    }
}

#[test]
fn a_record_removed_while_its_owner_types_denies() {
    for (rules, level, reason) in [
        ("", Level::Notice, "unenrolled"),
        ("unenrolled = \"allow\"", Level::Error, "changed_record"),
    ] {
        let world = World::with_alice(rules);
        let (store, file) = (world.store(), world.token_file("alice"));
        let state = file.with_file_name("state");
        let path = state.display();
        let details = match reason {
            "unenrolled" => String::new(),
            _ => format!("path={path} detail=\"{path}: the record was removed meanwhile\""),
        };
        let mut host = Scripted::login("alice")
            .asks(QUESTION, NOW)
            .meanwhile(move || {
                assert_eq!(store.remove(&account("alice")).unwrap(), Removal::Removed);
            })
            .logs(level, "denied", reason, &details);
        assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    }
}

#[test]
fn a_record_made_while_its_owner_types_counts_and_before_the_answer_none_is_looked_for() {
    let world = std::rc::Rc::new(World::new(""));
    let later = std::rc::Rc::clone(&world);
    let mut host = Scripted::login("alice")
        .asks(QUESTION, NOW)
        .meanwhile(move || later.enrol("alice", vec![token("phone", TIMED, 6)]))
        .logs(Level::Info, "granted", "code", "token=phone");
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
}

#[test]
fn a_record_replaced_while_its_owner_types_decides_with_the_new_secret() {
    let other = Token {
        secret: Secret::from_base32("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").unwrap(),
        ..token("phone", TIMED, 6)
    };
    let new_code = other.generator().code(5).to_text().to_string();
    for (rules, code, outcome) in [
        ("", NOW, PAM_AUTH_ERR),
        ("", &*new_code, PAM_SUCCESS),
        ("unenrolled = \"allow\"", NOW, PAM_AUTH_ERR),
        ("unenrolled = \"allow\"", &*new_code, PAM_SUCCESS),
    ] {
        let world = World::with_alice(rules);
        let (store, tokens) = (world.store(), vec![other.clone()]);
        let replace = move || {
            assert_eq!(store.remove(&account("alice")).unwrap(), Removal::Removed);
            let tokens = TokenFile::new(tokens, None).unwrap();
            let new = store.enrol(&account("alice"), &tokens, &State::default());
            new.unwrap();
        };
        let host = Scripted::login("alice")
            .asks(QUESTION, code)
            .meanwhile(replace);
        let mut host = match outcome {
            PAM_SUCCESS => host.logs(Level::Info, "granted", "code", "token=phone"),
            _ => host.logs(Level::Notice, "denied", "wrong_code", ""),
        };
        assert_eq!(world.play(&mut host, &[]), outcome);
    }
}

#[test]
fn a_code_used_by_another_while_its_owner_types_is_used() {
    let world = std::rc::Rc::new(World::with_alice(""));
    let faster = std::rc::Rc::clone(&world);
    let mut host = Scripted::login("alice")
        .asks(QUESTION, NOW)
        .meanwhile(move || {
            let code: PamResultCode = faster.play(&mut granted(NOW), &[]);
            assert_eq!(code, PAM_SUCCESS);
        })
        .logs(Level::Notice, "denied", "used_code", "");
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    // The next code is not affected.
    assert_eq!(world.play(&mut granted(CODES[6]), &[]), PAM_SUCCESS);
}
