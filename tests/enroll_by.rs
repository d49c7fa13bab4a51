//! Until when a first login can be put off, for everybody and for those who are
//! required to have a code: on the real libpam and by a real sshd.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;
mod world;

use std::process::Command;

use common::first::{ENTER, FIRST, code, key, next_code};
use common::{Realm, value, visit_with};
use pam_otp_testkit::pam::{Application, Reply, Stack, Transcript};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sshd::Sshd;
use pam_otp_testkit::{artifacts, authenticator, sandbox};
use world::{PASSWORD, QUESTION, SOON, World};

const DAY: u64 = 24 * 60 * 60;
const ENROLL: &str = "unenrolled = \"enroll\"";
const REQUIRED: &str = "unenrolled = \"enroll\"\nrequire_users = [\"alice\", \"bob\"]";

/// The day, as the policy names it, so many seconds after now or before.
fn day(seconds: i64) -> String {
    let then = authenticator::now().checked_add_signed(seconds).unwrap();
    let mut date = Command::new("date");
    let said = sandbox::run(date.args(["-u", "+%F", "-d", &format!("@{then}")]), "");
    said.trim().to_owned()
}

fn days(count: i64) -> String {
    day(count * i64::try_from(DAY).unwrap())
}

/// A line of ours, and one that lets in whom ours has not refused.
fn stack(realm: &Realm) -> Stack {
    let lines = format!(
        "auth required {}\nauth required pam_permit.so",
        realm.module("")
    );
    Stack::new("door", &lines)
}

/// A login that gives these replies, and then those of the dialogue.
fn login(realm: &Realm, replies: &[&str]) -> Transcript {
    let login = Application::new().user("alice");
    let login = replies
        .iter()
        .fold(login, |login, reply| login.reply(*reply));
    let dialogue = Reply::reading(|said| code(&key(said)));
    login.reply(dialogue).reply("").authenticate(&stack(realm))
}

fn question(days: i64) -> String {
    format!("One-time codes are needed here in {days} days. Set them up now? [y/N] ")
}

#[test]
fn before_the_day_who_just_presses_enter_is_reminded_and_let_in() {
    for (rules, key) in [(ENROLL, "enroll_by"), (REQUIRED, "require_by")] {
        let realm = Realm::new(&format!("{rules}\n{key} = \"{}\"", days(7)));
        let visit = visit_with(
            Command::new(artifacts::helper("pam-try")),
            &stack(&realm),
            "alice",
            "\n",
        );
        assert!(visit.entered, "{visit:?}");
        // Midnight may pass while the test runs.
        let asked = [question(7), question(6)].map(|asked| format!("EchoOn {asked:?}"));
        let [prompt] = &visit.prompts[..] else {
            panic!("{visit:?}");
        };
        assert!(asked.contains(prompt), "{prompt}");
        assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
        assert_eq!(value(visit.line(), "reason"), Some("postponed"));
        assert!(["7", "6"].contains(&value(visit.line(), "days").unwrap()));
        assert!(!realm.record("alice").exists());

        // And who says yes is enrolled.
        let eager = login(&realm, &["y"]);
        assert!(eager.entered(), "{eager:?}");
        assert_eq!(eager.questions()[1..], [FIRST, ENTER]);
        assert!(realm.token_file("alice").exists());
    }
}

#[test]
fn on_the_day_and_after_it_nobody_is_let_in_without_enrolling() {
    for (rules, key) in [(ENROLL, "enroll_by"), (REQUIRED, "require_by")] {
        for day in [days(0), days(-1), "1970-01-01".to_owned(), String::new()] {
            let realm = Realm::new(&format!("{rules}\n{key} = \"{day}\""));
            let lazy = Application::new().user("alice");
            let lazy = lazy.reply("").reply("").reply("");
            let lazy = lazy.authenticate(&stack(&realm));
            assert!(!lazy.entered(), "{key} {day}: {lazy:?}");
            assert_eq!(lazy.questions(), [FIRST; 3]);
            assert!(!realm.record("alice").exists());

            let first = login(&realm, &[]);
            assert!(first.entered(), "{key} {day}: {first:?}");
            assert_eq!(first.questions(), [FIRST, ENTER]);
        }
    }
}

