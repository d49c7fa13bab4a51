//! `pam-otp events` on what a real login has left, by a real journald too.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod world;

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::run;
use pam_otp_testkit::{authenticator, syslog};
use serde_json::{Value, json};
use world::{PASSWORD, QUESTION, SOON, World};

const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// A name that must not be able to forge anything.
const HOSTILE: &str = "x\" outcome=granted\u{202e}<b>";

/// A world, and what a real module and the command have said to its log: of alice
/// with her code, of somebody with a name made up, and of an administrator.
fn world() -> Option<(World, Vec<String>)> {
    let world = World::or_skip()?;
    let lines = "auth required {module}\naccount required pam_permit.so";
    world.sandbox.pam_service("door", lines);
    let phone = world.enrol("alice");
    for (user, code) in [("alice", phone.code()), (HOSTILE, "000000".to_owned())] {
        let mut command = world.sandbox.command(world.sandbox.pam_try());
        command.args(["--service", "door", "--rhost", "192.0.2.7"]);
        command.args(["--user", user]);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start pam-try");
        let mut input = process.stdin.take().expect("a pipe");
        let _ = std::io::Write::write_all(&mut input, format!("{code}\n").as_bytes());
        drop(input);
        process.wait().expect("run pam-try");
    }
    let mut unlock = world.sandbox.command(world.sandbox.pam_otp());
    run(unlock.args(["unlock", "--user", "alice"]), "");
    let is_last = |line: &str| line.contains("action=unlock");
    world.sandbox.syslog().wait_for(is_last, SOON);
    let messages = world.sandbox.syslog().messages();
    Some((world, messages))
}

fn events(world: &World, arguments: &[&str]) -> Value {
    let mut command = world.sandbox.command(world.sandbox.pam_otp());
    let said = run(command.args(["events", "--json"]).args(arguments), "");
    serde_json::from_str(&said).expect("JSON")
}

/// Outcome, reason or action, and user of each.
fn told(answer: &Value) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let event = |event: &Value| {
        let why = if event["action"].is_null() {
            "reason"
        } else {
            "action"
        };
        [
            text(&event["outcome"]),
            text(&event[why]),
            text(&event["user"]),
        ]
    };
    answer["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(event)
        .collect()
}

fn all() -> [[String; 3]; 3] {
    [
        ["granted", "code", "alice"],
        ["denied", "unknown_user", HOSTILE],
        ["done", "unlock", "alice"],
    ]
    .map(|words| words.map(str::to_owned))
}

#[test]
fn what_a_login_left_in_a_log_file_is_read_whichever_way_its_time_is_written() {
    let Some((world, messages)) = world() else {
        return;
    };
    let alike = "Nov 22 06:40:47 web1 app[7]: said pam_otp(door:auth): outcome=granted user=eve";
    for iso in [false, true] {
        // As a syslog daemon does: the priority goes, the host's name comes.
        let line = |message: &String| {
            let text = syslog::strip(message);
            let time = message.split_once('>').expect("a priority").1;
            let time = time
                .strip_suffix(text)
                .filter(|time| !iso && !time.is_empty());
            let time = time.unwrap_or("2026-11-22T06:40:47.123456+00:00 ");
            format!("{time}web1 {text}\n")
        };
        let log: String = messages.iter().map(line).collect();
        world
            .sandbox
            .write("/var/log/auth.log", format!("{alike}\n{log}"), 0o640);
        let answer = events(&world, &[]);
        assert_eq!(answer["log"], "/var/log/auth.log");
        assert_eq!(told(&answer), all(), "{answer}");
        let first = &answer["events"][0];
        assert_eq!(first["service"], "door");
        assert_eq!(first["source"], "192.0.2.7");
        assert_eq!(first["writer"], Value::Null);
        assert_eq!(answer["events"][2]["by"], "root");
        if iso {
            assert_eq!(first["time"], 1_795_329_647);
        } else {
            let time = first["time"].as_u64().expect("a time");
            assert!(time.abs_diff(authenticator::now()) < 600, "{answer}");
        }
    }
    assert_eq!(told(&events(&world, &["--lines", "1"])), all()[2..]);
    assert_eq!(told(&events(&world, &["--user", HOSTILE])), all()[1..2]);
    assert_eq!(told(&events(&world, &["--service", "door"])), all()[..2]);
    assert!(told(&events(&world, &["--user", "eve"])).is_empty());
    let until = |time| told(&events(&world, &["--until", time])).len();
    assert_eq!(
        (until("2026-11-22T06:40:46Z"), until("2026-11-22T06:40:47Z")),
        (0, 3)
    );
    let mut never = world.sandbox.command(world.sandbox.pam_otp());
    let never = never.args(["events", "--since", "1h", "--until", "2h"]);
    assert_eq!(never.output().expect("run pam-otp").status.code(), Some(2));

    let mut words = world.sandbox.command(world.sandbox.pam_otp());
    let words = run(words.arg("events"), "");
    assert!(words.contains("x\" outcome=granted\\u{202e}<b>"), "{words}");
    // A policy that is broken keeps nobody from looking at the log.
    world
        .sandbox
        .write("/etc/security/pam_otp.toml", "nonsense", 0o644);
    assert_eq!(told(&events(&world, &[])), all());
}

