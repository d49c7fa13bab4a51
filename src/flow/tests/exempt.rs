//! Who needs no code: by the policy's words, or because one was typed here
//! lately.

use std::fs;

use pam::constants::PamResultCode::{self, PAM_AUTH_ERR, PAM_IGNORE, PAM_SUCCESS};
use pam_otp_core::store::Removal;

use super::scripted::Scripted;
use super::world::{CODES, NOW, TIMED, World, account, recovery, token};
use crate::event::Level;

const QUESTION: &str = "One-time code: ";
const BOTH: &str = "Password and one-time code: ";
const HOUR: u64 = 3600;

fn skipped(host: Scripted, reason: &str, details: &str) -> Scripted {
    host.logs(Level::Notice, "skipped", reason, details)
}

fn remembered(host: Scripted) -> Scripted {
    skipped(host, "remembered", "")
}

/// Asked, and nothing typed.
fn asked(host: Scripted) -> Scripted {
    host.asks(QUESTION, "")
        .logs(Level::Notice, "denied", "no_code", "")
}

fn login(world: &World, host: Scripted) {
    let mut host = host
        .asks(QUESTION, NOW)
        .logs(Level::Info, "granted", "code", "token=phone");
    assert_eq!(world.play(&mut host, &[]), PAM_SUCCESS);
}

fn alice() -> Scripted {
    Scripted::login("alice")
}

fn plays(world: &World, mut host: Scripted, arguments: &[&str]) -> PamResultCode {
    world.play(&mut host, arguments)
}

#[test]
fn who_is_exempt_is_not_asked_with_a_record_or_without_and_the_log_says_why() {
    for (rules, reason, details) in [
        ("exempt_users = [\"bob\", \"alice\"]", "exempt_user", ""),
        (
            "exempt_networks = [\"203.0.113.0/24\", \"192.0.2.0/24\"]",
            "exempt_network",
            "network=192.0.2.0/24",
        ),
        (
            "[service.door]\nexempt_users = [\"alice\"]",
            "exempt_user",
            "",
        ),
    ] {
        for world in [World::new(rules), World::with_alice(rules)] {
            let host = skipped(alice(), reason, details);
            assert_eq!(plays(&world, host, &[]), PAM_IGNORE, "{rules}");
        }
    }
}

#[test]
fn an_argument_s_list_has_commas_and_takes_the_place_of_the_file_s() {
    let world = World::with_alice("exempt_users = [\"alice\"]");
    for (argument, exempt) in [
        ("exempt_users=bob,alice", true),
        ("exempt_users=bob", false),
        ("exempt_users=", false),
        ("require_users=alice", false),
        ("require_users=bob", true),
    ] {
        let (host, expected) = if exempt {
            (skipped(alice(), "exempt_user", ""), PAM_IGNORE)
        } else {
            (asked(alice()), PAM_AUTH_ERR)
        };
        assert_eq!(plays(&world, host, &[argument]), expected, "{argument}");
    }
}

#[test]
fn only_an_address_lies_in_a_network() {
    let rules = "exempt_networks = [\"192.0.2.0/24\", \"127.0.0.0/8\", \"::1\"]";
    let world = World::with_alice(rules);
    for rhost in ["192.0.3.7", "localhost", "192.0.2.7.example.org"] {
        assert_eq!(plays(&world, asked(alice().from(rhost)), &[]), PAM_AUTH_ERR);
    }
    let local = alice().at(7, "pts/0", "alice");
    assert_eq!(plays(&world, asked(local), &[]), PAM_AUTH_ERR, "no address");
    for (rhost, network) in [
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("::1", "::1"),
    ] {
        let network = format!("network={network}");
        let host = skipped(alice().from(rhost), "exempt_network", &network);
        assert_eq!(plays(&world, host, &[]), PAM_IGNORE, "{rhost}");
    }
}

