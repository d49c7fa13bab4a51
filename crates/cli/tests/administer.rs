//! The administrator: all users at once, lost phones, and stores of others.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use pam_otp_testkit::authenticator::{code, now};
use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const OWN_POLICY: &str = "/etc/panel-otp.toml";

/// A sandbox with some people in it; none without root.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    for user in ["alice", "bob", "carol", "dave", "panel"] {
        sandbox.add_user(user, "correct horse");
    }
    Some(sandbox)
}

/// The same with a store of panel's own.
fn with_own_store() -> Option<Sandbox> {
    let sandbox = sandbox()?;
    let policy = "store = \"system\"\nsystem_store = \"/var/lib/panel-otp\"\n";
    sandbox.write(OWN_POLICY, policy, 0o644);
    script(&sandbox, "install -d -m 700 -o panel /var/lib/panel-otp");
    Some(sandbox)
}

fn script(sandbox: &Sandbox, script: &str) {
    run(sandbox.command("sh").args(["-euc", script]), "");
}

fn by_root(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(sandbox.pam_otp());
    command.args(arguments);
    command
}

fn by(user: &str, sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command_as(user, sandbox.pam_otp());
    command.args(arguments);
    command
}

/// Exit status, standard output and standard error.
fn said(mut command: Command, input: &str) -> (Option<i32>, String, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Makes a record; every user has the same key.
fn enrol(sandbox: &Sandbox, user: &str) {
    let uri = format!("otpauth://totp/phone?secret={KEY}");
    run(
        &mut by_root(sandbox, &["import", "-", "--user", user]),
        &uri,
    );
}

/// What the command answers to root, in JSON; right or wrong.
fn answer(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let (_, output, _) = said(by_root(sandbox, arguments), "");
    serde_json::from_str(&output).unwrap()
}

/// What `list` says of each user, by name.
fn list(sandbox: &Sandbox, more: &[&str]) -> Value {
    let all = [&["list", "--json"], more].concat();
    let answer = run(&mut by_root(sandbox, &all), "");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let users = answer["users"].as_array().unwrap();
    let named = users
        .iter()
        .map(|user| (user["name"].as_str().unwrap().to_owned(), user.clone()));
    let mut listed: Value = named.collect::<serde_json::Map<_, _>>().into();
    listed["warnings"] = answer["warnings"].clone();
    listed
}

#[test]
fn the_list_tells_of_each_user_what_stands_in_the_home() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    enrol(&sandbox, "bob");
    run(&mut by("alice", &sandbox, &["verify"]), &code(KEY, now()));
    for _ in 0..3 {
        said(by("alice", &sandbox, &["verify"]), "000000");
    }
    run(&mut by("carol", &sandbox, &["enroll", "--json"]), "");
    script(&sandbox, "echo nonsense > /home/bob/.pam-otp/token.toml");
    let users = list(&sandbox, &[]);
    let alice = &users["alice"];
    assert_eq!(
        [
            &alice["state"],
            &alice["tokens"],
            &alice["recovery_codes_left"]
        ],
        [&json!("on"), &json!(1), &json!(10)]
    );
    let close = |field: &str| alice[field].as_u64().unwrap().abs_diff(now()) < 90;
    assert!(
        close("last_right_code") && close("throttled_until") && close("since"),
        "{alice}"
    );
    assert_eq!(users["bob"]["state"], "broken");
    assert_eq!(users["bob"]["reason"], "bad_token_file");
    let why = users["bob"]["message"].as_str().unwrap();
    assert!(
        why.starts_with("/home/bob/.pam-otp/token.toml: line 1"),
        "{why}"
    );
    assert_eq!(users["carol"]["state"], "pending");
    assert_eq!(users.get("dave"), None);
    assert_eq!(list(&sandbox, &["--all"])["dave"]["state"], "off");
    let words = run(&mut by_root(&sandbox, &["list"]), "");
    let lines: Vec<&str> = words.lines().collect();
    assert!(
        lines[0].starts_with("USER   STATE    SINCE       TOKENS  "),
        "{words}"
    );
    let alice: Vec<&str> = lines[1].split_whitespace().collect();
    // The day is the clock's own.
    assert_eq!(alice[2].len(), "2026-11-22".len(), "{words}");
    assert_eq!(
        [alice[0], alice[1], alice[3], alice[4]],
        ["alice", "on", "1", "10"],
        "{words}"
    );
    assert_eq!(lines.len(), 4, "{words}");
}

