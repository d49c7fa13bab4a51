//! What doctor says of logins, to whom, and what it does not do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

use std::path::Path;
use std::process::Stdio;

use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::{Sandbox, run};
use pam_otp_testkit::sshd::{Sshd, new_identity};
use serde_json::Value;
use std::time::Duration;

#[path = "doctor/world.rs"]
mod world;

use world::{KEY, PASSWORD, POLICY, alice, doctor, find};

#[test]
fn for_one_s_own_account_no_root_is_needed_and_what_it_cannot_see_is_said() {
    let Some(sandbox) = alice() else {
        return;
    };
    let by =
        |arguments: &[&str]| doctor(sandbox.command_as("alice", sandbox.pam_otp()), arguments).0;
    let answer = by(&["--service", "door"]);
    assert_eq!(answer["user"], "alice");
    assert_eq!(answer["verdicts"][0]["login"], "password_and_code");
    assert_eq!(find(&answer, "record")["severity"], "ok");
    sandbox.write(POLICY, "store = \"system\"\n", 0o644);
    let answer = by(&["--service", "door"]);
    let unseen = find(&answer, "record_unseen");
    assert_eq!(unseen["mend"], "sudo pam-otp doctor --user alice");
    assert_eq!(answer["verdicts"][0]["login"], "unknown");
    sandbox.write(POLICY, "", 0o600);
    let answer = by(&["--service", "door"]);
    assert_eq!(find(&answer, "policy_unseen")["severity"], "warning");
    let mut other = sandbox.command_as("alice", sandbox.pam_otp());
    let output = other.args(["doctor", "--user", "root"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn without_a_service_it_is_about_all_that_name_the_module_and_root_asks_about_the_machine() {
    let Some(sandbox) = alice() else {
        return;
    };
    sandbox.pam_service(
        "common-auth",
        "auth required pam_unix.so\nauth required {module}",
    );
    sandbox.pam_service("gate", "@include common-auth");
    sandbox.pam_service("su", "auth required pam_unix.so\nauth required {module}");
    sandbox.pam_service("su-l", "auth required pam_unix.so");
    sandbox.pam_service(
        "open",
        "auth required pam_permit.so\n# auth required {module}",
    );
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &[]);
    let verdicts = answer["verdicts"].as_array().unwrap();
    let services: Vec<_> = verdicts
        .iter()
        .map(|it| it["service"].as_str().unwrap())
        .collect();
    assert!(
        ["door", "gate", "su"]
            .iter()
            .all(|it| services.contains(it)),
        "{services:?}"
    );
    assert!(
        !["open", "su-l", "common-auth"]
            .iter()
            .any(|it| services.contains(it))
    );
    assert!(verdicts.iter().all(|it| it["user"].is_null()));
    assert_eq!(answer["user"], "root");
    let twin = find(&answer, "twin_without");
    assert_eq!(
        (&twin["service"], &twin["severity"]),
        (&"su".into(), &"warning".into())
    );
    let (answer, _) = doctor(
        sandbox.command(sandbox.pam_otp()),
        &["--service", "nonsuch"],
    );
    assert_eq!(find(&answer, "no_service")["severity"], "warning");
}

#[test]
fn where_no_service_names_the_module_it_says_so() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &[]);
    // Without the module setup refuses.
    let install = find(&answer, "no_services")["mend"].as_str().unwrap();
    assert!(!install.contains("setup"), "{install}");
    assert!(
        install.contains("install") || install.contains("rpm"),
        "{install}"
    );
    sandbox.install_module();
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &[]);
    let note = find(&answer, "no_services");
    assert_eq!(note["mend"], "pam-otp setup sshd --try 5m --reload");
    assert_eq!(answer["verdicts"], Value::Array(Vec::new()));
}

#[test]
fn who_has_guessed_waits_and_doctor_says_how_long() {
    let Some(sandbox) = alice() else {
        return;
    };
    for _ in 0..3 {
        let mut verify = sandbox.command_as("alice", sandbox.pam_otp());
        let mut verify = verify
            .arg("verify")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut verify.stdin.take().unwrap(), b"000000\n").unwrap();
        verify.wait().unwrap();
    }
    let about = ["--user", "alice", "--service", "door"];
    let (answer, status) = doctor(sandbox.command(sandbox.pam_otp()), &about);
    let throttled = find(&answer, "throttled");
    assert_eq!(throttled["mend"], "pam-otp unlock --user alice");
    assert_eq!((&answer["severity"], status), (&"warning".into(), Some(1)));
    run(
        sandbox
            .command(sandbox.pam_otp())
            .args(["unlock", "--user", "alice"]),
        "",
    );
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
    assert_ne!(find(&answer, "record")["severity"], "error");
    assert!(!answer.to_string().contains("throttled"));
}

