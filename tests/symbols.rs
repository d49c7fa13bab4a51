//! What the built module gives to a host and takes from it.

#![allow(clippy::panic, reason = "a helper that fails is a broken test")]

use std::collections::BTreeSet;
use std::process::Command;

use pam_otp_testkit::artifacts;

/// The six entry points of pam(8), and nothing that could stand in the way of
/// a host's own symbols.
const ENTRY_POINTS: [&str; 6] = [
    "pam_sm_acct_mgmt",
    "pam_sm_authenticate",
    "pam_sm_chauthtok",
    "pam_sm_close_session",
    "pam_sm_open_session",
    "pam_sm_setcred",
];

/// Whatever else a module needs, a host has to have, and an attacker may
/// replace. The dynamic loader itself is no library.
const LIBRARIES: &[&str] = if cfg!(debug_assertions) {
    // Without link-time optimisation, some linkers find the unwinder there first.
    &["libpam.so.0", "libc.so.6", "libgcc_s.so.1"]
} else {
    &["libpam.so.0", "libc.so.6"]
};

#[test]
fn the_module_exports_the_six_entry_points_and_nothing_else() {
    let listing = output("nm", &["-D", "--defined-only", "--format=posix"]);
    let exported: BTreeSet<_> = listing
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(|symbol| symbol.split('@').next().unwrap_or(symbol))
        .collect();
    assert_eq!(exported, BTreeSet::from(ENTRY_POINTS));
}

#[test]
fn the_module_needs_libpam_and_the_c_library_only() {
    let needed = dynamic("NEEDED");
    assert!(needed.contains(&"libpam.so.0".to_owned()), "{needed:?}");
    for library in &needed {
        let loader = library.starts_with("ld-linux") || library.starts_with("ld64");
        assert!(
            loader || LIBRARIES.contains(&library.as_str()),
            "{library}: {needed:?}"
        );
    }
}

#[test]
fn the_module_names_no_place_to_look_for_libraries() {
    for tag in ["RPATH", "RUNPATH"] {
        assert_eq!(dynamic(tag), [""; 0]);
    }
}

/// The values of one tag of the dynamic section.
fn dynamic(tag: &str) -> Vec<String> {
    let listing = output("objdump", &["-p"]);
    assert!(listing.contains("Dynamic Section"), "{listing}");
    listing
        .lines()
        .filter_map(|line| line.trim().strip_prefix(tag))
        .map(|value| value.trim().to_owned())
        .collect()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(artifacts::module());
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program} (package binutils): {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