#[test]
fn root_is_exempt_by_name_alone() {
    for (rules, exempt) in [
        ("exempt_networks = [\"192.0.2.0/24\"]", false),
        ("exempt_groups = [\"root\"]", false),
        ("exempt_users = [\"root\"]", true),
    ] {
        let root = Scripted::login("root");
        let (host, expected) = if exempt {
            (skipped(root, "exempt_user", ""), PAM_IGNORE)
        } else {
            let host = root.asks(QUESTION, "");
            let host = host.logs(Level::Notice, "denied", "unenrolled", "");
            (host, PAM_AUTH_ERR)
        };
        assert_eq!(plays(&World::new(rules), host, &[]), expected, "{rules}");
    }
}

#[test]
fn who_must_have_a_code_needs_a_record_whatever_else_is_said() {
    for rules in [
        "require_users = [\"alice\"]",
        "require_groups = [\"no such group\"]",
        "require_users = [\"alice\"]\nexempt_users = [\"alice\"]",
        "require_users = [\"alice\"]\nexempt_networks = [\"0.0.0.0/0\"]",
    ] {
        let rules = format!("unenrolled = \"allow\"\n{rules}");
        let host = alice().asks(QUESTION, NOW);
        let host = host.logs(Level::Notice, "denied", "unenrolled", "");
        assert_eq!(plays(&World::new(&rules), host, &["nullok"]), PAM_AUTH_ERR);
        login(&World::with_alice(&rules), alice());
    }
}

#[test]
fn who_is_exempt_gives_the_password_alone() {
    let world = World::with_alice("exempt_users = [\"alice\"]");
    for password in ["hunter2", "hunter123456", &format!("hunter2{NOW}")] {
        for arguments in [["split"], ["forward_pass"]] {
            let host = alice().asks(BOTH, password).hands_on(password);
            let host = skipped(host, "exempt_user", "");
            assert_eq!(plays(&world, host, &arguments), PAM_IGNORE);
        }
    }
}

#[test]
fn a_login_is_remembered_for_as_long_as_the_policy_says_and_never_longer() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    for (seconds, known) in [
        (0, true),
        (HOUR, true),
        (8 * HOUR - 1, true),
        // The last one has not made it longer.
        (8 * HOUR, false),
        (9 * HOUR, false),
        (7 * HOUR, true),
    ] {
        let host = alice().after(seconds);
        let (host, expected) = if known {
            (remembered(host), PAM_IGNORE)
        } else {
            (asked(host), PAM_AUTH_ERR)
        };
        assert_eq!(plays(&world, host, &[]), expected, "{seconds}");
    }
    // Another service's, or this one's from now on.
    let host = asked(alice().after(HOUR));
    assert_eq!(plays(&world, host, &["remember=30m"]), PAM_AUTH_ERR);
    let host = asked(alice());
    assert_eq!(plays(&world, host, &["remember=0"]), PAM_AUTH_ERR);
}

#[test]
fn a_remembered_login_writes_nothing() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    let file = world.token_file("alice").with_file_name("state");
    let before = fs::read(&file).unwrap();
    assert_eq!(plays(&world, remembered(alice()), &[]), PAM_IGNORE);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_clock_that_was_set_back_remembers_nothing() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    let host = alice();
    host.clock.set(host.clock.get() - 1);
    assert_eq!(plays(&world, asked(host), &[]), PAM_AUTH_ERR);
}

#[test]
fn another_source_is_asked() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    for rhost in ["192.0.2.8", "2001:db8::1", "host.example.org"] {
        assert_eq!(plays(&world, asked(alice().from(rhost)), &[]), PAM_AUTH_ERR);
    }
    let local = alice().at(7, "pts/0", "alice");
    assert_eq!(plays(&world, asked(local), &[]), PAM_AUTH_ERR);
    let mapped = remembered(alice().from("::ffff:192.0.2.7"));
    assert_eq!(plays(&world, mapped, &[]), PAM_IGNORE);
}

#[test]
fn a_name_is_not_remembered() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice().from("host.example.org"));
    let host = asked(alice().from("host.example.org"));
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
}

