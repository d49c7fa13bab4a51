//! Files of `pam_google_authenticator` that let in as they are: in real homes,
//! opened by a module that runs as root.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

mod common;

use common::home::{GOOGLE, World};
use common::{Phone, value};
use pam_otp_testkit::authenticator::{self, Algorithm};
use pam_otp_testkit::pam::{self, Application, Reply};
use pam_otp_testkit::race::{Finish, winners};
use pam_otp_testkit::sandbox::run;

/// A file as its own program makes them, but for the scratch codes: it has five.
const USUAL: &str = "\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 17\n\" TOTP_AUTH\n12345678\n23456789";

/// Alice's password, as the sandbox was told.
const PASSWORD: &str = "correct horse";

fn granted(reason: &str) -> (bool, String) {
    (true, reason.to_owned())
}

fn refused(reason: &str) -> (bool, String) {
    (false, reason.to_owned())
}

/// What `ls` says of alice's file and of its content.
fn look(world: &World) -> String {
    let mut look = world.sandbox.command("sh");
    let script = format!("stat -c '%a %U %i %Y' {GOOGLE}; cat {GOOGLE}");
    run(look.args(["-euc", &script]), "")
}

#[test]
fn a_file_lets_in_as_it_is_and_each_of_its_codes_once() {
    let Some(world) = World::new() else {
        return;
    };
    // Whether or not the file has codes used again refused.
    for options in [USUAL.to_owned(), format!("\" DISALLOW_REUSE\n{USUAL}")] {
        let phone = world.google(&options);
        let (code, before) = (phone.code(), look(&world));
        assert_eq!(
            world.ends(&world.door, &phone.wrong()),
            refused("wrong_code")
        );
        assert_eq!(world.ends(&world.door, &code), granted("code"));
        assert_eq!(world.ends(&world.door, &code), refused("used_code"));
        let visit = world.visit(&world.door, "alice", "1234 5678\n");
        assert!(visit.entered, "{visit:?}");
        assert_eq!(value(visit.line(), "reason"), Some("recovery_code"));
        assert_eq!(value(visit.line(), "left"), Some("1"));
        assert_eq!(world.ends(&world.door, "12345678"), refused("used_code"));
        assert_eq!(world.ends(&world.door, "23456780"), refused("wrong_code"));
        assert_eq!(
            world.ends(&world.door, "23456789"),
            granted("recovery_code")
        );
        // Nobody has written the file; what is new is the user's own.
        assert_eq!(look(&world), before);
        world.script(
            "cd /home/alice/.pam-otp; test \"$(stat -c '%a %U' . state)\" = \"$(printf '700 alice\\n600 alice')\"",
        );
    }
}

#[test]
fn a_counter_s_codes_open_once_and_in_their_order() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google("\" HOTP_COUNTER 7\n\" WINDOW_SIZE 5");
    for (counter, expected) in [
        (6, refused("used_code")),
        (7, granted("code")),
        (7, refused("used_code")),
        // Five values from 8 on; and that is as far as the file looks.
        (13, refused("wrong_code")),
        (12, granted("code")),
        (8, refused("wrong_code")),
        (13, granted("code")),
    ] {
        assert_eq!(
            world.ends(&world.door, &phone.counted(counter)),
            expected,
            "{counter}"
        );
    }
    // The policy's own bound is the other one.
    let phone = world.google("\" HOTP_COUNTER 1\n\" WINDOW_SIZE 100");
    let stack = world.stack("look_ahead=3");
    assert_eq!(world.ends(&stack, &phone.counted(4)), refused("wrong_code"));
    assert_eq!(world.ends(&stack, &phone.counted(3)), granted("code"));
}

#[test]
fn steps_of_a_minute_are_counted_in_minutes() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google("\" STEP_SIZE 60\n\" TOTP_AUTH");
    let code_at = |time| authenticator::totp(&phone.secret, time, Algorithm::Sha1, 6, 60);
    let now = authenticator::now();
    assert_eq!(world.ends(&world.door, &code_at(now - 60)), granted("code"));
    assert_eq!(world.ends(&world.door, &code_at(now)), granted("code"));
    assert_eq!(world.ends(&world.door, &code_at(now)), refused("used_code"));
}

