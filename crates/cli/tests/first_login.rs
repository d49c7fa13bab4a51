//! What doctor and setup say of logins that would enrol their user.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

use std::process::Stdio;
use std::time::Duration;

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::{Value, json};

#[path = "doctor/world.rs"]
mod world;

use world::{PASSWORD, POLICY, doctor, find};

const STACK: &str = "auth required pam_unix.so\naccount required pam_unix.so";

/// A sandbox where libpam finds the module, with alice, who administers and has no
/// record.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    sandbox.install_module();
    sandbox.add_user("alice", PASSWORD);
    run(
        sandbox.command("usermod").args(["-aG", "sudo", "alice"]),
        "",
    );
    Some(sandbox)
}

/// What setup answers.
fn setup(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut command = sandbox.command(sandbox.pam_otp());
    command.args(["setup", "--json"]).args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    world::schema::check(&answer).unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

#[test]
fn whom_a_first_login_would_enrol_is_not_said_to_be_locked_out() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.pam_service("door", STACK);
    let both = json!(["root", "alice"]);
    for (policy, locked_out) in [
        ("unenrolled = \"deny\"", both),
        ("unenrolled = \"allow\"", json!([])),
        (
            "unenrolled = \"allow\"\nrequire_users = [\"alice\"]",
            json!(["alice"]),
        ),
        (
            "unenrolled = \"enroll\"\nrequire_users = [\"alice\"]",
            json!([]),
        ),
    ] {
        sandbox.write(POLICY, policy, 0o644);
        let answer = setup(&sandbox, &["door"]);
        assert_eq!(answer["locked_out"], locked_out, "{policy}");
    }
}

#[test]
fn whom_a_first_login_could_make_no_record_for_is_said_to_be_locked_out() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    // As sshd wants it of those whom it keeps below their homes.
    run(sandbox.command("chown").args(["root", "/home/alice"]), "");
    run(sandbox.command("chmod").args(["0755", "/home/alice"]), "");
    sandbox.pam_service("door", STACK);
    let asks = "auth requisite pam_unix.so\nauth required {module}";
    sandbox.pam_service("other", asks);
    let enrolls = "unenrolled = \"enroll\"\n";
    let later = format!("{enrolls}enroll_by = \"9999-01-01\"\n");
    let required = format!("{later}require_users = [\"alice\"]\n");
    let about = ["--user", "alice", "--service", "other"];
    let mut mend = String::new();
    for (policy, locked_out, login, severity) in [
        // Who may put it off gets in still.
        (later.as_str(), json!([]), "enrols", "warning"),
        (&required, json!(["alice"]), "refused", "error"),
        (enrolls, json!(["alice"]), "refused", "error"),
    ] {
        sandbox.write(POLICY, policy, 0o644);
        let answer = setup(&sandbox, &["door"]);
        assert_eq!(answer["locked_out"], locked_out, "{policy}");
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        assert_eq!(answer["verdicts"][0]["login"], login, "{answer:#}");
        let found = find(&answer, "unreadable_record");
        assert_eq!(found["severity"], severity, "{policy}");
        found["mend"].as_str().unwrap().clone_into(&mut mend);
    }
    run(sandbox.command("sh").args(["-euc", &mend]), "");
    let answer = setup(&sandbox, &["door"]);
    assert_eq!(answer["locked_out"], json!([]), "{mend}");
    let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
    assert_eq!(answer["verdicts"][0]["login"], "enrols", "{answer:#}");
    // What was made does for the user, and the home is as sshd wants it still.
    let mut enrol = sandbox.command_as("alice", sandbox.pam_otp());
    run(enrol.args(["enroll", "--json"]), "");
    let owner = run(
        sandbox.command("stat").args(["-c", "%U", "/home/alice"]),
        "",
    );
    assert_eq!(owner.trim(), "root");
}

#[test]
fn the_day_until_which_a_login_may_put_it_off_is_that_of_who_is_required() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.pam_service("door", "auth requisite pam_unix.so\nauth required {module}");
    let says = |policy: &str| {
        sandbox.write(POLICY, policy, 0o644);
        let about = ["--user", "alice", "--service", "door"];
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        let verdict = &answer["verdicts"][0];
        assert_eq!(verdict["login"], "enrols", "{answer:#}");
        verdict["message"].as_str().unwrap().to_owned()
    };
    let others = "unenrolled = \"enroll\"\nenroll_by = \"9999-01-01\"\n";
    assert!(says(others).contains("can put it off for"));
    let required = format!("{others}require_users = [\"alice\"]\n");
    assert!(!says(&required).contains("put it off"));
    let later = format!("{required}require_by = \"9999-01-01\"\n");
    assert!(says(&later).contains("can put it off for"));
}

