//! What doctor and setup say of logins that would enrol their user.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

use std::process::Stdio;

use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::{Value, json};

#[path = "doctor/world.rs"]
mod world;

use world::{PASSWORD, POLICY, doctor};

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