#[test]
fn the_window_is_the_narrower_one_of_file_and_policy() {
    let Some(world) = World::new() else {
        return;
    };
    for (size, arguments, steps, expected) in [
        (17, "window=4", 3, granted("code")),
        (17, "", 3, refused("other_time")),
        (3, "window=4", 3, refused("other_time")),
        (1, "window=4", 2, refused("other_time")),
        (1, "window=4", 0, granted("code")),
    ] {
        let phone = world.google(&format!("\" WINDOW_SIZE {size}\n\" TOTP_AUTH"));
        let stack = world.stack(arguments);
        // Later, so that a step that ends meanwhile does not matter: 3 becomes 2.
        let code = phone.code_at(authenticator::now() + 30 * steps);
        assert_eq!(
            world.ends(&stack, &code),
            expected,
            "{size} {arguments} {steps}"
        );
    }
}

#[test]
fn what_was_used_before_stays_used_and_a_clock_that_was_followed_is_followed() {
    let Some(world) = World::new() else {
        return;
    };
    let step = authenticator::now() / 30;
    let used = format!("\" DISALLOW_REUSE {} {}\n\" TOTP_AUTH", step - 1, step + 1);
    let phone = world.google(&used);
    let code = |steps| phone.code_at((step + steps) * 30);
    assert_eq!(world.ends(&world.door, &code(0)), refused("used_code"));
    assert_eq!(world.ends(&world.door, &code(1)), refused("used_code"));
    world.script("test \"$(ls -A /home/alice/.pam-otp)\" = state");

    let skewed = format!("\" TIME_SKEW -4\n{USUAL}");
    for (arguments, expected) in [
        ("drift=4", granted("code")),
        ("drift=2", refused("other_time")),
        ("noskewadj", refused("other_time")),
    ] {
        let phone = world.google(&skewed);
        let code = phone.code_at(authenticator::now() - 120);
        assert_eq!(
            world.ends(&world.stack(arguments), &code),
            expected,
            "{arguments}"
        );
    }
}

#[test]
fn where_the_policy_has_no_such_files_their_users_are_not_enrolled() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google(USUAL);
    let (shut, open) = (world.stack("legacy=false"), "legacy=false nullok");
    assert_eq!(world.ends(&shut, &phone.code()), refused("unenrolled"));
    let visit = world.visit(&world.stack(open), "alice", "");
    assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
    assert!(visit.entered && visit.prompts.is_empty(), "{visit:?}");
    // And where it has, they are.
    assert_eq!(world.ends(&world.stack("nullok"), "\n"), refused("no_code"));
}

#[test]
fn a_record_of_ours_counts_before_such_a_file() {
    let Some(world) = World::new() else {
        return;
    };
    let own = world.fresh();
    let old = world.google_at(GOOGLE, "alice", USUAL);
    assert_eq!(world.ends(&world.door, &old.code()), refused("wrong_code"));
    assert_eq!(world.ends(&world.door, "12345678"), refused("wrong_code"));
    assert_eq!(world.ends(&world.door, &own.code()), granted("code"));
}