#[test]
fn what_users_put_in_place_of_a_record_is_not_followed_and_stops_nothing() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "dave");
    script(
        &sandbox,
        "ln -s /home/dave/.pam-otp /home/alice/.pam-otp
         chown -h alice: /home/alice/.pam-otp
         install -d -m 700 -o bob /home/bob/.pam-otp
         mkfifo -m 600 /home/bob/.pam-otp/token.toml; chown bob: /home/bob/.pam-otp/token.toml
         install -d -m 777 -o carol /home/carol/.pam-otp
         install -d -m 700 -o panel /home/panel/.pam-otp
         chmod 777 /home/panel",
    );
    let users = list(&sandbox, &[]);
    for user in ["alice", "bob", "carol", "panel"] {
        assert_eq!(users[user]["state"], "broken", "{user}: {users}");
        assert_eq!(users[user]["reason"], "insecure_record", "{user}: {users}");
    }
    assert_eq!(users["dave"]["state"], "on");
}

#[test]
fn accounts_of_the_system_s_own_are_told_from_people_by_login_defs() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    script(&sandbox, "useradd --uid 777 robot");
    let told = |first: u32| {
        let by_id = format!("sed -i 's/^UID_MIN.*/UID_MIN {first}/' /etc/login.defs");
        script(&sandbox, &by_id);
        let users = list(&sandbox, &["--all"]);
        ["root", "robot", "alice", "nobody"]
            .map(|user| users[user]["system_account"].as_bool().unwrap())
    };
    assert_eq!(told(1000), [false, true, false, true]);
    assert_eq!(told(500), [false, false, false, true]);
    assert_eq!(told(50_000), [false, true, true, true]);
}

#[test]
fn nobody_keeps_the_list_of_all_waiting_by_holding_a_record_of_their_own() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    // The same two locks that a login takes.
    let hold = "exec 8<.pam-otp 9<.pam-otp/state; flock 8; flock 9; echo held; cat";
    let mut holder = sandbox.command_as("alice", "sh");
    let mut holder = holder
        .args(["-euc", &format!("cd /home/alice; {hold}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = holder.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    assert_eq!(line, "held\n");
    // Who waits for a lock gives up in the end, and says so.
    let alice = list(&sandbox, &[])["alice"].clone();
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(alice["state"], "on", "{alice}");
}

/// As strangers leave it who come as far as the first login and no farther.
#[test]
fn what_a_login_has_confirmed_and_not_made_effective_is_not_listed_as_begun() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    run(&mut by("carol", &sandbox, &["enroll", "--json"]), "");
    let confirmed = format!(
        "\n[confirmed]\nticket = \"{}\"\nnext = 1\ndrift = 0\n\n[confirmed.recovery]\n\
         salt = \"{}\"\nhashes = []\n",
        "0".repeat(64),
        "0".repeat(32)
    );
    let pending = "/home/carol/.pam-otp/pending.toml";
    let mut cat = sandbox.command("cat");
    let begun = run(cat.arg(pending), "");
    script(
        &sandbox,
        &format!("cat > {pending} <<'EOF'\n{begun}{confirmed}EOF"),
    );
    let carol = &list(&sandbox, &["--all"])["carol"];
    assert_eq!(
        [&carol["state"], &carol["pending"]],
        [&json!("off"), &json!(false)],
        "{carol}"
    );
}

#[test]
fn a_home_that_is_no_place_for_a_record_is_off_unless_there_is_one() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "bob");
    script(
        &sandbox,
        "rm -r /home/alice; chmod g+w,o+w /home/bob /home/carol",
    );
    let users = list(&sandbox, &["--all"]);
    assert_eq!(users["alice"]["state"], "off", "{users}");
    assert_eq!(users["alice"]["message"], Value::Null);
    assert_eq!(users["carol"]["state"], "off");
    assert_eq!(users["bob"]["state"], "broken");
    assert_eq!(users["bob"]["reason"], "insecure_record");

    // Looked at alone, each of them is told what stands in the way.
    let told = "logins that need a code are refused as things are: /home/carol: mode ";
    for (command, user) in [("list", "carol"), ("status", "carol"), ("list", "bob")] {
        let (status, words, errors) = said(by_root(&sandbox, &[command, "--user", user]), "");
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(words.contains("off"), user == "carol", "{words}");
        assert_eq!(errors.contains(told), user == "carol", "{errors}");
    }
    let (status, words, _) = said(
        by_root(&sandbox, &["status", "--user", "carol", "--json"]),
        "",
    );
    let answer: Value = serde_json::from_str(&words).unwrap();
    assert_eq!(
        (status, &answer["enrolled"]),
        (Some(0), &Value::Bool(false))
    );
    assert!(words.contains("(chmod go-w /home/carol)"), "{words}");
    let (status, _, _) = said(by_root(&sandbox, &["status", "--user", "bob"]), "");
    assert_eq!(status, Some(3));
}

