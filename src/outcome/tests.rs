//! Every outcome has a row in the table, and the manual has the table.

use std::collections::BTreeSet;

use pam_otp_core::answer::Answer;
use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::enrolment::{Confirmed, Pending};
use pam_otp_core::policy::arguments::ArgumentError;
use pam_otp_core::policy::exceptions::Exemption;
use pam_otp_core::policy::{Policy, PolicyError};
use pam_otp_core::source::Source;
use pam_otp_core::state::State;
use pam_otp_core::store::StoreError;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::user::UserNameError;
use pam_otp_core::verify::{Accepted, Kept, Refusal, Verdict, verify};

use super::{Denial, Outcome, Skip, TABLE};
use crate::event::Level;
use crate::host::HostError;

/// One of each: the outcome, its row in the table, the log's reason, how loud.
fn outcomes() -> Vec<(Outcome, usize, &'static str, Level)> {
    use Level::{Error, Info, Notice};
    let denied = [
        (Denial::Refused(Refusal::Wrong), 5, "wrong_code", Notice),
        (Denial::Refused(Refusal::Used), 5, "used_code", Notice),
        (Denial::Refused(Refusal::Empty), 5, "no_code", Notice),
        (
            Denial::Refused(Refusal::Malformed),
            5,
            "malformed_code",
            Notice,
        ),
        (
            Denial::Refused(Refusal::Exhausted),
            5,
            "exhausted_counter",
            Notice,
        ),
        (Denial::NotShown, 5, "not_shown", Notice),
        (Denial::NotConfirmed, 5, "not_confirmed", Notice),
        (Denial::Host(HostError::Random), 5, "no_randomness", Error),
        (Denial::Unenrolled, 5, "unenrolled", Notice),
        (Denial::UserName(UserNameError), 5, "bad_user_name", Notice),
        (
            Denial::Store(StoreError::UnknownUser { user: "x".into() }),
            5,
            "unknown_user",
            Notice,
        ),
        (Denial::Host(HostError::NoUser), 5, "no_user", Error),
        (
            Denial::Store(StoreError::Gone("/record".into())),
            5,
            "changed_record",
            Error,
        ),
        (
            Denial::Store(StoreError::Locked("/record".into())),
            5,
            "locked_record",
            Error,
        ),
        (Denial::Host(HostError::Libpam), 5, "libpam_failed", Error),
        (
            Denial::Policy(PolicyError::Argument(ArgumentError::NotUtf8)),
            6,
            "bad_policy",
            Error,
        ),
        (Denial::NotAuth, 6, "not_an_auth_line", Error),
        (
            Denial::Host(HostError::Conversation),
            5,
            "no_conversation",
            Notice,
        ),
        (Denial::Host(HostError::NoAnswer), 5, "no_answer", Notice),
        (Denial::OutOfMemory, 5, "out_of_memory", Error),
        (Denial::Panic, 5, "panic", Error),
    ];
    let skipped = Outcome::Skipped;
    let user = Skip::Exempt(Exemption::User);
    let group = Skip::Exempt(Exemption::Group("robots".into()));
    let network = Skip::Exempt(Exemption::Network("192.0.2.0/24".parse().unwrap()));
    let others = [
        (Outcome::Granted(accepted()), 0, "code", Info),
        (
            Outcome::Confirmed(Box::new(confirmed())),
            1,
            "first_login",
            Notice,
        ),
        (Outcome::Enrolled, 2, "first_login", Notice),
        (skipped(Skip::Postponed { days: 3 }), 3, "postponed", Notice),
        (
            Outcome::NotEnrolled(Denial::NotThere),
            7,
            "enrolment_gone",
            Error,
        ),
        (skipped(Skip::Unenrolled), 3, "unenrolled", Notice),
        (skipped(user), 3, "exempt_user", Notice),
        (skipped(group), 3, "exempt_group", Notice),
        (skipped(network), 3, "exempt_network", Notice),
        (skipped(Skip::Remembered), 3, "remembered", Notice),
        (Outcome::Held, 4, "split", Info),
    ];
    let denied = denied.map(|(denial, row, reason, level)| (denial.into(), row, reason, level));
    others.into_iter().chain(denied).collect()
}

