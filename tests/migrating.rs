//! The arguments of `pam_google_authenticator`, each as `docs/migrating.md` says
//! what it does here.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;

use common::home::{GOOGLE, World};
use common::{Visit, value, visit_with};
use pam_otp_testkit::authenticator;
use pam_otp_testkit::pam::Stack;

type Case = fn(&World);

/// Every row of the table, in its order.
const CASES: &[(&str, Case)] = &[
    ("secret=FILE", secret),
    ("user=NAME", user),
    ("nullok", nullok),
    ("forward_pass", forward_pass),
    ("try_first_pass", try_first_pass),
    ("use_first_pass", use_first_pass),
    ("authtok_prompt=TEXT", authtok_prompt),
    ("echo_verification_code", echo_verification_code),
    ("echo-verification-code", echo_by_dashes),
    ("noskewadj", noskewadj),
    ("no_increment_hotp", no_increment_hotp),
    ("allowed_perm=0NNN", allowed_perm),
    ("no_strict_owner", no_strict_owner),
    ("grace_period=SECONDS", grace_period),
    ("allow_readonly", allow_readonly),
    ("debug", debug),
];

const USUAL: &str = "\" WINDOW_SIZE 17\n\" TOTP_AUTH\n12345678";
/// Alice's password, as the sandbox was told.
const PASSWORD: &str = "correct horse";

#[test]
fn every_argument_does_what_the_table_says() {
    let Some(world) = World::new() else {
        return;
    };
    for (argument, case) in CASES {
        eprintln!("{argument}");
        world.bare();
        case(&world);
    }
}

#[test]
fn every_row_of_the_table_has_a_case_and_every_case_a_row() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/migrating.md"));
    let text = text.unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('`').nth(1).unwrap())
        .collect();
    let cases: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    assert_eq!(rows, cases);
}

fn granted(reason: &str) -> (bool, String) {
    (true, reason.to_owned())
}

fn refused(reason: &str) -> (bool, String) {
    (false, reason.to_owned())
}

/// A login with the code that alice's phone shows, and once more with the same.
#[track_caller]
fn opens_once(world: &World, stack: &Stack, code: &str) {
    assert_eq!(world.ends(stack, code), granted("code"));
    assert_eq!(world.ends(stack, code), refused("used_code"));
}

/// What the line of a login that is denied says.
fn denied(world: &World, stack: &Stack) -> String {
    let visit = world.visit(stack, "alice", "123456\n");
    assert!(!visit.entered, "{visit:?}");
    visit.line().to_owned()
}

fn secret(world: &World) {
    world.script("rm -rf /etc/ga; install -d -o alice -g alice /home/alice/.ssh");
    for (argument, path) in [
        ("secret=~/.ssh/ga", "/home/alice/.ssh/ga"),
        ("secret=${HOME}/.ga-${USER}", "/home/alice/.ga-alice"),
        ("secret=/home/${USER}/.ga", "/home/alice/.ga"),
    ] {
        let phone = world.google_at(path, "alice", USUAL);
        opens_once(world, &world.stack(argument), &phone.code());
        world.script("rm -r /home/alice/.pam-otp");
    }
    // Outside, where the home does not matter, and gets nothing.
    let phone = world.google_at("/etc/ga/alice", "alice", USUAL);
    let stack = world.stack("secret=/etc/ga/${USER} nullok");
    world.script("chmod 000 /home/alice; chown root /home/alice");
    opens_once(world, &stack, &phone.code());
    assert_eq!(world.ends(&stack, "12345678"), granted("recovery_code"));
    world.script("test ! -e /home/alice/.pam-otp");
    assert!(world.realm.state_file("alice").exists());
    // Without the file, a home that nobody can look into is not one without a
    // record.
    world.script("rm /etc/ga/alice");
    assert_eq!(world.ends(&stack, "123456"), refused("bad_token_file"));
    let state = world.realm.record("alice");
    world.script(&format!("rm -r {}", state.display()));
    assert_eq!(world.ends(&stack, "123456"), refused("unreadable_record"));
    world.bare();
    let visit = world.visit(&stack, "alice", "");
    assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
    // A record of ours counts before the file.
    let own = world.fresh();
    let old = world.google_at("/etc/ga/alice", "alice", USUAL);
    assert_eq!(world.ends(&stack, &old.code()), refused("wrong_code"));
    opens_once(world, &stack, &own.code());
    // Where the directory of all files is not there, nobody knows.
    world.bare();
    let gone = world.stack("secret=/etc/gone/${USER} nullok");
    assert!(denied(world, &gone).contains("reason=missing_directory"));
    let gone = world.stack("secret=/etc/gone/${USER}/ga nullok");
    assert!(denied(world, &gone).contains("reason=missing_directory"));
    let none = world.stack("secret=/etc/ga/of-${USER}/ga nullok");
    let visit = world.visit(&none, "alice", "");
    assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
    // A directory of one's own that is not there is no file that is not there.
    world.bare();
    let visit = world.visit(&world.stack("secret=~/.ssh/ga nullok"), "alice", "");
    assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
    // Where another could have put it, or could lead us.
    for script in [
        "chmod 777 /etc/ga",
        "chown bob /etc/ga",
        "mv /etc/ga /etc/x; ln -s x /etc/ga; chown -h bob /etc/ga",
        "ln -s /etc/shadow /etc/ga/alice",
    ] {
        world.script("rm -rf /etc/ga /etc/x");
        let phone = world.google_at("/etc/ga/alice", "alice", USUAL);
        world.script(&script.replace("ln -s /etc/shadow", "ln -sf /etc/shadow"));
        assert_eq!(
            world.ends(&stack, &phone.code()),
            refused("insecure_record"),
            "{script}"
        );
    }
    for argument in ["secret=ga", "secret=/etc/../ga", "secret=/etc/${SHELL}"] {
        assert!(denied(world, &world.stack(argument)).contains("module argument `secret`"));
    }
}