#[test]
fn a_file_that_others_could_have_put_there_or_that_is_broken_denies_and_is_named() {
    let Some(world) = World::new() else {
        return;
    };
    for (script, reason, detail) in [
        ("chmod 440 F", "insecure_record", "mode 0440"),
        ("chmod 604 F", "insecure_record", "mode 0604"),
        ("chmod 620 F", "insecure_record", "mode 0620"),
        ("chown bob F; chmod 444 F", "insecure_record", "belongs to"),
        ("chown root F; chmod 400 F", "unreadable_record", "denied"),
        ("mv F G; ln -s G F", "insecure_record", "symbolic link"),
        (
            "rm F; ln -s /etc/shadow F",
            "insecure_record",
            "symbolic link",
        ),
        ("rm F; ln -s nowhere F", "insecure_record", "symbolic link"),
        (
            "rm F; mkfifo -m 600 F; chown alice F",
            "insecure_record",
            "regular",
        ),
        (
            "rm F; mkdir -m 700 F; chown alice F",
            "insecure_record",
            "regular",
        ),
        (
            "rm F; mknod -m 600 F c 1 5; chown alice F",
            "insecure_record",
            "regular",
        ),
        (": > F", "bad_token_file", "empty"),
        ("head -c 65537 /dev/zero > F", "bad_token_file", "65536"),
        (
            "sed -i s/WINDOW_SIZE.*/WINDOW_SIZE\\ x/ F; chown alice F",
            "bad_token_file",
            "line 3: WINDOW_SIZE",
        ),
        (
            "sed -i 1s/./9/ F; chown alice F",
            "bad_token_file",
            "line 1",
        ),
        (
            "sed -i /TOTP_AUTH/d F; chown alice F",
            "bad_token_file",
            "TOTP_AUTH",
        ),
    ] {
        let phone = world.google(USUAL);
        world.script(&script.replace('F', GOOGLE));
        let open = world.stack("nullok");
        for stack in [&world.door, &open] {
            let visit = world.visit(stack, "alice", &phone.code());
            let line = visit.line();
            assert_eq!(
                (visit.code, visit.entered),
                (pam::AUTH_ERR, false),
                "{script}"
            );
            assert_eq!(value(line, "reason"), Some(reason), "{script}: {line}");
            assert_eq!(value(line, "path"), Some(GOOGLE), "{script}: {line}");
            assert!(line.contains(detail), "{script}: {line}");
            assert!(!line.contains(&phone.secret), "{script}: {line}");
        }
    }
    // A home that others can write to has nothing to say.
    let phone = world.google(USUAL);
    world.script("chmod 777 /home/alice");
    assert_eq!(
        world.ends(&world.door, &phone.code()),
        refused("insecure_record")
    );
}

#[test]
fn a_file_that_goes_while_the_user_types_lets_nobody_in_and_leaves_nothing_behind() {
    let Some(world) = World::new() else {
        return;
    };
    // The record is looked at before the question, too.
    let stack = world.stack("nullok");
    let replaced = "cd /home/alice; { echo JBSWY3DPEHPK3PXP; echo '\" TOTP_AUTH'; } > new
                    chmod 600 new; chown alice new; mv -f new .google_authenticator";
    for (script, left) in [
        ("rm /home/alice/.google_authenticator", ""),
        (replaced, ".google_authenticator\n.pam-otp\n"),
    ] {
        let phone = world.google(USUAL);
        let transcript = world.sandbox.inside(|| {
            let mut shell = std::process::Command::new("sh");
            shell.args(["-euc", script]);
            let change = move || assert!(shell.status().unwrap().success());
            let reply = Reply::after(change, phone.code());
            Application::new()
                .user("alice")
                .reply(reply)
                .authenticate(&stack)
        });
        assert_eq!(transcript.code, pam::AUTH_ERR, "{script}: {transcript:?}");
        let mut list = world.sandbox.command("ls");
        assert_eq!(run(list.args(["-A", "/home/alice"]), ""), left, "{script}");
    }
}

/// One of all gets in, and each of the others reads that the code was used.
fn one_gets_in(world: &World, code: &str) {
    const RACERS: usize = 20;
    let finishes = world.sandbox.race(&world.door, &[("alice", code); RACERS]);
    assert_eq!(winners(&finishes), 1, "{finishes:#?}");
    let used = |finish: &&Finish| finish.log.contains(" reason=used_code ");
    assert_eq!(
        finishes.iter().filter(used).count(),
        RACERS - 1,
        "{finishes:#?}"
    );
}

#[test]
fn of_twenty_logins_with_one_scratch_code_exactly_one_gets_in() {
    let Some(world) = World::new() else {
        return;
    };
    for _ in 0..10 {
        // Nobody has logged in yet: all of them want to make directory and state.
        world.google(USUAL);
        one_gets_in(&world, "12345678");
        one_gets_in(&world, "23456789");
    }
}

#[test]
fn of_twenty_first_logins_with_one_code_exactly_one_gets_in() {
    let Some(world) = World::new() else {
        return;
    };
    for _ in 0..10 {
        let phone = world.google(USUAL);
        one_gets_in(&world, &phone.code());
    }
}