#[test]
fn another_program_s_file_is_listed_as_status_tells_of_it() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    script(
        &sandbox,
        &format!(
            "for user in alice bob carol dave; do
                 file=/home/$user/.google_authenticator
                 printf '{KEY}\n\" TOTP_AUTH\n12345678\n87654321\n' > $file
                 chown $user: $file; chmod 400 $file
             done
             chmod 777 /home/bob; chmod 644 /home/carol/.google_authenticator
             echo nonsense > /home/dave/.google_authenticator"
        ),
    );
    let (_, _, errors) = said(by_root(&sandbox, &["status", "--user", "alice"]), "");
    assert_eq!(errors, "");
    let line = "echo '\" TOPT_AUTH' >> /home/alice/.google_authenticator";
    script(&sandbox, line);
    let (status, words, errors) = said(by_root(&sandbox, &["status", "--user", "alice"]), "");
    assert!(words.contains("two-factor login: on\n"), "{words}");
    let told = "pam-otp: warning: /home/alice/.google_authenticator: line 5: the option TOPT_AUTH \
                is not known\n";
    assert_eq!((status, &*errors), (Some(0), told));

    let users = list(&sandbox, &[]);
    assert_eq!(users["alice"]["state"], "on", "{users}");
    assert_eq!(users["alice"]["recovery_codes_left"], 2);
    assert_eq!(users["alice"]["since"], Value::Null);
    for (user, reason) in [
        ("bob", "insecure_record"),
        ("carol", "insecure_record"),
        ("dave", "bad_token_file"),
    ] {
        assert_eq!(users[user]["state"], "broken", "{user}: {users}");
        assert_eq!(users[user]["reason"], reason, "{user}: {users}");
        assert!(users[user]["message"].is_string());
        let (status, _, errors) = said(by(user, &sandbox, &["status"]), "");
        assert_eq!(status, Some(3), "{user}: {errors}");
    }
}

#[test]
fn one_user_is_listed_alone_and_whether_on_or_off() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    for store in ["", "store = \"system\"\n"] {
        sandbox.write("/etc/security/pam_otp.toml", store, 0o644);
        script(&sandbox, "install -d -m 700 -o root /var/lib/pam-otp");
        if !store.is_empty() {
            enrol(&sandbox, "alice");
        }
        for (user, state) in [("alice", "on"), ("bob", "off")] {
            let users = list(&sandbox, &["--user", user]);
            assert_eq!(users[user]["state"], state, "{users}");
            // The warnings are the other one.
            assert_eq!(users.as_object().unwrap().len(), 2, "{users}");
            let words = run(&mut by_root(&sandbox, &["list", "--user", user]), "");
            assert_eq!(words.lines().count(), 2, "{words}");
        }
    }
}

