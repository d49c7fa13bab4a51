//! Records that somebody damaged, exposed, or put something else in the place
//! of: in a real home, by a real user, opened by a module that runs as root.

#![allow(
    clippy::disallowed_methods,
    reason = "how long a login takes is looked at"
)]

mod common;

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use common::home::{RECORD, STATE, TOKEN, World};
use common::{Phone, value};
use pam_otp_testkit::pam;

/// A shell script that runs as root in alice's record (after a script with
/// `cd`, elsewhere), the reason in the log, and the path in it.
type Case = (&'static str, &'static str, &'static str);

/// What can be wrong with either file; `F` stands for it.
const EITHER_FILE: &[(&str, &str)] = &[
    ("chmod 000 F", "unreadable_record"),
    ("chown root:root F", "unreadable_record"),
    ("chmod 666 F; chown root:root F", "insecure_record"),
    ("chown bob:bob F; chmod 666 F", "insecure_record"),
    ("chmod 640 F", "insecure_record"),
    ("chmod 620 F", "insecure_record"),
    ("chmod 610 F", "insecure_record"),
    ("chmod 604 F", "insecure_record"),
    ("chmod 602 F", "insecure_record"),
    ("chmod 601 F", "insecure_record"),
    ("mv F other; ln -s other F", "insecure_record"),
    (
        "mv F other; ln -s other F; chown -h alice F",
        "insecure_record",
    ),
    ("rm F; ln -s nowhere F", "insecure_record"),
    ("rm F; ln -s F F", "insecure_record"),
    (
        "rm F; ln -s /etc/shadow F; chown -h alice F",
        "insecure_record",
    ),
    ("rm F; mkfifo -m 600 F; chown alice F", "insecure_record"),
    ("rm F; mkdir -m 700 F; chown alice F", "insecure_record"),
    (
        "rm F; mknod -m 600 F c 1 5; chown alice F",
        "insecure_record",
    ),
    (
        "rm F; mknod -m 600 F c 5 0; chown alice F",
        "insecure_record",
    ),
];

const TOKEN_FILE: &[Case] = &[
    (": > token.toml", "bad_token_file", TOKEN),
    (
        "head -c 65537 /dev/zero > token.toml",
        "bad_token_file",
        TOKEN,
    ),
    (
        "head -c 65537 /dev/zero | tr '\\0' '#' >> token.toml",
        "bad_token_file",
        TOKEN,
    ),
    ("truncate -s 40 token.toml", "bad_token_file", TOKEN),
    ("truncate -s 150 token.toml", "bad_token_file", TOKEN),
    (
        "head -c 500 /dev/urandom > token.toml",
        "bad_token_file",
        TOKEN,
    ),
    (
        "sed -i 's/^version = 1/version = 2/' token.toml; chown alice token.toml",
        "bad_token_file",
        TOKEN,
    ),
    (
        "sed -i /^version/d token.toml; chown alice token.toml",
        "bad_token_file",
        TOKEN,
    ),
    (
        "sed -i /^secret/d token.toml; chown alice token.toml",
        "bad_token_file",
        TOKEN,
    ),
    ("echo 'version = 1' > token.toml", "bad_token_file", TOKEN),
    ("echo 'unknown = 1' >> token.toml", "bad_token_file", TOKEN),
    // What other modules' files look like.
    (
        "printf 'JBSWY3DPEHPK3PXP\\n\" TOTP_AUTH\\n' > token.toml",
        "bad_token_file",
        TOKEN,
    ),
];

const STATE_FILE: &[Case] = &[
    (": > state", "bad_state_file", STATE),
    ("truncate -s 4096 state", "bad_state_file", STATE),
    ("truncate -s 8191 state", "bad_state_file", STATE),
    ("truncate -s 8193 state", "bad_state_file", STATE),
    ("truncate -s 1T state", "bad_state_file", STATE),
    ("head -c 8192 /dev/zero > state", "bad_state_file", STATE),
    ("head -c 8192 /dev/urandom > state", "bad_state_file", STATE),
    // The version, older in the first slot and newer in the second.
    (
        "printf '\\001' | dd of=state bs=1 seek=8 conv=notrunc",
        "bad_state_file",
        STATE,
    ),
    (
        "printf '\\003' | dd of=state bs=1 seek=4104 conv=notrunc",
        "bad_state_file",
        STATE,
    ),
    // One bit in each.
    (
        "for at in 16 4112; do printf '\\377' | dd of=state bs=1 seek=$at conv=notrunc; done",
        "bad_state_file",
        STATE,
    ),
];

const DIRECTORY: &[Case] = &[
    ("chmod 710 .", "insecure_record", RECORD),
    ("chmod 720 .", "insecure_record", RECORD),
    ("chmod 740 .", "insecure_record", RECORD),
    ("chmod 701 .", "insecure_record", RECORD),
    ("chmod 702 .", "insecure_record", RECORD),
    ("chmod 704 .", "insecure_record", RECORD),
    ("chmod 1777 .", "insecure_record", RECORD),
    ("chown root .", "insecure_record", RECORD),
    ("chown bob .", "insecure_record", RECORD),
    ("chmod 000 .", "unreadable_record", TOKEN),
    (
        "cd ..; rm -r .pam-otp; : > .pam-otp",
        "insecure_record",
        RECORD,
    ),
    (
        "cd ..; rm -r .pam-otp; mkfifo -m 700 .pam-otp; chown alice .pam-otp",
        "insecure_record",
        RECORD,
    ),
    (
        "cd ..; mv .pam-otp real; ln -s real .pam-otp; chown -h alice .pam-otp",
        "insecure_record",
        RECORD,
    ),
    (
        "cd ..; mv .pam-otp real; ln -s real .pam-otp",
        "insecure_record",
        RECORD,
    ),
    (
        "cd ..; rm -r .pam-otp; ln -s nowhere .pam-otp",
        "insecure_record",
        RECORD,
    ),
    (
        "cd ..; rm -r .pam-otp; ln -s /home/bob/.pam-otp .pam-otp",
        "insecure_record",
        RECORD,
    ),
];

const HOME: &[Case] = &[
    (
        "cd /home; mv alice away",
        "missing_directory",
        "/home/alice",
    ),
    (
        "cd /home; rm -r alice; : > alice",
        "insecure_record",
        "/home/alice",
    ),
    (
        "cd /home; rm -r alice; mkfifo alice",
        "insecure_record",
        "/home/alice",
    ),
    ("chmod g+w ..", "insecure_record", "/home/alice"),
    ("chmod o+w ..", "insecure_record", "/home/alice"),
    ("chmod 1777 ..", "insecure_record", "/home/alice"),
    (
        "chown bob ..; chmod 755 ..",
        "insecure_record",
        "/home/alice",
    ),
    // Not searchable for its own user.
    ("chown root ..; chmod 700 ..", "unreadable_record", RECORD),
    (
        "cd /home; mv alice real; ln -s real alice; chown -h alice alice",
        "insecure_record",
        "/home/alice",
    ),
    (
        "cd /home; mv alice real; ln -s alice alice",
        "insecure_record",
        "/home/alice",
    ),
    // A component in between that a user may have laid.
    (
        "chmod 755 /home/bob; ln -s /home /home/bob/way; chown -h bob /home/bob/way; sed -i s,:/home/alice:,:/home/bob/way/alice:, /etc/passwd",
        "insecure_record",
        "/home/bob/way",
    ),
    (
        "sed -i s,:/home/alice:,:relative/alice:, /etc/passwd",
        "missing_directory",
        "relative/alice",
    ),
    (
        "sed -i s,:/home/alice:,:/home/bob/../alice:, /etc/passwd",
        "missing_directory",
        "/home/bob/../alice",
    ),
];

/// Plays a table: each case is denied, under both policies, and the log
/// says why and where.
fn play(world: &World, cases: impl IntoIterator<Item = (String, &'static str, &'static str)>) {
    for (script, reason, path) in cases {
        let phone = world.fresh();
        world.script(&format!("cd {RECORD}; {script}"));
        check_denied(world, &phone, &script, reason, path);
    }
}

/// Both policies deny, quickly, and the log says why and where.
fn check_denied(world: &World, phone: &Phone, case: &str, reason: &str, path: &str) {
    for stack in [&world.open, &world.door] {
        let code = phone.code();
        let begin = Instant::now();
        let visit = world.visit(stack, "alice", &code);
        let took = begin.elapsed();
        // Not a measure: a hang would be one of many seconds.
        assert!(took < Duration::from_secs(2), "{case}: {took:?}");
        assert_eq!(visit.code, pam::AUTH_ERR, "{case}: {visit:?}");
        let line = visit.line();
        let said = ["outcome", "reason", "user", "path"].map(|key| value(line, key));
        let expected = ["denied", reason, "alice", path];
        assert_eq!(said, expected.map(Some), "{case}: {line}");
        assert!(!line.contains(&phone.secret), "{case}: {line}");
        assert_eq!(visit.prompts, ["EchoOff \"One-time code: \""], "{case}");
    }
}

fn owned(cases: &[Case]) -> impl Iterator<Item = (String, &'static str, &'static str)> {
    cases
        .iter()
        .map(|(script, reason, path)| ((*script).to_owned(), *reason, *path))
}

fn about(file: &str, path: &'static str) -> Vec<(String, &'static str, &'static str)> {
    let script = |script: &str| script.replace('F', file);
    EITHER_FILE
        .iter()
        .map(|(text, reason)| (script(text), *reason, path))
        .collect()
}

#[test]
fn a_token_file_that_is_not_as_it_should_be_denies_with_its_path() {
    let Some(world) = World::new() else {
        return;
    };
    play(&world, owned(TOKEN_FILE));
    play(&world, about("token.toml", TOKEN));
}

#[test]
fn a_state_file_that_is_not_as_it_should_be_denies_with_its_path() {
    let Some(world) = World::new() else {
        return;
    };
    play(&world, owned(STATE_FILE));
    play(&world, about("state", STATE));
}

#[test]
fn a_directory_on_the_way_that_others_could_have_changed_denies_with_its_path() {
    let Some(world) = World::new() else {
        return;
    };
    play(&world, owned(DIRECTORY));
    play(&world, owned(HOME));
}

#[test]
fn a_socket_in_the_place_of_a_file_denies_with_its_path() {
    let Some(world) = World::new() else {
        return;
    };
    for path in [TOKEN, STATE] {
        let phone = world.fresh();
        world.script(&format!("rm {path}"));
        let socket = world.sandbox.inside(|| UnixListener::bind(path).unwrap());
        world.script(&format!("chown alice {path}; chmod 600 {path}"));
        check_denied(&world, &phone, "a socket", "insecure_record", path);
        drop(socket);
    }
}