#[test]
fn scratch_codes_are_guessed_at_like_one_time_codes() {
    let Some(world) = World::new() else {
        return;
    };
    world.google(USUAL);
    for guess in ["99999990", "99999991", "99999992"] {
        assert_eq!(world.ends(&world.door, guess), refused("wrong_code"));
    }
    // A source that waits is not looked at, whatever it sends.
    assert_eq!(world.ends(&world.door, "12345678"), refused("throttled"));
}

#[test]
fn behind_a_password_a_scratch_code_is_found_where_it_is_looked_at() {
    let Some(world) = World::new() else {
        return;
    };
    let module = |arguments| world.realm.module(arguments);
    let forward = format!(
        "auth requisite {}\nauth required pam_unix.so use_first_pass nodelay",
        module("forward_pass")
    );
    let split = format!(
        "auth required {}\nauth requisite pam_unix.so use_first_pass nodelay\nauth required {}",
        module("split"),
        module("")
    );
    let forward = world.sandbox.stack("forward", &forward);
    let split = world.sandbox.stack("split", &split);
    let phone: Phone = world.google(USUAL);
    let enters = |stack, code: &str| {
        let visit = world.visit(stack, "alice", &format!("{PASSWORD}{code}\n"));
        visit.entered
    };
    assert!(enters(&forward, "12345678"));
    assert!(!enters(&forward, "12345678"));
    // Which password the line hands on must not tell whether a guess is right.
    assert!(!enters(&split, "23456789"));
    assert!(enters(&split, "2345-6789"));
    assert!(!enters(&split, "2345-6789"));
    assert!(enters(&forward, &phone.code()));
}

#[test]
fn the_command_knows_the_file_as_a_record_and_makes_none_beside_it() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google(USUAL);
    let script = |script: &str, input: &str| {
        let mut shell = world.sandbox.command_as("alice", "sh");
        let script = script.replace("pam-otp", world.sandbox.pam_otp().to_str().unwrap());
        run(shell.args(["-euc", &script]), input)
    };
    let said = script("pam-otp status", "");
    for line in [
        "two-factor login: on",
        "record: /home/alice/.google_authenticator",
        "token: google-authenticator (totp, SHA1, 6 digits, a new code every 30 s)",
        "recovery codes left: 2",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    world.script("test ! -e /home/alice/.pam-otp");
    let said = script("pam-otp verify", "12345678\n");
    assert!(said.contains("1 left"), "{said}");
    let said = script("pam-otp enroll 2>&1 && exit 1 || true", "");
    assert!(said.contains("another program's file"), "{said}");
    // What is spent for the command is spent for a login.
    assert_eq!(world.ends(&world.door, "12345678"), refused("used_code"));
    // She switches it off herself, with her last code, and enrols.
    let said = script("pam-otp disable", &format!("{}\n", phone.code()));
    assert!(
        said.contains(".google_authenticator.disabled now"),
        "{said}"
    );
    let own = world.sandbox.inside(|| world.realm.enrol("alice"));
    assert_eq!(world.ends(&world.door, &own.code()), granted("code"));
}

#[test]
fn a_record_that_is_made_out_of_the_file_knows_what_was_used() {
    for disabled in [false, true] {
        let Some(world) = World::new() else {
            return;
        };
        let phone = world.google(USUAL);
        let now = authenticator::now();
        let [first, second] = [0, 30].map(|ahead| phone.code_at(now + ahead));
        assert_eq!(world.ends(&world.door, &first), granted("code"));
        let mut command = if disabled {
            let mut command = world.sandbox.command(world.sandbox.pam_otp());
            run(command.args(["disable", "--user", "alice"]), "");
            world.sandbox.command(world.sandbox.pam_otp())
        } else {
            world
                .sandbox
                .command_as("alice", world.sandbox.pam_otp().to_str().unwrap())
        };
        let file = format!("{GOOGLE}{}", if disabled { ".disabled" } else { "" });
        command.args(["import", &file]);
        let said = if disabled {
            run(command.args(["--user", "alice"]), "")
        } else {
            // Whoever has the terminal alone gets no recovery codes.
            run(&mut command, &format!("{second}\n"))
        };
        assert!(said.contains("Recovery codes"), "{said}");
        for code in [&first, &second] {
            let expected = if disabled && *code == second {
                granted("code")
            } else {
                refused("used_code")
            };
            assert_eq!(world.ends(&world.door, code), expected, "{disabled}");
        }
        world.script("test \"$(ls /home/alice/.pam-otp)\" = \"$(printf 'state\\ntoken.toml')\"");
    }
}

