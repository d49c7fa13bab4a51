//! A panel written in Python, by the JSON interface alone; its logins go through
//! the real libpam.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a helper that fails is a broken test"
)]

use std::path::Path;
use std::process::Command;

use pam_otp_testkit::{artifacts, pam::Stack};

mod common;

use common::Realm;

#[test]
fn a_panel_enrols_logs_in_adds_replaces_and_disables_by_json_alone() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: no python3");
        return;
    }
    let realm = Realm::new("");
    let stack: Stack = realm.stack("");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut panel = Command::new("python3");
    panel
        .arg(root.join("tests/panel.py"))
        .arg(artifacts::command())
        .arg(realm.policy())
        .arg(stack.directory().unwrap())
        .arg(stack.service())
        .arg(root.join("docs/json-schema.json"));
    let output = panel.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n");
}