#[test]
fn of_the_system_store_everybody_with_a_directory_is_listed() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.write("/etc/security/pam_otp.toml", "store = \"system\"\n", 0o644);
    script(&sandbox, "install -d -m 700 -o root /var/lib/pam-otp");
    let (status, words, _) = said(by_root(&sandbox, &["list"]), "");
    assert_eq!(
        (status, &*words),
        (Some(0), "Nobody has two-factor login.\n")
    );
    enrol(&sandbox, "alice");
    enrol(&sandbox, "box@example.org");
    script(
        &sandbox,
        "cd /var/lib/pam-otp; touch file; mkdir -m 700 alice.broken.0",
    );
    let users = list(&sandbox, &[]);
    assert_eq!(users["alice"]["state"], "on");
    assert_eq!(users["box@example.org"]["state"], "on");
    assert_eq!(users["file"]["state"], "broken");
    assert_eq!(users.get("alice.broken.0"), None);
    assert_eq!(
        users["warnings"],
        json!(["/var/lib/pam-otp/alice.broken.0: a record that was set aside"])
    );
}

#[test]
fn a_reset_removes_whatever_there_is_and_says_what_comes_next() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    run(&mut by("bob", &sandbox, &["enroll", "--json"]), "");
    script(&sandbox, "ln -s /etc /home/carol/.pam-otp");
    enrol(&sandbox, "dave");
    script(&sandbox, "echo nonsense > /home/dave/.pam-otp/state");
    let reset = |user: &str| said(by_root(&sandbox, &["reset", "--user", user]), "");
    for user in ["alice", "bob", "carol", "dave"] {
        let (status, words, errors) = reset(user);
        assert_eq!(status, Some(0), "{user}: {errors}");
        let next = format!("pam-otp enroll --user {user}\n");
        assert!(words.ends_with(&next), "{words}");
        sandbox.syslog().wait_for(
            |line| line.contains(&format!("action=reset user={user} by=root")),
            SOON,
        );
        script(&sandbox, &format!("test ! -e /home/{user}/.pam-otp"));
    }
    let (status, _, errors) = reset("alice");
    assert_eq!(status, Some(1), "{errors}");
    sandbox.write(
        "/etc/security/pam_otp.toml",
        "unenrolled = \"allow\"\n",
        0o644,
    );
    enrol(&sandbox, "alice");
    let (_, words, _) = reset("alice");
    assert!(words.contains("logins ask alice for no code"), "{words}");
}

#[test]
fn what_is_said_of_logins_without_a_record_is_what_doctor_says() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let stack = "auth required pam_unix.so\nauth required {module}\nauth required pam_permit.so";
    sandbox.pam_service("door", stack);
    sandbox.pam_service("gate", stack);
    let later = "unenrolled = \"enroll\"\nenroll_by = \"9999-12-31\"";
    // Policy, what door and gate do with a dave who has no record, and what is said.
    for (policy, logins, opens, says) in [
        ("", ["refused", "refused"], false, "are refused"),
        (
            "[service.gate]\nunenrolled = \"allow\"",
            ["refused", "no_code"],
            true,
            "By gate, logins ask dave for no code.",
        ),
        (
            "unenrolled = \"allow\"\n[service.gate]\nunenrolled = \"deny\"",
            ["no_code", "refused"],
            true,
            "By gate, logins that ask for a code are refused.",
        ),
        (later, ["enrols", "enrols"], true, "can put it off for "),
        (
            "unenrolled = \"enroll\"\nenroll_by = \"2020-01-01\"",
            ["enrols", "enrols"],
            false,
            "the next login that asks for a code enrols dave anew",
        ),
        (
            &format!("{later}\nrequire_users = [\"dave\"]"),
            ["enrols", "enrols"],
            false,
            "the next login that asks for a code enrols dave anew",
        ),
        (
            "exempt_users = [\"dave\"]",
            ["no_code", "no_code"],
            true,
            "logins ask dave for no code",
        ),
        (
            "unenrolled = \"allow\"\nrequire_users = [\"dave\"]",
            ["refused", "refused"],
            false,
            "are refused",
        ),
    ] {
        sandbox.write("/etc/security/pam_otp.toml", format!("{policy}\n"), 0o644);
        for command in ["reset", "disable"] {
            enrol(&sandbox, "dave");
            let answer = answer(&sandbox, &[command, "--user", "dave", "--json"]);
            assert_eq!(answer["logins_without_code"], opens, "{command}: {policy}");
        }
        let mut put_off = false;
        for (service, login) in ["door", "gate"].into_iter().zip(logins) {
            let doctor = ["doctor", "--user", "dave", "--service", service, "--json"];
            let verdict = &answer(&sandbox, &doctor)["verdicts"][0];
            assert_eq!(verdict["login"], login, "{service}: {policy}");
            put_off |= verdict["message"].as_str().unwrap().contains("put it off");
        }
        assert_eq!(put_off || logins.contains(&"no_code"), opens, "{policy}");
        enrol(&sandbox, "dave");
        let (_, words, _) = said(by_root(&sandbox, &["reset", "--user", "dave"]), "");
        assert!(words.contains(says), "{policy}: {words}");
    }
}

