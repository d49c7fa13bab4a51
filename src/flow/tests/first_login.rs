//! A login that enrols its user.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pam::constants::PamResultCode::{self, PAM_AUTH_ERR, PAM_CRED_ERR, PAM_IGNORE, PAM_SUCCESS};
use pam_otp_core::store::{PENDING_FILE, STATE_FILE, TOKEN_FILE};

use super::scripted::Scripted;
use super::world::{CODES, NOW, SECRET, TIMED, World, recovery, token};
use crate::event::Level;
use crate::host::HostError;

const ENROLL: &str = "unenrolled = \"enroll\"";
const QUESTION: &str = "One-time code: ";
const FIRST: &str = "Code that the app shows: ";
const ENTER: &str = "Press Enter when you have them. ";
const DAY: u64 = 24 * 60 * 60;

fn alice() -> Scripted {
    Scripted::login("alice").shows(true)
}

/// The whole dialogue, with the code of now.
fn dialogue(host: Scripted) -> Scripted {
    let host = host.asks(FIRST, NOW).asks_with_echo(ENTER, "");
    host.logs(Level::Notice, "confirmed", "first_login", "token=phone")
}

fn effective(host: Scripted) -> Scripted {
    host.logs(Level::Notice, "enrolled", "first_login", "")
}

fn denied(host: Scripted, reason: &str) -> Scripted {
    host.logs(Level::Notice, "denied", reason, "")
}

fn plays(world: &World, mut host: Scripted, arguments: &[&str]) -> PamResultCode {
    world.play(&mut host, arguments)
}

/// What an ordinary login with this code comes to.
fn login(world: &World, code: &str, outcome: &str, reason: &str) {
    let host = Scripted::login("alice").asks(QUESTION, code);
    let host = match outcome {
        "granted" if reason == "recovery_code" => host
            .tells_later("Recovery code used, 9 left.")
            .logs(Level::Info, outcome, reason, "left=9"),
        "granted" => host.logs(Level::Info, outcome, reason, "token=phone"),
        _ => host.logs(Level::Notice, outcome, reason, ""),
    };
    plays(world, host, &[]);
}

