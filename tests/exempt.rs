//! Who needs no code by the policy's words, through the real libpam.

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use common::{Realm, Visit, value, visit_from};
use pam_otp_testkit::pam::{self, Stack};
use pam_otp_testkit::{artifacts, sandbox};

const ASKED: &str = "EchoOff \"One-time code: \"";

// In every system's user database, each in the group of that name.
const MEMBER: &str = "daemon";
const OTHER: &str = "bin";
/// Nobody anywhere.
const UNKNOWN: &str = "nosuchuser";

/// The code, and then a module that lets in whom ours has not refused.
fn door(realm: &Realm, arguments: &str) -> Stack {
    let module = realm.module(arguments);
    let lines = format!("auth required {module}\nauth required pam_permit.so");
    Stack::new("door", &lines)
}

fn visit(realm: &Realm, user: &str, rhost: &str, reply: &str) -> Visit {
    visit_at(&door(realm, ""), user, rhost, reply)
}

fn visit_at(stack: &Stack, user: &str, rhost: &str, reply: &str) -> Visit {
    let pam_try = Command::new(artifacts::helper("pam-try"));
    visit_from(pam_try, stack, user, rhost, reply)
}

fn line(user: &str, rhost: &str, reason: &str, details: &str) -> String {
    format!("outcome=skipped reason={reason} user={user} service=door rhost={rhost}{details}")
}

#[track_caller]
fn is_asked(visit: &Visit, reason: &str) {
    assert!(!visit.entered, "{visit:?}");
    assert_eq!(
        (visit.code, &visit.prompts[..]),
        (pam::AUTH_ERR, &[ASKED.to_owned()][..])
    );
    assert_eq!(value(visit.line(), "reason"), Some(reason), "{visit:?}");
}

#[test]
fn who_is_exempt_is_let_past_without_a_question_enrolled_or_not_and_the_log_says_why() {
    for (rules, user, rhost, reason, details) in [
        (
            "exempt_users = [\"daemon\"]",
            MEMBER,
            "192.0.2.7",
            "exempt_user",
            "",
        ),
        (
            "exempt_users = [\"nosuchuser\"]",
            UNKNOWN,
            "192.0.2.7",
            "exempt_user",
            "",
        ),
        (
            "exempt_groups = [\"nosuchgroup\", \"daemon\"]",
            MEMBER,
            "192.0.2.7",
            "exempt_group",
            " group=daemon",
        ),
        (
            "exempt_networks = [\"2001:db8::/32\", \"192.0.2.0/24\"]",
            MEMBER,
            "192.0.2.7",
            "exempt_network",
            " network=192.0.2.0/24",
        ),
        (
            "exempt_networks = [\"192.0.2.0/24\"]",
            UNKNOWN,
            "::ffff:192.0.2.7",
            "exempt_network",
            " network=192.0.2.0/24",
        ),
        (
            "exempt_networks = [\"2001:db8::/32\"]",
            MEMBER,
            "2001:db8:7::1",
            "exempt_network",
            " network=2001:db8::/32",
        ),
        (
            "[service.door]\nexempt_users = [\"daemon\"]",
            MEMBER,
            "192.0.2.7",
            "exempt_user",
            "",
        ),
    ] {
        let realm = Realm::new(rules);
        for enrolled in [false, true] {
            if enrolled {
                realm.enrol(user);
            }
            let visit = visit(&realm, user, rhost, "");
            assert!(
                visit.entered && visit.prompts.is_empty(),
                "{rules}: {visit:?}"
            );
            assert_eq!(visit.line(), line(user, rhost, reason, details));
        }
    }
}

#[test]
fn whoever_else_it_is_is_asked() {
    let realm = Realm::new(
        "exempt_users = [\"alice\"]\nexempt_groups = [\"daemon\", \"nosuchgroup\"]\n\
         exempt_networks = [\"192.0.2.0/24\", \"127.0.0.0/8\", \"::1\"]",
    );
    realm.enrol(OTHER);
    for (user, rhost, reason) in [
        (OTHER, "192.0.3.7", "no_code"),
        (OTHER, "2001:db8::7", "no_code"),
        // A name is no address, whatever it says.
        (OTHER, "localhost", "no_code"),
        (OTHER, "192.0.2.7.example.org", "no_code"),
        // A local login comes from no network.
        (OTHER, "", "no_code"),
        (UNKNOWN, "192.0.3.7", "unenrolled"),
    ] {
        is_asked(&visit(&realm, user, rhost, "\n"), reason);
    }
    let phone = realm.enrol(MEMBER);
    let elsewhere = door(&realm, "exempt_groups=");
    let visit = visit_at(&elsewhere, MEMBER, "192.0.3.7", &phone.code());
    assert!(visit.entered, "{visit:?}");
    assert_eq!(value(visit.line(), "reason"), Some("code"));
}