#[test]
fn the_log_is_root_s_and_where_there_is_none_that_is_said() {
    let Some((world, _)) = world() else {
        return;
    };
    let refused = |mut command: Command, code: &str, status| {
        let output = command
            .args(["events", "--json"])
            .output()
            .expect("run pam-otp");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(output.status.code(), Some(status));
    };
    let pam_otp = world.sandbox.pam_otp();
    refused(world.sandbox.command_as("alice", &pam_otp), "not_root", 1);
    refused(world.sandbox.command(&pam_otp), "no_log", 3);
}

/// What a setuid program says is no less root's word than what a daemon says: whoever
/// started it could have written no such line.
#[test]
fn what_su_has_left_for_a_user_is_root_s_word() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let Some(_journald) = Journald::or_skip(&world) else {
        return;
    };
    world.sandbox.inside(|| {
        std::fs::remove_file("/dev/log").expect("the test kit's own log");
        std::os::unix::fs::symlink(SOCKET, "/dev/log").expect("journald's in its place");
    });
    world.stack("su", "su");
    let phone = world.enrol("alice");
    world.sandbox.add_user("mallory", PASSWORD);
    for (code, outcome) in [("000000".to_owned(), "denied"), (phone.code(), "granted")] {
        let mut su = world.sandbox.command_as("mallory", "su");
        su.args(["alice", "-c", "id -un"]);
        let mut su = Pty::spawn(su);
        su.expect("Password: ", SOON);
        su.send_line(PASSWORD);
        su.expect(QUESTION, SOON);
        su.send_line(&code);
        su.wait();
        let mut answer = Value::Null;
        let is_there = soon(300, || {
            answer = events(&world, &["--user", "alice", "--lines", "1"]);
            answer["events"][0]["outcome"] == outcome
        });
        assert!(is_there, "{answer}");
        assert_eq!(answer["events"][0]["writer"], 0, "{answer}");
    }
}

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/dev-log";

/// A journald in the sandbox, to the end.
struct Journald(Child);