#[test]
fn who_is_required_cannot_put_it_off_until_the_day_of_the_others() {
    let realm = Realm::new(&format!("{REQUIRED}\nenroll_by = \"9999-12-31\""));
    let first = login(&realm, &[]);
    assert!(first.entered(), "{first:?}");
    assert_eq!(first.questions(), [FIRST, ENTER]);
}

#[test]
fn an_application_that_shows_no_messages_is_refused_with_its_reason_from_the_day_on() {
    let mute = |realm: &Realm, replies: &str| {
        let mut pam_try = Command::new(artifacts::helper("pam-try"));
        pam_try.arg("--mute");
        visit_with(pam_try, &stack(realm), "alice", replies)
    };
    for rules in [
        format!("{ENROLL}\nenroll_by = \"{}\"", days(0)),
        REQUIRED.to_owned(),
    ] {
        let realm = Realm::new(&rules);
        let visit = mute(&realm, "");
        assert!(!visit.entered, "{visit:?}");
        let line = visit.line();
        assert_eq!(value(line, "outcome"), Some("denied"), "{line}");
        assert_eq!(value(line, "reason"), Some("not_shown"), "{line}");
        for said in [
            "detail=\"the user must enrol, and the application shows no messages\"",
            "hint=\"pam-otp enroll --user USER, or",
        ] {
            assert!(line.contains(said), "{line}");
        }
        assert!(!realm.record("alice").exists());
    }
    // Before it, the question is one: it needs no message.
    let realm = Realm::new(&format!("{ENROLL}\nenroll_by = \"9999-12-31\""));
    let visit = mute(&realm, "\n");
    assert!(visit.entered, "{visit:?}");
    assert_eq!(value(visit.line(), "reason"), Some("postponed"));
}

#[test]
fn by_ssh_who_is_required_enrols_at_the_first_login_and_others_put_it_off() {
    let Some(world) = World::or_skip() else {
        return;
    };
    world.stack("sshd-required", "sshd-password-and-code");
    world.sandbox.add_user("bob", PASSWORD);
    world.sandbox.add_user("carol", PASSWORD);
    let policy = format!("{REQUIRED}\nenroll_by = \"9999-12-31\"\n");
    let path = "/etc/security/pam_otp.toml";
    world.sandbox.write(path, policy, 0o644);
    let server = Sshd::start(&world.sandbox, "sshd-required", "");
    let ssh = |user: &str| {
        let command = server.client(user).remote_command("echo in-as $(id -un)");
        let mut command = command.command();
        command.env("LC_ALL", "C.UTF-8");
        let mut ssh = Pty::spawn(command);
        ssh.expect("Password: ", SOON);
        ssh.send_line(PASSWORD);
        ssh
    };
    let mut carol = ssh("carol");
    carol.expect("Set them up now? [y/N] ", SOON);
    carol.send_line("");
    carol.expect("in-as carol", SOON);
    world.logged(&["outcome=skipped", "reason=postponed", "user=carol"]);

    let mut bob = ssh("bob");
    let key = key(&bob.expect(FIRST, SOON));
    assert!(!bob.output().contains("Set them up"), "{}", bob.output());
    bob.send_line(&code(&key));
    bob.expect(ENTER, SOON);
    bob.send_line("");
    bob.expect("in-as bob", SOON);
    world.logged(&["outcome=enrolled", "reason=first_login", "user=bob"]);

    let mut again = ssh("bob");
    again.expect(QUESTION, SOON);
    again.send_line(&next_code(&key));
    again.expect("in-as bob", SOON);
}
