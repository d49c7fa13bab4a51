//! What is tested: the built module and command.
//!
//! Cargo builds neither a cdylib nor the programs of other packages for an
//! integration test, so they are built here, once a process, into the target
//! directory and profile of the running test. A test that cargo did not start
//! (in a chroot without a toolchain, say) takes what lies there already.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The module, `pam_otp.so`. `$PAM_OTP_MODULE` names another one to test,
/// such as the one of an installed package.
#[must_use]
pub fn module() -> PathBuf {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE
        .get_or_init(|| given_or_built("PAM_OTP_MODULE", "pam-otp", "libpam_otp.so"))
        .clone()
}

/// The command, `pam-otp`. `$PAM_OTP_COMMAND` names another one to test.
#[must_use]
pub fn command() -> PathBuf {
    static COMMAND: OnceLock<PathBuf> = OnceLock::new();
    COMMAND
        .get_or_init(|| given_or_built("PAM_OTP_COMMAND", "pam-otp-cli", "pam-otp"))
        .clone()
}

/// A program of this crate: `pam-try` or `syslog-listen`.
#[must_use]
pub fn helper(name: &str) -> PathBuf {
    static HELPERS: OnceLock<PathBuf> = OnceLock::new();
    // Found once: who asks again may be where it is not to be seen.
    let directory = HELPERS.get_or_init(|| existing(build("pam-otp-testkit")));
    directory.join(name)
}

/// Builds all of them, if cargo is there to build: for who goes where it may not be.
pub(crate) fn build_all() {
    if std::env::var_os("CARGO").is_some() {
        let _ = (module(), command(), helper("pam-try"));
    }
}

fn given_or_built(variable: &str, package: &str, file: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => existing(path.into()),
        None => existing(build(package).join(file)),
    }
}

/// Builds a package's library and programs; returns the directory they are in.
fn build(package: &str) -> PathBuf {
    let place = Place::of_this_test();
    let Some(cargo) = std::env::var_os("CARGO") else {
        return place.directory;
    };
    let mut cargo = Command::new(cargo);
    cargo
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args(["build", "--quiet", "--package", package, "--target-dir"])
        .arg(&place.target);
    if place.profile != "debug" {
        cargo.args(["--profile", &place.profile]);
    }
    if let Some(triple) = &place.triple {
        cargo.args(["--target", triple]);
    }
    // Its warnings are for those who build it, not for the test's reader.
    let output = cargo.output().expect("start cargo");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package} does not build:\n{said}");
    place.directory
}

/// Where cargo put the running test.
struct Place {
    target: PathBuf,
    triple: Option<String>,
    profile: String,
    directory: PathBuf,
}

impl Place {
    /// `TARGET[/TRIPLE]/PROFILE[/deps]/TEST`, read from the end.
    fn of_this_test() -> Self {
        let test = std::env::current_exe().expect("the path of this program");
        let directory = test
            .ancestors()
            .skip(1)
            .find(|directory| !["deps", "examples"].contains(&name(directory).as_str()))
            .expect("a profile directory")
            .to_owned();
        let above = directory.parent().expect("a target directory").to_owned();
        let profile = name(&directory);
        // Only the target directory itself holds this file.
        if above.join(".rustc_info.json").exists() {
            return Self {
                target: above,
                triple: None,
                profile,
                directory,
            };
        }
        let target = above.parent().expect("a target directory").to_owned();
        Self {
            target,
            triple: Some(name(&above)),
            profile,
            directory,
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn existing(path: PathBuf) -> PathBuf {
    path.canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