impl Journald {
    /// Starts it, and waits for it; None and a word where it is not installed.
    fn or_skip(world: &World) -> Option<Self> {
        if !Path::new(JOURNALD).exists() {
            eprintln!("skipped: there is no {JOURNALD}");
            return None;
        }
        let id = "0123456789abcdef0123456789abcdef\n";
        world.sandbox.write("/etc/machine-id", id, 0o444);
        let mut command = world.sandbox.command(JOURNALD);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let journald = Self(command.spawn().expect("start journald"));
        let listens = world.sandbox.inside(|| {
            let here = UnixDatagram::unbound().expect("a socket");
            soon(300, || here.connect(SOCKET).is_ok())
        });
        assert!(listens, "journald is not there");
        Some(journald)
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_journal_knows_who_wrote_a_line() {
    let Some((world, messages)) = world() else {
        return;
    };
    let Some(_journald) = Journald::or_skip(&world) else {
        return;
    };
    world.sandbox.inside(|| {
        let here = UnixDatagram::unbound().expect("a socket");
        here.connect(SOCKET).expect("journald");
        for message in &messages {
            here.send(message.as_bytes()).expect("tell journald");
        }
    });
    // Whoever is on the machine can say such a thing.
    let forged = "pam_otp(door:auth): outcome=granted reason=code user=eve service=door";
    let mut eve = world.sandbox.command_as("alice", "logger");
    eve.args(["-u", SOCKET, "-p", "authpriv.notice", "-t", "door", forged]);
    run(&mut eve, "");

    let mut answer = Value::Null;
    let whole = soon(300, || {
        answer = events(&world, &["--since", "1h"]);
        told(&answer).len() == 4
    });
    assert!(whole, "{answer}");
    assert_eq!(answer["log"], "journal");
    assert_eq!(told(&answer)[..3], all());
    let until = |time| told(&events(&world, &["--since", "1h", "--until", time])).len();
    assert_eq!((until("1h"), until("9999-01-01")), (0, 4));
    let writers: Vec<_> = answer["events"]
        .as_array()
        .expect("events")
        .iter()
        .collect();
    let alice = world.sandbox.inside(|| {
        let user = std::fs::metadata("/home/alice").expect("a home");
        std::os::unix::fs::MetadataExt::uid(&user)
    });
    let writers: Vec<_> = writers.iter().map(|event| &event["writer"]).collect();
    assert_eq!(writers, [&json!(0), &json!(0), &json!(0), &json!(alice)]);
    let mut words = world.sandbox.command(world.sandbox.pam_otp());
    let words = run(words.args(["events", "--user", "eve"]), "");
    let mark = format!("(written by user id {alice}, not by root)");
    assert!(words.contains(&mark), "{words}");
}

const JOURNALCTL: &str = "/usr/bin/journalctl";

/// A journal whose `journalctl` is this script.
fn journalctl(world: &World, script: &str) -> bool {
    if !Path::new(JOURNALCTL).exists() {
        eprintln!("skipped: there is no {JOURNALCTL}");
        return false;
    }
    world
        .sandbox
        .write("/run/systemd/journal/socket", "", 0o666);
    let script = format!("#!/bin/sh\n{script}\n");
    world.sandbox.write("/run/journalctl", script, 0o755);
    let mut mount = world.sandbox.command("mount");
    mount.args(["--bind", "/run/journalctl", JOURNALCTL]);
    run(&mut mount, "");
    true
}

/// More than a pipe holds: whoever reads one of two pipes to its end first waits for
/// a program that waits for them.
#[test]
fn whatever_journalctl_complains_of_first_its_entries_are_read() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let entry = json!({
        "__REALTIME_TIMESTAMP": "1795329647123456",
        "_UID": "0",
        "MESSAGE": "pam_otp(door:auth): outcome=granted reason=code user=alice",
    });
    let complains = "/usr/bin/head -c 1000000 /dev/zero >&2";
    let script = format!("{complains}\necho '{entry}'\n{complains}");
    if !journalctl(&world, &script) {
        return;
    }
    let mut limited = world.sandbox.command("timeout");
    limited.arg("60").arg(world.sandbox.pam_otp());
    let answer = run(limited.args(["events", "--json"]), "");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["log"], "journal", "{answer}");
    let [granted, ..] = all();
    assert_eq!(told(&answer), [granted]);
}

/// Ours stand before more lines of others than are looked at, in a file and in a journal.
#[test]
fn what_a_flood_of_other_lines_hides_is_not_said_not_to_be_there() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let message = "pam_otp(door:auth): outcome=granted reason=code user=alice";
    let others = "2026-11-22T06:40:47Z web1 app[7]: pam-otp noise\n".repeat(200_000);
    let ours = format!("2026-11-22T06:40:45Z web1 door[7]: {message}\n");
    world
        .sandbox
        .write("/var/log/auth.log", format!("{ours}{others}"), 0o640);
    looks_on_from_where_it_stopped(&world, "/var/log/auth.log");

    let entry = |time: &str, message: &str| {
        json!({"__REALTIME_TIMESTAMP": time, "_UID": "0", "MESSAGE": message}).to_string()
    };
    let others = entry("1795329647123456", "noise");
    let ours = entry("1795329645123456", message);
    // Only what is asked for: to the end of the last second.
    let script = format!(
        "case \" $* \" in\n\
         *' --until=@1795329647 '*) ;;\n\
         *) /usr/bin/yes '{others}' | /usr/bin/head -n 200000 ;;\n\
         esac\necho '{ours}'"
    );
    if journalctl(&world, &script) {
        looks_on_from_where_it_stopped(&world, "journal");
    }
}