#[test]
fn a_token_that_was_used_in_the_future_is_found() {
    let Some(sandbox) = alice() else {
        return;
    };
    // The same seconds, as if the clock had been set back by a year since.
    let ahead = now() + 365 * 86_400;
    let mut verify = sandbox.command("faketime");
    verify
        .args(["-f", "+365d"])
        .arg(sandbox.pam_otp())
        .args(["verify", "--user", "alice"]);
    run(&mut verify, &code(KEY, ahead));
    let about = ["--user", "alice", "--service", "door"];
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
    let found = find(&answer, "clock_was_ahead");
    let mend = "pam-otp enroll --replace phone --user alice";
    assert_eq!(
        (&found["severity"], &found["mend"]),
        (&"error".into(), &mend.into())
    );
}

#[test]
fn the_kernel_s_word_on_the_clock_is_a_note_where_nobody_is_found_who_sets_it() {
    const BUSYBOX: &str = "/usr/bin/busybox";
    let Some(sandbox) = alice() else {
        return;
    };
    if !Path::new(BUSYBOX).exists() {
        eprintln!("skipped: busybox is not installed");
        return;
    }
    let shell = |script: &str| run(sandbox.command("sh").args(["-euc", script]), "");
    sandbox.write("/run/silent", "#!/bin/sh\n", 0o755);
    for other in [
        "/usr/bin/timedatectl",
        "/usr/sbin/adjtimex",
        "/usr/sbin/ntptime",
    ] {
        shell(&format!(
            "[ ! -e {other} ] || mount --bind /run/silent {other}"
        ));
    }
    for (error, code, severity, synchronised) in [
        (16_000_000, "clock_unkept", "note", false),
        (33_500, "synchronised", "ok", true),
    ] {
        let printed = format!("#!/bin/sh\necho maxerror: {error}\necho esterror: {error}\n");
        sandbox.write("/run/kernel", &printed, 0o755);
        shell(&format!("mount --bind /run/kernel {BUSYBOX}"));
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &["--service", "door"]);
        assert_eq!(find(&answer, code)["severity"], severity, "{answer:#}");
        let mut status = sandbox.command_as("alice", sandbox.pam_otp());
        let status = run(status.args(["status", "--json"]), "");
        let status: Value = serde_json::from_str(&status).unwrap();
        let clock = &status["clock"];
        assert_eq!(clock["synchronised"], synchronised, "{clock}");
        assert_eq!(clock["maximum_error"], error, "{clock}");
    }
}

/// Calls that change files, or keep others from them.
const CHANGES: [&str; 36] = [
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "truncate",
    "ftruncate",
    "fallocate",
    "utimensat",
    "utime",
    "utimes",
    "setxattr",
    "fsetxattr",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "flock",
    "mount",
];

/// One call of a trace: its name, and all of it.
fn call(line: &str) -> Option<(&str, &str)> {
    let text = line.trim_start().split_once(' ')?.1.trim_start();
    let (name, _) = text.split_once('(')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_name).then_some((name, text))
}

#[test]
fn it_changes_nothing_and_locks_nothing() {
    let Some(sandbox) = alice() else {
        return;
    };
    let program = sandbox.pam_otp();
    let trace = "/home/alice/trace";
    for (mut strace, who) in [
        (sandbox.command("strace"), vec!["--user", "alice"]),
        (sandbox.command_as("alice", "strace"), vec![]),
    ] {
        // With all that it starts.
        strace.args(["-f", "-s", "200", "-o", trace]).arg(&program);
        let doctor = strace.args(["doctor", "--service", "door"]).args(who);
        let said = doctor.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(
            said.contains("would be asked for a password and a code"),
            "{said}"
        );
        let text = String::from_utf8(sandbox.read(trace)).unwrap();
        let calls: Vec<_> = text.lines().filter_map(call).collect();
        assert!(calls.iter().any(|call| call.1.contains("\"token.toml\"")));
        for (name, text) in calls {
            assert!(!CHANGES.contains(&name), "{text}");
            assert!(!text.contains("F_SETLK"), "{text}");
            if ["write", "writev"].contains(&name) {
                let to = |number| text.starts_with(&format!("{name}({number},"));
                assert!(to(1) || to(2), "{text}");
            }
            if name.starts_with("open") || name == "creat" {
                let flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
                let looks = !flags.iter().any(|flag| text.contains(flag));
                // Whether a login may write there is seen by opening it so.
                let state = text.contains("\"state\", O_RDWR|O_");
                let null = text.contains("\"/dev/null\"");
                assert!(looks || state || null, "{text}");
            }
        }
        run(sandbox.command("rm").arg(trace), "");
    }
}