#[test]
fn on_this_machine_session_terminal_and_person_must_be_the_same() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice().at(7, "/dev/pts/0", "alice"));
    for (session, tty, ruser, known) in [
        (7, "/dev/pts/0", "alice", true),
        (7, "pts/0", "alice", true),
        (7, "pts/1", "alice", false),
        (8, "pts/0", "alice", false),
        (7, "pts/0", "bob", false),
        (7, "", "alice", false),
    ] {
        let host = alice().at(session, tty, ruser);
        let (host, expected) = if known {
            (remembered(host), PAM_IGNORE)
        } else {
            (asked(host), PAM_AUTH_ERR)
        };
        assert_eq!(
            plays(&world, host, &[]),
            expected,
            "{session} {tty} {ruser}"
        );
    }
    let mut unknown = alice().at(7, "pts/0", "alice");
    unknown.session = None;
    assert_eq!(plays(&world, asked(unknown), &[]), PAM_AUTH_ERR);
}

#[test]
fn without_a_terminal_nothing_is_remembered() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice().at(7, "", "alice"));
    let host = asked(alice().at(7, "", "alice"));
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
}

#[test]
fn a_wrong_code_in_between_ends_it_until_the_next_right_one() {
    let world = World::with_alice("remember = \"8h\"");
    for at_home in [true, false] {
        let place = || {
            let host = if at_home {
                alice()
            } else {
                alice().at(7, "pts/0", "alice")
            };
            host.after(if at_home { 0 } else { 60 })
        };
        let code = if at_home { NOW } else { CODES[7] };
        let opens = || {
            let host = place().asks(QUESTION, code);
            host.logs(Level::Info, "granted", "code", "token=phone")
        };
        assert_eq!(plays(&world, opens(), &[]), PAM_SUCCESS);
        // Only a service that remembers nothing asks now.
        let host = place().asks(QUESTION, "123456");
        let host = host.logs(Level::Notice, "denied", "wrong_code", "");
        assert_eq!(plays(&world, host, &["remember=0"]), PAM_AUTH_ERR);
        assert_eq!(plays(&world, asked(place()), &[]), PAM_AUTH_ERR);
    }
    let host = alice().after(90).asks(QUESTION, CODES[8]);
    let host = host.logs(Level::Info, "granted", "code", "token=phone");
    assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
    assert_eq!(
        plays(&world, remembered(alice().after(90)), &[]),
        PAM_IGNORE
    );
}

#[test]
fn a_wrong_code_from_elsewhere_ends_nothing() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    let host = alice().from("192.0.2.8").asks(QUESTION, "123456");
    let host = host.logs(Level::Notice, "denied", "wrong_code", "");
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
    assert_eq!(plays(&world, remembered(alice()), &[]), PAM_IGNORE);
}

#[test]
fn a_success_where_nothing_is_remembered_is_not_remembered_elsewhere() {
    let world = World::with_alice("");
    login(&world, alice());
    let host = asked(alice());
    assert_eq!(plays(&world, host, &["remember=8h"]), PAM_AUTH_ERR);
}

#[test]
fn a_recovery_code_is_remembered_too() {
    let world = World::with_alice("remember = \"8h\"");
    let code = recovery().1[0].to_text().to_string();
    let host = alice()
        .asks(QUESTION, code)
        .tells_later("Recovery code used, 9 left.")
        .logs(Level::Info, "granted", "recovery_code", "left=9");
    assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
    assert_eq!(plays(&world, remembered(alice()), &[]), PAM_IGNORE);
}

#[test]
fn a_new_token_is_asked_for_also_where_it_came_beside_the_old_one() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    let file = world.token_file("alice");
    let text = fs::read_to_string(&file).unwrap();
    let second = "\n[[token]]\nname = \"card\"\ntype = \"totp\"\n\
                  secret = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n";
    fs::write(
        &file,
        text.replace("\n[recovery]", &format!("{second}\n[recovery]")),
    )
    .unwrap();
    assert_eq!(plays(&world, asked(alice()), &[]), PAM_AUTH_ERR);
    fs::write(&file, text).unwrap();
    assert_eq!(
        plays(&world, remembered(alice()), &[]),
        PAM_IGNORE,
        "as it was"
    );
}