#[test]
fn of_logins_without_a_record_those_count_that_would_go_by_it() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let gate = "[service.gate]\nunenrolled = \"allow\"\n";
    // Its records lie elsewhere, and stay.
    let vault = "[service.vault]\nunenrolled = \"allow\"\nstore = \"system\"\n";
    for (policy, named, opens) in [
        (gate, &[][..], true),
        (gate, &["--service", "gate"], true),
        (gate, &["--service", "door"], false),
        (vault, &[], false),
    ] {
        sandbox.write("/etc/security/pam_otp.toml", policy, 0o644);
        for command in ["reset", "disable"] {
            enrol(&sandbox, "dave");
            let words = [&[command, "--user", "dave", "--json"], named].concat();
            let told = &answer(&sandbox, &words)["logins_without_code"];
            assert_eq!(*told, opens, "{words:?}: {policy}");
        }
    }
}

#[test]
fn who_is_unlocked_waits_no_more() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    let verify = |code: &str| said(by("alice", &sandbox, &["verify"]), code).2;
    for _ in 0..3 {
        verify("000000");
    }
    let right = code(KEY, now());
    assert!(verify(&right).contains("too many wrong codes"));
    let words = run(&mut by_root(&sandbox, &["unlock", "--user", "alice"]), "");
    assert!(
        words.starts_with("Nobody waits any more for alice; "),
        "{words}"
    );
    assert_eq!(verify(&right), "");
    assert_eq!(
        verify(&right).lines().next().unwrap(),
        "pam-otp: error: the code was used before"
    );
    sandbox.syslog().wait_for(
        |line| line.contains("action=unlock user=alice by=root"),
        SOON,
    );
}

#[test]
fn what_is_for_root_is_refused_to_others() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    for command in [
        &["list"][..],
        &["reset"],
        &["unlock"],
        &["reset", "--user", "alice"],
        &["unlock", "--user", "alice"],
        &["import", "-", "--from", "oath"],
    ] {
        let (status, words, errors) = said(by("alice", &sandbox, command), "HOTP alice - 00\n");
        assert_eq!((status, &*words), (Some(1), ""), "{command:?}");
        let error = format!("pam-otp: error: pam-otp {} is for root only\n", command[0]);
        assert!(errors.starts_with(&error), "{errors}");
        let user = if matches!(command[0], "reset" | "unlock") {
            " --user alice"
        } else {
            ""
        };
        let hint = format!("as root: pam-otp {}{user}\n", command[0]);
        assert!(errors.ends_with(&hint), "{errors}");
    }
    for command in ["list", "recovery", "export", "reset", "unlock"] {
        let command = [command, "--user", "bob"];
        let (status, _, errors) = said(by("alice", &sandbox, &command), "");
        assert_eq!(status, Some(1));
        assert!(
            errors.contains("only root may act for another user"),
            "{errors}"
        );
    }
    // Root must say whom.
    for command in ["reset", "unlock"] {
        let (status, _, errors) = said(by_root(&sandbox, &[command]), "");
        assert_eq!(status, Some(2));
        assert!(errors.contains("needs --user NAME"), "{errors}");
    }
}