/// The word of what Cockpit would write into the journal.
const LOGGED: &str = "first_login_logged";

/// Where Cockpit's own login asks for a code.
fn cockpit(sandbox: &Sandbox, arguments: &str) {
    let stack = format!("auth requisite pam_unix.so\nauth required {{module}} {arguments}");
    sandbox.pam_service("cockpit", &stack);
}

/// What doctor says of logins by this service.
fn by(sandbox: &Sandbox, service: &str) -> (Value, Option<i32>) {
    let about = ["--service", service];
    doctor(sandbox.command(sandbox.pam_otp()), &about)
}

fn is_logged(answer: &Value) -> bool {
    let findings = answer["findings"].as_array().unwrap();
    findings.iter().any(|finding| finding["code"] == LOGGED)
}

/// Root types what mends it.
fn mend(sandbox: &Sandbox, answer: &Value) {
    let command = find(answer, LOGGED)["mend"].as_str().unwrap().to_owned();
    let mut shell = sandbox.command("sh");
    run(
        shell.args(["-euc", &command]).env("EDITOR", "/run/editor"),
        "",
    );
}

#[test]
fn doctor_finds_first_logins_that_cockpit_would_log_by_what_counts_there() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    // Whoever opens an editor at that line sees what is to be changed.
    let editor = r#"#!/bin/sh
sed -i "${1#+}s/\([\"=]\)enroll/\1deny/" "$2"
"#;
    sandbox.write("/run/editor", editor, 0o755);
    let other = "unenrolled = \"enroll\"\n";
    for (policy, arguments, logged) in [
        ("unenrolled = \"enroll\"\nwindow = 2", "", true),
        (
            "unenrolled = \"enroll\"\n[service.sshd]\nwindow = 2\n",
            "",
            true,
        ),
        (
            "window = 2\n[service.cockpit]\n# Now.\nunenrolled = \"enroll\"\n",
            "",
            true,
        ),
        ("unenrolled = \"allow\"\n", "unenrolled=enroll", true),
        ("", "policy=/etc/security/other.toml", true),
        // Nothing keeps others than those from enrolling there.
        (
            "unenrolled = \"enroll\"\nenroll_by = \"9999-01-01\"\nrequire_users = [\"alice\"]\n\
             exempt_users = [\"root\"]\n",
            "",
            true,
        ),
        ("", "", false),
        ("unenrolled = \"allow\"\n", "", false),
        (
            "unenrolled = \"enroll\"\n[service.cockpit]\nunenrolled = \"allow\"\n",
            "",
            false,
        ),
        ("[service.sshd]\nunenrolled = \"enroll\"\n", "", false),
        ("unenrolled = \"enroll\"\n", "unenrolled=deny", false),
        ("unenrolled = \"enroll\"\n", "nullok", false),
        ("unenrolled = \"enroll\"\n", "use_first_pass", false),
    ] {
        let case = format!("{policy:?} and {arguments:?}");
        sandbox.write(POLICY, policy, 0o644);
        sandbox.write("/etc/security/other.toml", other, 0o644);
        cockpit(&sandbox, arguments);
        let (answer, status) = by(&sandbox, "cockpit");
        assert_eq!(is_logged(&answer), logged, "{case}: {answer:#}");
        if logged {
            let found = find(&answer, LOGGED);
            assert_eq!(found["severity"], "warning", "{case}");
            assert_eq!(found["service"], "cockpit", "{case}");
            assert_eq!(status, Some(1), "{case}");
            mend(&sandbox, &answer);
            let (after, _) = by(&sandbox, "cockpit");
            assert!(!is_logged(&after), "{case}: {after:#}");
            assert_ne!(after["severity"], "error", "{case}: {after:#}");
        }
    }
}

#[test]
fn what_other_applications_show_is_not_found_and_what_cockpit_s_stack_includes_is() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    sandbox.write(POLICY, "unenrolled = \"enroll\"\n", 0o644);
    let stack = "auth requisite pam_unix.so\nauth required {module}";
    sandbox.pam_service("common-auth", stack);
    for service in ["door", "cockpit"] {
        sandbox.pam_service(service, "auth substack common-auth");
    }
    assert!(!is_logged(&by(&sandbox, "door").0));
    for service in ["cockpit", "Cockpit"] {
        assert!(is_logged(&by(&sandbox, service).0));
    }
    // It is found without being asked for by name, too.
    let (all, _) = doctor(sandbox.command(sandbox.pam_otp()), &[]);
    assert_eq!(find(&all, LOGGED)["service"], "cockpit");
}