#[test]
fn who_has_no_record_is_shown_a_token_and_proves_it_and_is_enrolled_when_all_agree() {
    let world = World::new(ENROLL);
    let mut host = effective(dialogue(alice()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert!(!world.has("alice", TOKEN_FILE), "nothing is effective yet");
    assert!(world.has("alice", PENDING_FILE));

    let told = host.told().to_owned();
    let key = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
    let uri = format!("URI:     otpauth://totp/door.example.org:alice?secret={SECRET}");
    let lines = ["Account: alice", "Issuer:  door.example.org", &uri];
    for line in lines {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(told.contains(&format!("Key:     {key}\n")), "{told}");
    assert!(told.contains("▀▄") && !told.contains('\x1b'), "{told}");
    let (_, codes) = recovery();
    for code in &codes {
        assert!(told.contains(&format!("\n{}\n", *code.to_text())), "{told}");
    }

    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
    assert_eq!(world.set_credentials(&mut host, &[]), None, "once");
    assert!(!world.has("alice", PENDING_FILE));
    let tokens = world.read("alice", TOKEN_FILE);
    let label = "issuer = \"door.example.org\"\naccount = \"alice\"\n";
    assert!(tokens.contains(label), "what the app shows is kept");
    // The code that confirmed is spent.
    login(&world, NOW, "denied", "used_code");
    login(&world, CODES[6], "granted", "code");
    login(&world, &codes[3].to_text(), "granted", "recovery_code");
    login(&world, &codes[3].to_text(), "denied", "used_code");
}

#[test]
fn without_credentials_nothing_is_effective_and_the_next_login_asks_anew() {
    let world = World::new(ENROLL);
    assert_eq!(plays(&world, dialogue(alice()), &[]), PAM_SUCCESS);
    // The same again: nothing was spent.
    let mut host = effective(dialogue(alice()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
    assert!(world.has("alice", TOKEN_FILE));
}

#[test]
fn only_what_this_login_has_confirmed_and_only_in_time_becomes_effective() {
    let forge = |host: &mut Scripted| host.marked = Some(format!("{}:alice", "0".repeat(64)));
    let late = |host: &mut Scripted| host.clock.set(host.clock.get() + 600);
    let garbled = |host: &mut Scripted| host.marked = Some("x".to_owned());
    for (spoil, reason) in [
        (&forge as &dyn Fn(&mut Scripted), "enrolment_gone"),
        (&late, "enrolment_gone"),
        (&garbled, "bad_user_name"),
    ] {
        let world = World::new(ENROLL);
        let mut host = dialogue(alice()).logs_something(Level::Error);
        assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
        spoil(&mut host);
        assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_CRED_ERR));
        let line = host.last_line();
        assert!(line.contains(&format!("reason={reason} ")), "{line}");
        assert!(!world.has("alice", TOKEN_FILE));
    }
}

#[test]
fn a_second_login_that_was_faster_wins_and_the_first_is_denied() {
    let world = World::new(ENROLL);
    let mut first = dialogue(alice()).logs_something(Level::Error);
    assert_eq!(world.play(&mut first, &[]), PAM_SUCCESS);
    let mut second = effective(dialogue(alice()));
    assert_eq!(world.play(&mut second, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut second, &[]), Some(PAM_SUCCESS));
    assert_eq!(world.set_credentials(&mut first, &[]), Some(PAM_CRED_ERR));
    assert!(first.last_line().contains("reason=enrolment_gone"));
    login(&world, CODES[6], "granted", "code");
}

#[test]
fn three_codes_that_do_not_match_are_a_denial_and_leave_nothing() {
    let world = World::new(ENROLL);
    let (_, codes) = recovery();
    let paper = codes[0].to_text();
    let host = alice().asks(FIRST, "000000").asks(FIRST, CODES[9]);
    let mut host = denied(host.asks(FIRST, paper.as_bytes()), "not_confirmed");
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    assert!(host.told().contains("That code does not match."));
    assert!(host.told().contains("That code is of another time"));
    assert!(!host.told().contains("Recovery codes"));
    assert_eq!(host.marked, None);
    assert!(!world.has("alice", ""), "not even a directory");

    let host = alice().asks(FIRST, "000000");
    let mut host = effective(dialogue(host));
    assert_eq!(
        world.play(&mut host, &[]),
        PAM_SUCCESS,
        "the second is right"
    );
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
}

#[test]
fn an_application_that_shows_nothing_is_a_denial_that_says_so() {
    let world = World::new(ENROLL);
    let mut host = Scripted::login("alice").shows(false);
    host = host.logs_something(Level::Notice);
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    let line = host.last_line();
    assert!(
        line.contains("reason=not_shown") && line.contains("hint="),
        "{line}"
    );
    assert!(!world.has("alice", ""));
}

#[test]
fn who_goes_away_before_the_end_is_not_enrolled() {
    for answers in 0..2 {
        let world = World::new(ENROLL);
        let gone = HostError::Conversation;
        let host = if answers == 0 {
            alice().asks_in_vain(FIRST, gone)
        } else {
            let host = alice().asks(FIRST, NOW);
            host.asks_with_echo_in_vain(ENTER, gone)
        };
        let mut host = host.logs_something(Level::Notice);
        assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
        assert!(host.last_line().contains("reason=no_conversation"));
        assert_eq!(host.marked, None);
        assert!(!world.has("alice", ""));
    }
}

#[test]
fn before_the_day_it_may_be_put_off_and_the_days_are_counted() {
    // The test's clock is in 1970.
    let world = World::new(&format!("{ENROLL}\nenroll_by = \"1970-01-15\""));
    let question =
        |days: &str| format!("One-time codes are needed here in {days}. Set them up now? [y/N] ");
    for (after, left, log) in [(0, "14 days", "days=14"), (13 * DAY, "1 day", "days=1")] {
        for reply in ["", "n", "no", "later", "yesterday"] {
            let host = Scripted::login("alice").after(after);
            let host = host.asks_with_echo(&question(left), reply);
            let host = host.logs(Level::Notice, "skipped", "postponed", log);
            assert_eq!(plays(&world, host, &[]), PAM_IGNORE, "{reply}");
        }
    }
    assert!(!world.has("alice", ""));
    // On the day there is no question.
    let host = denied(
        alice()
            .after(14 * DAY)
            .asks(FIRST, "")
            .asks(FIRST, "")
            .asks(FIRST, ""),
        "not_confirmed",
    );
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
    for reply in ["y", " YES "] {
        let host = alice().asks_with_echo(&question("14 days"), reply);
        assert_eq!(plays(&world, dialogue(host), &[]), PAM_SUCCESS);
    }
}

#[test]
fn who_has_a_record_or_is_exempt_is_not_enrolled() {
    let world = World::with_alice(ENROLL);
    login(&world, NOW, "granted", "code");
    let world = World::new(&format!("{ENROLL}\nexempt_users = [\"alice\"]"));
    let host = Scripted::login("alice").logs(Level::Notice, "skipped", "exempt_user", "");
    assert_eq!(plays(&world, host, &[]), PAM_IGNORE);
}

#[test]
fn who_is_required_enrols_and_has_a_day_of_their_own() {
    let required = format!("{ENROLL}\nrequire_users = [\"alice\"]");
    for exempt in ["", "exempt_users = [\"alice\"]"] {
        // A day that is for the others lets nobody put it off who is required.
        let world = World::new(&format!("{required}\nenroll_by = \"1970-01-15\"\n{exempt}"));
        let mut host = effective(dialogue(alice()));
        assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
        assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
        login(&world, CODES[6], "granted", "code");
    }
    let day = "require_by = \"1970-01-08\"";
    let question = "One-time codes are needed here in 7 days. Set them up now? [y/N] ";
    let world = World::new(&format!("{required}\n{day}"));
    let host = Scripted::login("alice").asks_with_echo(question, "");
    let host = host.logs(Level::Notice, "skipped", "postponed", "days=7");
    assert_eq!(plays(&world, host, &[]), PAM_IGNORE);
    let host = dialogue(alice().asks_with_echo(question, "y"));
    assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
    let late = alice().after(7 * DAY).asks(FIRST, "");
    let host = denied(late.asks(FIRST, "").asks(FIRST, ""), "not_confirmed");
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
    // It is no day for anybody else.
    let world = World::new(&format!("{ENROLL}\n{day}"));
    assert_eq!(plays(&world, dialogue(alice()), &[]), PAM_SUCCESS);
}

#[test]
fn where_logins_do_not_enrol_no_day_lets_in_who_is_required() {
    for unenrolled in ["allow", "deny"] {
        let world = World::new(&format!(
            "unenrolled = \"{unenrolled}\"\nrequire_users = [\"alice\"]\n\
             enroll_by = \"1970-01-15\"\nrequire_by = \"1970-01-15\""
        ));
        login(&world, NOW, "denied", "unenrolled");
    }
}

#[test]
fn the_code_of_a_first_login_is_remembered_once_all_have_agreed() {
    let world = World::new(&format!("{ENROLL}\nremember = \"8h\""));
    let host = dialogue(alice());
    assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
    // Not yet: a second login from there enrols anew.
    let mut second = effective(dialogue(alice()));
    assert_eq!(world.play(&mut second, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut second, &[]), Some(PAM_SUCCESS));
    let remembered = Scripted::login("alice").logs(Level::Notice, "skipped", "remembered", "");
    assert_eq!(plays(&world, remembered, &[]), PAM_IGNORE);
    let elsewhere = Scripted::login("alice").from("192.0.2.8");
    let asked = denied(elsewhere.asks(QUESTION, ""), "no_code");
    assert_eq!(plays(&world, asked, &[]), PAM_AUTH_ERR);
    // A policy that remembers nothing notes nothing.
    let world = World::new(ENROLL);
    let mut host = effective(dialogue(alice()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
    let policy = fs::read_to_string(world.policy_file()).unwrap();
    fs::write(world.policy_file(), format!("{policy}remember = \"8h\"\n")).unwrap();
    login(&world, CODES[6], "granted", "code");
}

#[test]
fn a_broken_record_is_none_to_be_enrolled_over() {
    let world = World::with_alice(ENROLL);
    fs::write(world.token_file("alice"), "nonsense").unwrap();
    let host = Scripted::login("alice").asks(QUESTION, NOW);
    assert_eq!(
        plays(&world, host.logs_something(Level::Error), &[]),
        PAM_AUTH_ERR
    );
    fs::remove_file(world.token_file("alice")).unwrap();
    assert!(world.has("alice", STATE_FILE));
    let host = Scripted::login("alice").asks(QUESTION, NOW);
    assert_eq!(
        plays(&world, host.logs_something(Level::Error), &[]),
        PAM_AUTH_ERR
    );
}

#[test]
fn who_was_killed_while_the_record_was_made_enrols_anew() {
    let world = World::new(ENROLL);
    let mut host = effective(dialogue(alice()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    let pending = world.token_file("alice").with_file_name(PENDING_FILE);
    let begun = fs::read(&pending).unwrap();
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
    // As if the state had been written, and nothing after it.
    fs::remove_file(world.token_file("alice")).unwrap();
    fs::write(&pending, begun).unwrap();
    fs::set_permissions(&pending, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(world.has("alice", STATE_FILE));

    let mut host = effective(dialogue(alice()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
    login(&world, CODES[6], "granted", "code");
}

#[test]
fn a_record_made_while_the_user_types_counts_and_the_login_is_denied() {
    let world = std::rc::Rc::new(World::new(ENROLL));
    let elsewhere = std::rc::Rc::clone(&world);
    let host = alice().asks(FIRST, NOW).meanwhile(move || {
        elsewhere.enrol("alice", vec![token("mine", TIMED, 6)]);
    });
    let mut host = host.logs_something(Level::Error);
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    let line = host.last_line();
    assert!(line.contains("reason=enrolled "), "{line}");
    assert!(!host.told().contains("Recovery codes"));
    assert_eq!(host.marked, None);
    assert!(!world.has("alice", PENDING_FILE));
}

#[test]
fn where_one_field_holds_both_it_is_all_password_and_the_second_line_enrols() {
    let world = World::new(ENROLL);
    let both = "Password and one-time code: ";
    let mut host = alice()
        .asks(both, "horse123456")
        .hands_on("horse123456")
        .holds("empty")
        .logs(Level::Info, "held", "split", "");
    assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
    let mut host = effective(dialogue(host.next_line()));
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
    assert_eq!(world.set_credentials(&mut host, &["split"]), None);
    assert_eq!(world.set_credentials(&mut host, &[]), Some(PAM_SUCCESS));
}

#[test]
fn a_line_that_never_asks_enrols_nobody() {
    let world = World::new(ENROLL);
    let host = Scripted::login("alice").offers(Some("horse"));
    let host = denied(host, "unenrolled");
    assert_eq!(plays(&world, host, &["use_first_pass"]), PAM_AUTH_ERR);
    let host = alice().offers(Some("horse"));
    let host = dialogue(host);
    let arguments = ["try_first_pass", "forward_pass"];
    assert_eq!(plays(&world, host, &arguments), PAM_SUCCESS);
}

#[test]
fn a_store_that_cannot_be_written_is_a_denial_before_any_recovery_code_is_shown() {
    let world = World::new(ENROLL);
    let records = world.policy_file().with_file_name("records");
    let others = fs::Permissions::from_mode(0o777);
    let host = alice().asks(FIRST, NOW).meanwhile(move || {
        fs::set_permissions(records, others).unwrap();
    });
    let mut host = host.logs_something(Level::Error);
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    assert!(host.last_line().contains("path="), "{}", host.last_line());
    assert!(!host.told().contains("Recovery codes"));
    assert_eq!(host.marked, None);
}
