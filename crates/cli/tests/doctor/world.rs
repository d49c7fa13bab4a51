//! What doctor says, and a sandbox to say it of.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::process::{Command, Stdio};

use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::Value;

#[path = "../common/schema.rs"]
pub(crate) mod schema;

pub(crate) const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const POLICY: &str = "/etc/security/pam_otp.toml";

/// Its answer, and how it ended.
pub(crate) fn doctor(mut command: Command, arguments: &[&str]) -> (Value, Option<i32>) {
    command.args(["doctor", "--json"]).args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said:?}"));
    schema::check(&answer).unwrap();
    (answer, output.status.code())
}

/// A sandbox with alice, who is enrolled, and a service for her.
pub(crate) fn alice() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    sandbox.add_user("alice", PASSWORD);
    sandbox.pam_service("door", "auth required pam_unix.so\nauth required {module}");
    let mut enrol = sandbox.command(sandbox.pam_otp());
    enrol.args(["import", "-", "--user", "alice"]);
    run(&mut enrol, &format!("otpauth://totp/phone?secret={KEY}"));
    Some(sandbox)
}

/// The finding of this word.
pub(crate) fn find<'a>(answer: &'a Value, code: &str) -> &'a Value {
    let findings = answer["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {answer:#}"))
}