#[test]
fn each_change_leaves_its_line_in_the_log() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    enrol(&sandbox, "alice");
    let users = format!("HOTP/T30 bob - {0}\nHOTP carol - {0}\n", "31".repeat(20));
    run(&mut by_root(&sandbox, &["import", "-"]), &users);
    let words = run(&mut by_root(&sandbox, &["recovery", "--user", "alice"]), "");
    let codes: Vec<&str> = words.lines().filter(|line| line.len() == 19).collect();
    let commands = [&["rename", "phone", "old"][..], &["export"], &["recovery"]];
    for (command, code) in commands.iter().zip(&codes) {
        run(&mut by("alice", &sandbox, command), code);
    }
    for words in [
        "action=import user=alice by=root",
        "action=import user=bob by=root",
        "action=import user=carol by=root",
        "action=recovery user=alice by=root",
        "action=rename user=alice by=alice",
        "action=export user=alice by=alice",
        "action=recovery user=alice by=alice",
    ] {
        sandbox.syslog().wait_for(|line| line.contains(words), SOON);
    }
    let lines = sandbox.syslog().lines();
    let ours = lines.iter().filter(|line| line.starts_with("pam-otp["));
    assert_eq!(ours.count(), 7, "{lines:#?}");
}

#[test]
fn the_owner_of_a_system_store_is_its_administrator() {
    let Some(sandbox) = with_own_store() else {
        return;
    };
    let panel = |arguments: &[&str], input: &str| {
        let all = [arguments, &["--policy", OWN_POLICY]].concat();
        said(by("panel", &sandbox, &all), input)
    };
    let uri = format!("otpauth://totp/phone?secret={KEY}");
    for user in ["box@example.org", "root"] {
        let (status, _, errors) = panel(&["import", "-", "--user", user], &uri);
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(panel(&["show", "--user", user], "").0, Some(0));
        assert_eq!(panel(&["unlock", "--user", user], "").0, Some(0));
    }
    let (_, words, _) = panel(&["list"], "");
    assert_eq!(words.lines().count(), 3, "{words}");
    let (status, _, errors) = panel(&["reset", "--user", "root"], "");
    assert_eq!(status, Some(0), "{errors}");
    // Nobody else is, and is not told to take it; panel is nothing in another store.
    let (status, _, errors) = said(
        by("alice", &sandbox, &["status", "--policy", OWN_POLICY]),
        "",
    );
    assert_eq!(status, Some(3), "{errors}");
    assert!(!errors.contains("chown"), "{errors}");
    assert!(errors.contains("ask the administrator"), "{errors}");
    let others = ["list", "--policy", OWN_POLICY];
    assert_eq!(said(by("alice", &sandbox, &others), "").0, Some(1));
    let (_, _, errors) = said(by("panel", &sandbox, &["list", "--user", "alice"]), "");
    assert!(
        errors.contains("only root may act for another user"),
        "{errors}"
    );
    script(
        &sandbox,
        "test -z \"$(find /var/lib/panel-otp ! -user panel)\"",
    );
}

#[test]
fn root_keeps_out_of_such_a_store_and_is_told_how_it_goes() {
    let Some(sandbox) = with_own_store() else {
        return;
    };
    for command in ["status", "enroll", "reset"] {
        let all = [command, "--user", "alice", "--policy", OWN_POLICY];
        let (status, _, errors) = said(by_root(&sandbox, &all), "");
        assert_eq!(status, Some(3));
        let expected = format!(
            "pam-otp: error: /var/lib/panel-otp: the store of user panel, which root keeps out of\n\
             pam-otp: hint: runuser -u panel -- pam-otp --policy {OWN_POLICY} {command} --user alice\n"
        );
        assert_eq!(errors, expected);
    }
    // Root's own must be root's again.
    sandbox.write("/etc/security/pam_otp.toml", "store = \"system\"\n", 0o644);
    script(&sandbox, "install -d -m 700 -o alice /var/lib/pam-otp");
    let (_, _, errors) = said(by_root(&sandbox, &["status"]), "");
    assert!(
        errors.ends_with("pam-otp: hint: chown 0 /var/lib/pam-otp\n"),
        "{errors}"
    );
}