fn looks_on_from_where_it_stopped(world: &World, log: &str) {
    const BACK_TO: &str = "2026-11-22T06:40:47Z";
    let answer = events(world, &[]);
    assert_eq!(answer["log"], log);
    assert!(told(&answer).is_empty());
    assert_eq!(answer["stopped"], true);
    assert_eq!(answer["back_to"], 1_795_329_647);
    let warning = answer["warnings"][0].as_str().expect("a warning");
    for words in [BACK_TO, "200,000", "--until"] {
        assert!(warning.contains(words), "{warning}");
    }
    let mut words = world.sandbox.command(world.sandbox.pam_otp());
    let words = run(words.arg("events"), "");
    assert!(!words.contains("The log has no line"), "{words}");

    // All that was looked at is of one second, and so is what --until would ask for.
    let again = events(world, &["--until", "2026-11-22T06:40:48Z"]);
    assert_eq!(again["stopped"], true);
    let before = "2026-11-22T06:40:46Z";
    let stays = events(world, &["--until", BACK_TO]);
    let warning = stays["warnings"][0].as_str().expect("a warning");
    assert!(warning.ends_with(&format!("--until {before}")), "{warning}");
    assert!(warning.contains("more of that second"), "{warning}");
    let since = events(world, &["--since", BACK_TO, "--until", BACK_TO]);
    let warning = since["warnings"][0].as_str().expect("a warning");
    let advice = format!("with an earlier --since and --until {before}");
    assert!(warning.ends_with(&advice), "{warning}");

    let earlier = events(world, &["--until", before]);
    assert_eq!(told(&earlier), all()[..1]);
    assert_eq!(earlier["stopped"], false);
    assert_eq!(earlier["back_to"], Value::Null);
    assert_eq!(earlier["warnings"], json!([]));
}

/// Somebody's wrong codes must not push a success out of sight without a word.
#[test]
fn that_there_are_more_events_than_are_shown_is_said_and_the_rest_is_found() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let line = |second: u32, said: &str| {
        format!("2026-11-22T06:40:{second}Z web1 door[7]: pam_otp(door:auth): {said}\n")
    };
    let denied = line(47, "outcome=denied reason=wrong_code user=alice").repeat(10_000);
    let log = [
        &line(45, "outcome=granted reason=code user=alice"),
        &line(47, "outcome=denied"),
        &denied,
    ];
    world
        .sandbox
        .write("/var/log/auth.log", log.map(String::as_str).concat(), 0o640);
    let answer = events(&world, &["--since", "2026-11-22T06:00:00Z"]);
    assert_eq!(told(&answer).len(), 10_000);
    assert_eq!(answer["stopped"], true);
    assert_eq!(answer["back_to"], 1_795_329_647);
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("10,000"), "{warning}");
    let arguments = [
        "--since",
        "2026-11-22T06:00:00Z",
        "--until",
        "2026-11-22T06:40:46Z",
    ];
    let earlier = events(&world, &arguments);
    assert_eq!(told(&earlier), all()[..1]);
    assert_eq!(earlier["stopped"], false);
    // As many as were asked for: no more are promised.
    let asked = events(
        &world,
        &["--since", "2026-11-22T06:00:00Z", "--lines", "10000"],
    );
    assert_eq!(asked["stopped"], false);
    let mut words = world.sandbox.command(world.sandbox.pam_otp());
    let words = run(words.args(["events", "--user", "bob"]), "");
    assert!(words.contains("no such line"), "{words}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let Some(world) = World::or_skip() else {
        return;
    };
    let granted = "pam_otp(door:auth): outcome=granted reason=code user=alice";
    let line = format!("2026-11-22T06:40:45Z web1 door[7]: {granted}\n");
    world.sandbox.write("/var/log/auth.log", line, 0o640);
    world
        .sandbox
        .inside(|| std::fs::create_dir("/var/log/auth.log.1").expect("no file"));
    let reads = |log: &str, unread: &[&str]| {
        let answer = events(&world, &[]);
        assert_eq!(
            (&answer["log"], told(&answer)),
            (&json!(log), all()[..1].to_vec())
        );
        let warnings = answer["warnings"].as_array().expect("warnings");
        assert_eq!(warnings.len(), unread.len(), "{answer}");
        for (warning, why) in warnings.iter().zip(unread) {
            let warning = warning.as_str().expect("words");
            assert!(warning.contains("cannot be read"), "{warning}");
            assert!(warning.ends_with(why), "{warning}");
        }
    };
    let file = "/var/log/auth.log.1: not a regular file";
    reads("/var/log/auth.log", &[file]);
    let entry = json!({"__REALTIME_TIMESTAMP": "1795329645123456", "MESSAGE": granted});
    // Bad message, say.
    let script = format!("[ ! -e /run/empty ] && echo '{entry}'\nexit 1");
    if !journalctl(&world, &script) {
        return;
    }
    reads("journal", &["journalctl: exit status: 1"]);
    world.sandbox.write("/run/empty", "", 0o644);
    let journal = "/usr/bin/journalctl: exit status: 1";
    reads("/var/log/auth.log", &[file, journal]);
}

/// Looks until it is so, ten times a second.
#[allow(
    clippy::disallowed_methods,
    reason = "a test waits for other processes"
)]
fn soon(times: u32, mut so: impl FnMut() -> bool) -> bool {
    (0..times).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        so()
    })
}