fn user(world: &World) {
    world.script("rm -rf /etc/ga");
    let stack = world.stack("secret=/etc/ga/${USER} user=bob");
    // Users need not be the system's.
    for name in ["carol@example.org", "alice"] {
        let phone = world.google_at(&format!("/etc/ga/{name}"), "bob", USUAL);
        let code = format!("{}\n", phone.code());
        assert!(world.visit(&stack, name, &code).entered);
        let again = world.visit(&stack, name, &code);
        assert_eq!(value(again.line(), "reason"), Some("used_code"));
        assert!(world.realm.state_file(name).exists());
    }
    let phone = world.google_at("/etc/ga/dave", "alice", USUAL);
    let visit = world.visit(&stack, "dave", &format!("{}\n", phone.code()));
    assert_eq!(value(visit.line(), "reason"), Some("unreadable_record"));

    for (arguments, said) in [
        ("secret=~/ga user=bob", "argument `secret`: ~ and"),
        (
            "secret=/etc/ga/all user=bob",
            "argument `secret`: must have ${USER}",
        ),
        ("user=bob", "argument `user` needs `secret`"),
        (
            "secret=/etc/ga/${USER} user=nobody-here",
            "reason=user_database_failed",
        ),
    ] {
        let line = denied(world, &world.stack(arguments));
        assert!(line.contains(said), "{arguments}: {line}");
    }

    // Who is neither root nor that user gets nothing of theirs.
    world.script("rm -rf /var/ga; install -d -m 700 -o alice /var/ga");
    let policy = "store = \"system\"\nsystem_store = \"/var/ga\"\nfail_delay = 0\n";
    world.sandbox.write("/etc/panel.toml", policy, 0o644);
    let line = "auth required {module} policy=/etc/panel.toml secret=/etc/ga/${USER} user=bob";
    let stack = world.sandbox.stack("panel", line);
    let pam_try = world.sandbox.command_as("alice", world.sandbox.pam_try());
    let visit = visit_with(pam_try, &stack, "bob", "123456\n");
    assert_eq!(value(visit.line(), "reason"), Some("no_rights"));
}

fn nullok(world: &World) {
    let visit = world.visit(&world.stack("nullok"), "alice", "");
    assert_eq!(value(visit.line(), "outcome"), Some("skipped"));
    assert!(visit.entered && visit.prompts.is_empty(), "{visit:?}");
    assert!(denied(world, &world.stack("")).contains("reason=unenrolled"));
    let phone = world.google(USUAL);
    opens_once(world, &world.stack("nullok"), &phone.code());
    // Alone it opens nothing.
    world.bare();
    let line = format!("auth required {}", world.realm.module("nullok"));
    let alone = world.sandbox.stack("alone", &line);
    assert!(!world.visit(&alone, "alice", "").entered);
}