#[test]
fn disabling_gives_the_file_another_name_and_its_user_is_not_enrolled_any_more() {
    let Some(world) = World::new() else {
        return;
    };
    let disable = || {
        let mut command = world.sandbox.command(world.sandbox.pam_otp());
        run(command.args(["disable", "--user", "alice"]), "")
    };
    for number in ["", ".1"] {
        let phone = world.google_at(GOOGLE, "alice", USUAL);
        assert_eq!(world.ends(&world.door, &phone.code()), granted("code"));
        let said = disable();
        let aside = format!("{GOOGLE}.disabled{number}");
        assert!(said.contains(&format!("lies at {aside} now")), "{said}");
        let kept = world.sandbox.read(&aside);
        assert!(String::from_utf8(kept).unwrap().starts_with(&phone.secret));
        // What was used is kept, and that makes no record.
        world.script("test \"$(ls /home/alice/.pam-otp)\" = state.disabled");
        assert_eq!(
            world.ends(&world.door, &phone.code()),
            refused("unenrolled")
        );
    }
    // Nor does it come up from below a record of ours.
    world.fresh();
    world.google_at(GOOGLE, "alice", USUAL);
    disable();
    assert_eq!(world.ends(&world.door, "12345678"), refused("unenrolled"));
}

#[test]
fn used_codes_stay_used_when_a_first_try_to_disable_came_no_further_than_the_file() {
    for own in [false, true] {
        let Some(world) = World::new() else {
            return;
        };
        let phone = world.google(USUAL);
        let code = phone.code();
        assert_eq!(world.ends(&world.door, &code), granted("code"));
        if own {
            // Out of it a record of ours is made, which knows the same.
            let mut import = world.sandbox.command(world.sandbox.pam_otp());
            run(import.args(["import", GOOGLE, "--user", "alice"]), "");
        }
        world.script(
            "mount --bind /home/alice/.pam-otp /home/alice/.pam-otp && \
             mount -o remount,bind,ro /home/alice/.pam-otp",
        );
        let disable = || {
            let mut command = world.sandbox.command(world.sandbox.pam_otp());
            let command = command.args(["disable", "--user", "alice"]);
            command.output().unwrap().status.success()
        };
        assert!(!disable());
        let aside = format!("{GOOGLE}.disabled");
        world.script(&format!("test -e {aside} && umount /home/alice/.pam-otp"));
        assert!(disable());
        world.script(&format!("mv {aside} {GOOGLE}"));
        assert_eq!(
            world.ends(&world.door, &code),
            refused("used_code"),
            "{own}"
        );
    }
}

#[test]
fn a_file_that_is_put_back_after_disabling_has_its_used_codes_used() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google(USUAL);
    let now = authenticator::now();
    let [first, second] = [0, 30].map(|ahead| phone.code_at(now + ahead));
    assert_eq!(world.ends(&world.door, &first), granted("code"));
    let mut disable = world.sandbox.command(world.sandbox.pam_otp());
    run(disable.args(["disable", "--user", "alice"]), "");
    world.script(&format!("mv {GOOGLE}.disabled {GOOGLE}"));
    assert_eq!(world.ends(&world.door, &first), refused("used_code"));
    assert_eq!(world.ends(&world.door, &second), granted("code"));
    assert_eq!(world.ends(&world.door, &second), refused("used_code"));
    // What cannot be read opens nothing.
    world.script("rm /home/alice/.pam-otp/state; echo x >/home/alice/.pam-otp/state.disabled");
    assert!(!world.ends(&world.door, &phone.code()).0);
}