#[test]
fn setup_warns_of_first_logins_that_cockpit_would_log() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let warns = |answer: &Value| answer["warnings"].to_string().contains("journal");
    let logged = json!(["cockpit"]);
    for service in ["door", "common-auth"] {
        sandbox.pam_service(service, STACK);
    }
    sandbox.pam_service("cockpit", "auth substack common-auth");
    sandbox.write(POLICY, "unenrolled = \"enroll\"\n", 0o644);
    // One that asks has shown it before.
    let mut command = sandbox.command(sandbox.pam_otp());
    command.args(["setup", "cockpit"]);
    let mut asks = Pty::spawn(command);
    let said = asks.expect("[y/N]", Duration::from_secs(30));
    assert!(said.contains("journal"), "{said}");
    asks.send_line("n");
    asks.wait();
    for service in ["cockpit", "common-auth"] {
        let answer = setup(&sandbox, &[service]);
        assert_eq!(answer["logged_first_logins"], logged, "{service}");
        assert!(warns(&answer), "{answer}");
        let warning = answer["warnings"].to_string();
        assert!(warning.contains("[service.cockpit]"), "{warning}");
    }
    let answer = setup(&sandbox, &["door"]);
    assert_eq!(answer["logged_first_logins"], json!([]));
    assert!(!warns(&answer), "{answer}");

    // What is set up already is told of as it is.
    cockpit(&sandbox, "");
    let answer = setup(&sandbox, &["cockpit"]);
    assert_eq!(answer["state"], "already");
    assert_eq!(answer["logged_first_logins"], logged);
    assert!(warns(&answer), "{answer}");
    cockpit(&sandbox, "unenrolled=deny");
    let answer = setup(&sandbox, &["cockpit"]);
    assert_eq!(answer["logged_first_logins"], json!([]));

    let section = "unenrolled = \"enroll\"\n[service.cockpit]\nunenrolled = \"deny\"\n";
    sandbox.write(POLICY, section, 0o644);
    sandbox.pam_service("cockpit", STACK);
    let answer = setup(&sandbox, &["cockpit"]);
    assert_eq!(answer["logged_first_logins"], json!([]));
    assert!(!warns(&answer), "{answer}");
}

/// Another system's directory, e.g. an image that is being made.
const IMAGE: &str = "/run/image";

#[test]
fn below_another_root_setup_goes_by_the_policy_there() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let (enrolls, denies) = ("unenrolled = \"enroll\"\n", "unenrolled = \"deny\"\n");
    let stack = format!("{IMAGE}/etc/pam.d/cockpit");
    let new = "auth requisite pam_unix.so\n";
    let by_other = format!("{new}auth required pam_otp.so policy=/etc/security/other.toml\n");
    // The policies here and there, and whether a login there would enrol its user.
    for (here, there, lines, arguments, logged) in [
        (denies, enrolls, new, &[][..], true),
        (enrolls, denies, new, &[], false),
        (enrolls, "", new, &[], false),
        // What is named is named from here.
        (enrolls, denies, new, &["--policy", POLICY], true),
        (denies, enrolls, new, &["--policy", POLICY], false),
        // Another file, which the line names.
        (denies, enrolls, &by_other, &[], true),
        (enrolls, denies, &by_other, &[], false),
        (enrolls, denies, &by_other, &["--policy", POLICY], false),
    ] {
        let case = format!("{here:?}, {there:?}, {lines:?}, {arguments:?}");
        sandbox.write(&stack, lines, 0o644);
        for name in ["pam_otp.toml", "other.toml"] {
            let file = format!("/etc/security/{name}");
            sandbox.write(&file, here, 0o644);
            let file = format!("{IMAGE}{file}");
            sandbox.write(&file, there, 0o644);
            if there.is_empty() {
                run(sandbox.command("rm").arg(&file), "");
            }
        }
        let mut all = vec!["cockpit", "--root", IMAGE];
        all.extend(arguments);
        let answer = setup(&sandbox, &all);
        let expected = if logged {
            json!(["cockpit"])
        } else {
            json!([])
        };
        assert_eq!(answer["logged_first_logins"], expected, "{case}: {answer}");
        if lines == new {
            // Who enrols there must have typed the right password before.
            let difference = answer["files"][0]["difference"].as_str().unwrap();
            let stays = !difference.contains("-auth requisite pam_unix.so");
            assert_eq!(stays, logged, "{case}: {difference}");
            // And the file that is to be changed is told.
            let file = if arguments.is_empty() {
                format!("of {IMAGE}{POLICY}")
            } else {
                format!("of {POLICY}")
            };
            let warning = answer["warnings"].to_string();
            assert_eq!(warning.contains(&file), logged, "{case}: {warning}");
        }
    }
}