/// A login of alice's where our line and one of `pam_unix` stand in a stack.
fn with_password(world: &World, lines: [&str; 2], arguments: &str, reply: &str) -> Visit {
    let module = world.realm.module(arguments);
    let lines = lines.map(|line| line.replace("OURS", &module));
    let stack = world.sandbox.stack("both", &lines.join("\n"));
    world.visit(&stack, "alice", reply)
}

fn forward_pass(world: &World) {
    let phone = world.google(USUAL);
    let lines = [
        "auth requisite OURS",
        "auth required pam_unix.so use_first_pass nodelay",
    ];
    let code = phone.code();
    let login = |reply: &str| with_password(world, lines, "forward_pass", reply);
    assert!(!login(&format!("{PASSWORD}{}\n", phone.wrong())).entered);
    let visit = login(&format!("{PASSWORD}{code}\n"));
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts, ["EchoOff \"Password and one-time code: \""]);
    assert!(!login(&format!("{PASSWORD}{code}\n")).entered);
    assert!(login(&format!("{PASSWORD}12345678\n")).entered);
}

fn try_first_pass(world: &World) {
    let phone = world.google(USUAL);
    let lines = ["auth optional pam_unix.so nodelay", "auth required OURS"];
    let login = |reply: &str| with_password(world, lines, "try_first_pass", reply);
    let (first, next) = (phone.code(), phone.code_at(authenticator::now() + 30));
    let visit = login(&format!("{PASSWORD}{first}\n"));
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts.len(), 1, "{visit:?}");
    // No code in it: asked for.
    let visit = login(&format!("{PASSWORD}\n{next}\n"));
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts.len(), 2, "{visit:?}");
}

fn use_first_pass(world: &World) {
    let phone = world.google(USUAL);
    let lines = ["auth optional pam_unix.so nodelay", "auth required OURS"];
    let login = |reply: &str| with_password(world, lines, "use_first_pass", reply);
    let code = phone.code();
    let visit = login(&format!("{PASSWORD}\n{code}\n"));
    assert!(!visit.entered && visit.prompts.len() == 1, "{visit:?}");
    let visit = login(&format!("{PASSWORD}{code}\n"));
    assert!(visit.entered && visit.prompts.len() == 1, "{visit:?}");
    let both = denied(world, &world.stack("try_first_pass use_first_pass"));
    assert!(both.contains("reason=bad_policy"), "{both}");
}

fn authtok_prompt(world: &World) {
    let phone = world.google(USUAL);
    let stack = world.stack("[authtok_prompt=Your secret token: ]");
    let visit = world.visit(&stack, "alice", &format!("{}\n", phone.code()));
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts, ["EchoOff \"Your secret token: \""]);
}

fn echo_verification_code(world: &World) {
    echo(world, "echo_verification_code");
}

fn echo_by_dashes(world: &World) {
    echo(world, "echo-verification-code");
}

fn echo(world: &World, argument: &str) {
    let phone = world.google(USUAL);
    let visit = world.visit(
        &world.stack(argument),
        "alice",
        &format!("{}\n", phone.code()),
    );
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts, ["EchoOn \"One-time code: \""]);
    let stack = world.stack(&format!("{argument} forward_pass"));
    let visit = world.visit(&stack, "alice", "\n");
    assert_eq!(visit.prompts, ["EchoOff \"Password and one-time code: \""]);
}

fn noskewadj(world: &World) {
    let skewed = format!("\" TIME_SKEW 2\n{USUAL}");
    // Later, so that a step that ends meanwhile does not matter: 3 becomes 2.
    for (arguments, expected) in [("", granted("code")), ("noskewadj", refused("other_time"))] {
        let phone = world.google(&skewed);
        let code = phone.code_at(authenticator::now() + 90);
        assert_eq!(
            world.ends(&world.stack(arguments), &code),
            expected,
            "{arguments}"
        );
    }
}

fn no_increment_hotp(world: &World) {
    for arguments in ["no_increment_hotp", ""] {
        let phone = world.google("\" HOTP_COUNTER 1\n\" WINDOW_SIZE 3");
        let stack = world.stack(&format!("{arguments} tries=10"));
        for _ in 0..5 {
            assert_eq!(
                world.ends(&stack, &phone.counted(50)),
                refused("wrong_code")
            );
        }
        opens_once(world, &stack, &phone.counted(1));
    }
}