const SOON: Duration = Duration::from_secs(20);

/// Starts a server with these settings, and lets doctor see the same.
fn serve<'a>(sandbox: &'a Sandbox, settings: &str) -> Sshd<'a> {
    let server = Sshd::start(sandbox, "sshd", settings);
    let own = sandbox.own().join("sshd.conf");
    run(
        sandbox.command("cp").arg(own).arg("/etc/ssh/sshd_config"),
        "",
    );
    server
}

fn enters(mut ssh: Pty, answers: &[(&str, &str)]) -> bool {
    for (question, answer) in answers {
        ssh.expect(question, SOON);
        ssh.send_line(answer);
    }
    ssh.wait().success()
}

#[test]
fn what_it_says_of_sshd_is_what_sshd_does() {
    let Some(sandbox) = alice() else {
        return;
    };
    let stack = "auth required pam_unix.so\nauth required {module}\naccount required pam_permit.so\n\
                 session required pam_permit.so";
    sandbox.pam_service("sshd", stack);
    let key = new_identity(&sandbox, "alice");
    let say = || {
        let about = ["--user", "alice", "--service", "sshd"];
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        let verdict = answer["verdicts"][0].clone();
        (
            answer,
            verdict["login"].as_str().unwrap().to_owned(),
            verdict["message"].to_string(),
        )
    };
    let password = "'s password: ";
    {
        let server = serve(&sandbox, "AuthenticationMethods keyboard-interactive");
        let (answer, login, _) = say();
        assert_eq!(login, "password_and_code");
        assert_eq!(find(&answer, "sshd")["severity"], "ok");
        let code = code(KEY, now());
        let answers = [("Password: ", PASSWORD), ("One-time code: ", &code)];
        assert!(enters(server.ssh("alice"), &answers));
        assert!(!enters(
            server
                .client("alice")
                .methods("publickey")
                .identity(&key)
                .spawn(),
            &[]
        ));
    }
    {
        let settings = "KbdInteractiveAuthentication no\nPasswordAuthentication yes\n";
        let server = serve(&sandbox, settings);
        let (answer, login, message) = say();
        assert_eq!(login, "refused");
        assert_eq!(find(&answer, "sshd_cannot_ask")["severity"], "error");
        assert_eq!(find(&answer, "sshd_key_alone")["severity"], "warning");
        // What it gives as mending it does; sshd is told by nobody here.
        let mend = find(&answer, "sshd_cannot_ask")["mend"].as_str().unwrap();
        let (write, reload) = mend.split_once(" && ").unwrap();
        assert!(
            reload.starts_with("sshd -t && systemctl reload ssh"),
            "{reload}"
        );
        run(sandbox.command("sh").args(["-euc", write]), "");
        let (mended, ..) = say();
        assert!(
            !mended.to_string().contains("sshd_cannot_ask"),
            "{mended:#}"
        );
        assert!(
            message.contains("a key alone gets in without a code"),
            "{message}"
        );
        let client = server.client("alice").methods("password").spawn();
        assert!(!enters(client, &[(password, PASSWORD)]));
        let client = server.client("alice").methods("publickey").identity(&key);
        assert!(enters(client.spawn(), &[]));
    }
    {
        let settings = "UsePAM no\nPasswordAuthentication yes\n";
        let server = serve(&sandbox, settings);
        let (answer, login, _) = say();
        assert_eq!(login, "no_code");
        assert_eq!(find(&answer, "sshd_without_pam")["severity"], "error");
        let client = server.client("alice").methods("password").spawn();
        assert!(enters(client, &[(password, PASSWORD)]));
    }
    sandbox.write("/etc/ssh/sshd_config", "UsePAM perhaps\n", 0o600);
    let (answer, _, _) = say();
    assert_eq!(find(&answer, "bad_sshd_configuration")["severity"], "error");
    let (answer, _) = doctor(
        sandbox.command_as("alice", sandbox.pam_otp()),
        &["--service", "sshd"],
    );
    assert_eq!(find(&answer, "sshd_unseen")["severity"], "note");
}