/// Nobody but the verifier can make one of these.
fn confirmed() -> Confirmed {
    let pending = Pending {
        token: token(),
        replaces: None,
        first: true,
        expires: UnixTime(1),
        login: None,
    };
    let rules = Policy::default().rules;
    let answer = Answer::parse(b"755224");
    pending.confirm(&answer, rules, UnixTime(0)).unwrap()
}

fn token() -> Token {
    Token {
        name: TokenName::new("phone").unwrap(),
        label: pam_otp_core::label::Label::default(),
        kind: Kind::Hotp { counter: 0 },
        secret: Secret::new(b"12345678901234567890").unwrap(),
        algorithm: Algorithm::Sha1,
        digits: Digits::DEFAULT,
        added: None,
    }
}

/// Nor of these.
fn accepted() -> Accepted {
    let record = TokenFile::new(vec![token()], None).unwrap();
    let rules = Policy::default().rules;
    // RFC 4226, appendix D, counter 0.
    let answer = Answer::parse(b"755224");
    let decision = verify(
        &record,
        &State::default(),
        &answer,
        &Source::local("alice"),
        rules,
        UnixTime(0),
    );
    match decision.settle(|_, _| Ok::<_, ()>(Kept::OnDisk)) {
        Ok(Verdict::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_outcome_has_the_pam_code_of_its_row() {
    let mut rows = BTreeSet::new();
    for (outcome, row, reason, level) in outcomes() {
        let (word, code, _) = TABLE[row];
        assert_eq!(format!("{:?}", outcome.pam_code()), code, "{outcome:?}");
        assert_eq!(outcome.word(), word, "{outcome:?}");
        assert_eq!((outcome.reason(), outcome.level()), (reason, level));
        rows.insert(row);
    }
    assert_eq!(rows, (0..TABLE.len()).collect(), "a row that nothing has");
}

#[test]
fn success_is_for_a_right_code_and_ignore_for_nothing_that_was_refused() {
    for (outcome, ..) in outcomes() {
        let code = format!("{:?}", outcome.pam_code());
        let granted = matches!(
            outcome,
            Outcome::Granted(_) | Outcome::Confirmed(_) | Outcome::Enrolled
        );
        assert_eq!(code == "PAM_SUCCESS", granted, "{outcome:?}");
        let denied = matches!(outcome, Outcome::Denied(_) | Outcome::NotEnrolled(_));
        assert_eq!(code == "PAM_IGNORE", !granted && !denied, "{outcome:?}");
    }
}

#[test]
fn reasons_are_words_that_a_log_needs_not_quote_and_none_stands_for_two_denials() {
    let mut denials = BTreeSet::new();
    for (outcome, ..) in outcomes() {
        let reason = outcome.reason();
        assert!(
            reason
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase()),
            "{reason}"
        );
        if matches!(outcome, Outcome::Denied(_)) {
            assert!(denials.insert(reason), "{reason} twice");
        }
    }
}

#[test]
fn the_manual_s_return_values_are_the_table() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/man/pam_otp.8");
    let manual = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let rows = return_values(&manual);
    let table = TABLE.iter().map(|(word, code, meaning)| {
        let code = format!("{code} ({word})");
        (code, (*meaning).to_owned())
    });
    assert_eq!(rows, table.collect::<Vec<_>>());
}

/// The tagged paragraphs of the section: tag and text, as a reader sees them.
fn return_values(manual: &str) -> Vec<(String, String)> {
    let section = manual
        .split("\n.SH ")
        .find(|section| section.starts_with("\"RETURN VALUES\"\n"))
        .expect("a section RETURN VALUES");
    let paragraphs = section.split("\n.TP\n").skip(1);
    let row = |paragraph: &str| {
        // Ordinary paragraphs may follow the last tagged one.
        let paragraph = paragraph.split("\n.PP").next().unwrap_or_default();
        let (tag, text) = paragraph.split_once('\n').expect("a tag and a text");
        (plain(tag), plain(text))
    };
    paragraphs.map(row).collect()
}

/// Roff without its fonts: `.BR PAM_IGNORE " (held)"` is `PAM_IGNORE (held)`.
fn plain(roff: &str) -> String {
    let fonts = [
        ".BR ", ".B ", ".IR ", ".I ", "\\fB", "\\fI", "\\fR", "\"", "\\&",
    ];
    let text = fonts
        .iter()
        .fold(roff.to_owned(), |text, font| text.replace(font, ""));
    let text = text.replace("\\-", "-");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