#[test]
fn who_must_have_a_code_is_asked_and_needs_a_record_whatever_else_is_said() {
    for rules in [
        "require_users = [\"daemon\"]",
        "require_groups = [\"daemon\"]",
        // A directory that does not answer looks so.
        "require_groups = [\"nosuchgroup\"]",
    ] {
        let realm = Realm::new(&format!(
            "unenrolled = \"allow\"\nexempt_users = [\"daemon\"]\nexempt_groups = [\"daemon\"]\n\
             exempt_networks = [\"0.0.0.0/0\"]\n{rules}"
        ));
        is_asked(&visit(&realm, MEMBER, "192.0.2.7", "\n"), "unenrolled");
        let phone = realm.enrol(MEMBER);
        is_asked(&visit(&realm, MEMBER, "192.0.2.7", "\n"), "no_code");
        let visit = visit(&realm, MEMBER, "192.0.2.7", &phone.code());
        assert!(visit.entered, "{visit:?}");
    }
}

#[test]
fn root_is_exempt_by_name_and_by_nothing_else() {
    for rules in [
        "exempt_groups = [\"root\"]",
        "exempt_networks = [\"192.0.2.0/24\"]",
    ] {
        let realm = Realm::new(rules);
        realm.enrol("root");
        is_asked(&visit(&realm, "root", "192.0.2.7", "\n"), "no_code");
    }
    let realm = Realm::new("exempt_users = [\"root\"]");
    let visit = visit(&realm, "root", "192.0.2.7", "");
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.line(), line("root", "192.0.2.7", "exempt_user", ""));
}

#[test]
fn an_exemption_alone_lets_nobody_in() {
    let realm = Realm::new("exempt_users = [\"daemon\"]");
    let visit = visit_at(&realm.stack(""), MEMBER, "192.0.2.7", "");
    assert!(!visit.entered, "{visit:?}");
    assert_eq!(value(visit.line(), "reason"), Some("exempt_user"));
}

#[test]
fn a_mistake_in_a_list_denies_everybody_and_is_named_with_its_line() {
    // The realm writes three lines of its own before these.
    for (rules, place) in [
        (
            "exempt_networks = [\"host.example.org\"]",
            "line 4: `exempt_networks`",
        ),
        (
            "exempt_networks = [\n\"192.0.2.0/24\",\n\"192.0.2.7/24\"]",
            "line 6: `exempt_networks`",
        ),
        ("exempt_users = \"daemon\"", "line 4: `exempt_users`"),
        (
            "exempt_group = [\"daemon\"]",
            "line 4: unknown key `exempt_group`",
        ),
        ("remember = \"31d\"", "line 4: `remember`"),
    ] {
        let realm = Realm::new("exempt_users = [\"daemon\"]");
        let file = realm.policy();
        let text = std::fs::read_to_string(&file).unwrap();
        let broken = text.replace("exempt_users = [\"daemon\"]", rules);
        std::fs::write(&file, broken).unwrap();
        let visit = visit(&realm, MEMBER, "192.0.2.7", "");
        assert_eq!(
            (visit.entered, visit.code),
            (false, pam::SERVICE_ERR),
            "{visit:?}"
        );
        assert!(visit.line().contains("reason=bad_policy"), "{visit:?}");
        assert!(visit.line().contains(place), "{visit:?}");
    }
}

#[test]
fn what_pam_otp_writes_is_what_logins_do() {
    // Whoever runs this owns it.
    if fs::metadata("/proc/self").expect("procfs").uid() != 0 {
        eprintln!("SKIPPED: the policy is root's to change");
        return;
    }
    let realm = Realm::new("# Ours.\nunenrolled = \"deny\"\n\n[service.other]\nwindow = 2\n");
    let pam_otp = |arguments: &[&str]| {
        let mut command = Command::new(artifacts::command());
        command.arg("--policy").arg(realm.policy());
        sandbox::run(command.args(arguments), "");
    };
    let skips = |reason: &str| {
        let visit = visit(&realm, MEMBER, "192.0.2.7", "\n");
        assert!(visit.entered, "{visit:?}");
        assert_eq!(value(visit.line(), "reason"), Some(reason));
    };
    let asks = || is_asked(&visit(&realm, MEMBER, "192.0.2.7", "\n"), "unenrolled");
    asks();
    for (names, reason) in [
        (["daemon", "--service", "door"], "exempt_user"),
        (["--group=daemon", "--service", "door"], "exempt_group"),
        (
            ["--network=192.0.2.0/24", "--service", "door"],
            "exempt_network",
        ),
    ] {
        pam_otp(&[&["exempt"], &names[..]].concat());
        skips(reason);
        pam_otp(&[&["exempt", "--remove"], &names[..]].concat());
        asks();
        // For another service it is no exemption here.
        pam_otp(&["exempt", names[0], "--service", "other"]);
        asks();
    }
    pam_otp(&["exempt", "--network", "0.0.0.0/0", "--service", "door"]);
    skips("exempt_network");
    pam_otp(&["require", "--group", "daemon"]);
    asks();
    pam_otp(&["require", "--remove", "--group", "daemon"]);
    skips("exempt_network");
}