#[test]
fn a_record_that_cannot_be_used_remembers_nothing() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    fs::write(world.token_file("alice"), "").unwrap();
    let mut host = alice().asks(QUESTION, NOW).logs_something(Level::Error);
    assert_eq!(world.play(&mut host, &[]), PAM_AUTH_ERR);
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    assert_eq!(
        world.store().remove(&account("alice")).unwrap(),
        Removal::Removed
    );
    let host = alice().asks(QUESTION, NOW);
    let host = host.logs(Level::Notice, "denied", "unenrolled", "");
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
}

#[test]
fn a_client_that_sends_the_same_field_each_time_is_remembered_with_it() {
    let recovery = recovery().1[0].to_text().to_string();
    // Codes that were not used yet: nobody is told that they are right.
    let unused = [
        format!("hunter2{}", CODES[6]),
        format!("hunter2{recovery}"),
        "hunter123456".to_owned(),
    ];
    for (typed, password) in [
        (format!("hunter2{NOW}"), "hunter2"),
        (unused[0].clone(), &*unused[0]),
        (unused[1].clone(), &unused[1]),
        (unused[2].clone(), &unused[2]),
        ("hunter2".to_owned(), "hunter2"),
        (String::new(), ""),
    ] {
        let world = World::with_alice("remember = \"8h\"");
        let mut host = alice()
            .asks(BOTH, format!("hunter2{NOW}"))
            .holds(NOW)
            .hands_on("hunter2")
            .logs(Level::Info, "held", "split", "");
        assert_eq!(world.play(&mut host, &["split"]), PAM_IGNORE);
        let host = host
            .next_line()
            .logs(Level::Info, "granted", "code", "token=phone");
        assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
        for seconds in [0, 300, 7 * HOUR] {
            for argument in ["split", "forward_pass"] {
                let host = alice().after(seconds).asks(BOTH, &typed).hands_on(password);
                let mut host = remembered(host);
                assert_eq!(world.play(&mut host, &[argument]), PAM_IGNORE, "{typed}");
                let host = remembered(host.next_line());
                assert_eq!(plays(&world, host, &[]), PAM_IGNORE);
            }
        }
    }
}

#[test]
fn the_field_of_an_earlier_module_loses_its_code_where_it_is_handed_on() {
    let world = World::with_alice("remember = \"8h\"");
    login(&world, alice());
    let field = format!("hunter2{NOW}");
    for argument in ["try_first_pass", "use_first_pass"] {
        let host = alice().offers(Some(&field)).hands_on("hunter2");
        let arguments = [argument, "forward_pass"];
        assert_eq!(plays(&world, remembered(host), &arguments), PAM_IGNORE);
        let host = remembered(alice().offers(Some("hunter2")));
        assert_eq!(plays(&world, host, &arguments), PAM_IGNORE);
        assert_eq!(plays(&world, remembered(alice()), &[argument]), PAM_IGNORE);
    }
}

#[test]
fn a_counter_s_last_code_is_no_part_of_the_password_either() {
    use pam_otp_core::token::Kind;
    let world = World::new("remember = \"8h\"");
    world.enrol("alice", vec![token("key", Kind::Hotp { counter: 5 }, 6)]);
    let host = alice().asks(QUESTION, NOW);
    let host = host.logs(Level::Info, "granted", "code", "token=key");
    assert_eq!(plays(&world, host, &[]), PAM_SUCCESS);
    let host = alice().after(HOUR).asks(BOTH, format!("hunter2{NOW}"));
    let host = remembered(host.hands_on("hunter2"));
    assert_eq!(plays(&world, host, &["split"]), PAM_IGNORE);
}

#[test]
fn who_must_have_a_code_is_remembered_with_it() {
    let world = World::with_alice("remember = \"8h\"\nrequire_users = [\"alice\"]");
    login(&world, alice());
    assert_eq!(plays(&world, remembered(alice()), &[]), PAM_IGNORE);
}

#[test]
fn one_user_s_login_is_not_another_s() {
    let world = World::with_alice("remember = \"8h\"");
    world.enrol("bob", vec![token("phone", TIMED, 6)]);
    login(&world, alice());
    let host = asked(Scripted::login("bob"));
    assert_eq!(plays(&world, host, &[]), PAM_AUTH_ERR);
}