fn allowed_perm(world: &World) {
    for (mode, arguments, expected) in [
        ("600", "allowed_perm=0600", granted("code")),
        ("400", "allowed_perm=0400", granted("code")),
        ("600", "allowed_perm=0400", refused("insecure_record")),
        ("600", "allowed_perm=0640", refused("bad_policy")),
        ("640", "allowed_perm=0640", refused("bad_policy")),
        ("600", "allowed_perm=rw", refused("bad_policy")),
    ] {
        let phone = world.google(USUAL);
        world.script(&format!("chmod {mode} {GOOGLE}"));
        let ends = world.ends(&world.stack(arguments), &phone.code());
        assert_eq!(ends, expected, "{mode} {arguments}");
    }
    let line = denied(world, &world.stack("allowed_perm=0644"));
    assert!(line.contains("(chmod 0600)"), "{line}");
}

fn no_strict_owner(world: &World) {
    for (owner, arguments, expected) in [
        ("alice", "no_strict_owner", granted("code")),
        ("alice", "", refused("insecure_record")),
        ("root", "no_strict_owner", granted("code")),
        ("bob", "no_strict_owner", refused("insecure_record")),
    ] {
        world.script(&format!(
            "rm -rf /etc/ga {}",
            world.realm.record("alice").display()
        ));
        let phone = world.google_at("/etc/ga/alice", owner, USUAL);
        let stack = world.stack(&format!("secret=/etc/ga/${{USER}} user=root {arguments}"));
        assert_eq!(
            world.ends(&stack, &phone.code()),
            expected,
            "{owner} {arguments}"
        );
    }
}

fn grace_period(world: &World) {
    let phone = world.google(USUAL);
    let stack = world.stack("grace_period=86400");
    let first = world.visit(&stack, "alice", &format!("{}\n", phone.code()));
    assert!(first.entered, "{first:?}");
    let second = world.visit(&stack, "alice", "\n");
    assert_eq!(second.prompts.len(), 0, "{second:?}");
    assert_eq!(value(second.line(), "reason"), Some("remembered"));
    let zero = world.visit(&world.stack("grace_period=0"), "alice", "\n");
    assert_eq!(value(zero.line(), "reason"), Some("no_code"));
    let line = denied(world, &world.stack("grace_period=soon"));
    assert!(line.contains("reason=bad_policy"), "{line}");
}

fn allow_readonly(world: &World) {
    world.script("mount -t tmpfs -o mode=755 tmpfs /home/alice; chown alice: /home/alice");
    let phone = world.google_at(GOOGLE, "alice", USUAL);
    world.script("mount -o remount,ro /home/alice");
    let code = phone.code();
    assert_eq!(
        world.ends(&world.stack(""), &code),
        refused("unreadable_record")
    );
    let stack = world.stack("allow_readonly");
    let visit = world.visit(&stack, "alice", &format!("{code}\n"));
    assert!(visit.entered, "{visit:?}");
    assert_eq!(value(visit.line(), "kept"), Some("memory"));
    assert_eq!(world.ends(&stack, &code), refused("used_code"));
    // The disk takes it, and memory is not asked any more.
    world.script("mount -o remount,rw /home/alice");
    assert_eq!(world.ends(&stack, &code), refused("used_code"));
    assert_eq!(world.ends(&stack, "12345678"), granted("recovery_code"));
    world.script("test -z \"$(ls -A /run/pam-otp)\"");
    opens_never_again(world, &code);
    world.script("umount /home/alice");
}

fn opens_never_again(world: &World, code: &str) {
    assert_eq!(world.ends(&world.stack(""), code), refused("used_code"));
}

fn debug(world: &World) {
    let phone = world.google(USUAL);
    let visit = world.visit(
        &world.stack("debug"),
        "alice",
        &format!("{}\n", phone.code()),
    );
    assert!(visit.entered, "{visit:?}");
    assert_eq!(value(visit.line(), "ignored"), None);
    assert!(!visit.line().contains(&phone.secret));
}

/// Two lines that name one file in two ways are one way in.
#[test]
fn a_code_of_a_file_in_the_home_opens_once_whoever_opens_the_file() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.google("\" TOTP_AUTH");
    let by_root = format!("secret={GOOGLE} user=root no_strict_owner").replace("alice", "${USER}");
    let by_root = world.stack(&by_root);
    let code = phone.code();
    assert_eq!(world.ends(&by_root, &code).1, "code");
    assert_eq!(world.ends(&world.door, &code).1, "used_code");
}
