//! A store of the test's own, the command, and a phone.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "each test program uses what it needs; a test that fails here fails as it should"
)]

pub(crate) mod schema;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use pam_otp_testkit::authenticator::{self, Algorithm};
use pam_otp_testkit::temp::TempDir;
use serde_json::Value;

/// A system store in a directory that goes when the test ends.
pub(crate) struct World {
    directory: TempDir,
}

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What `enroll` showed.
pub(crate) struct Enrolled {
    pub(crate) key: String,
    pub(crate) uri: String,
    pub(crate) picture: Vec<String>,
    pub(crate) recovery: Vec<String>,
    /// The time whose code confirmed it.
    pub(crate) time: u64,
}

impl Enrolled {
    /// The code so many steps after the one that confirmed the enrolment.
    pub(crate) fn code(&self, steps: i64) -> String {
        let time = self.time.checked_add_signed(30 * steps).unwrap();
        authenticator::totp(&self.key, time, Algorithm::Sha1, 6, 30)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            directory: TempDir::new(),
        };
        let store = world.store();
        fs::create_dir(&store).unwrap();
        fs::set_permissions(&store, PermissionsExt::from_mode(0o700)).unwrap();
        let policy = format!(
            "store = \"system\"\nsystem_store = \"{}\"\n",
            store.display()
        );
        fs::write(world.policy(), policy).unwrap();
        fs::set_permissions(world.policy(), PermissionsExt::from_mode(0o644)).unwrap();
        world
    }

    pub(crate) fn policy(&self) -> PathBuf {
        self.directory.path().join("policy.toml")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// A file of this name, of no meaning to anybody.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The one record in the store.
    pub(crate) fn record(&self) -> PathBuf {
        fs::read_dir(self.store())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pam-otp"));
        command.arg("--policy").arg(self.policy()).args(arguments);
        // Without a locale, pictures are ASCII.
        command.env("LC_ALL", "C.UTF-8");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command with this standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that asks nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the command with `--json`; the answer, which is as the schema says, and
    /// whether it was done.
    pub(crate) fn ask(&self, arguments: &[&str], input: &str) -> (Value, bool) {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let ran = self.run(&all, input);
        assert_eq!(ran.stderr, "", "{arguments:?}");
        let line = ran.stdout.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line:?}");
        let answer: Value = serde_json::from_str(line).unwrap();
        schema::check(&answer).unwrap();
        assert_eq!(answer["ok"], ran.success);
        assert_eq!(answer["command"], arguments[0]);
        (answer, ran.success)
    }

    /// The answer of a command that does what is asked.
    pub(crate) fn done(&self, arguments: &[&str], input: &str) -> Value {
        let (answer, ok) = self.ask(arguments, input);
        assert!(ok, "{answer}");
        answer
    }

    /// The error of a command that does not.
    pub(crate) fn refused(&self, arguments: &[&str], input: &str, code: &str) -> Value {
        let (mut answer, ok) = self.ask(arguments, input);
        assert!(!ok, "{answer}");
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(answer["error"]["message"].is_string());
        answer["error"].take()
    }

    /// The message of a command line that is not understood.
    pub(crate) fn usage(&self, arguments: &[&str]) -> String {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.command(&all).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        schema::check(&answer).unwrap();
        assert_eq!(answer["error"]["code"], "usage");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Enrols, answering with the code that the phone shows.
    pub(crate) fn enroll(&self) -> Enrolled {
        let (mut child, mut stdout, mut shown) = self.start_enrolment();
        shown.time = authenticator::now();
        let code = shown.code(0);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{code}\n").as_bytes())
            .unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert!(child.wait().unwrap().success(), "{rest}");
        shown.recovery = rest
            .lines()
            .filter(|line| line.len() == 19 && line.matches('-').count() == 3)
            .map(str::to_owned)
            .collect();
        shown
    }

    /// Starts enrolling, up to the question for a code.
    pub(crate) fn start_enrolment(&self) -> (Child, BufReader<ChildStdout>, Enrolled) {
        self.start_enrolment_with(&[])
    }

    /// The same, with options.
    pub(crate) fn start_enrolment_with(
        &self,
        options: &[&str],
    ) -> (Child, BufReader<ChildStdout>, Enrolled) {
        let mut child = self
            .command(&[&["enroll"], options].concat())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut shown = Enrolled {
            key: String::new(),
            uri: String::new(),
            picture: Vec::new(),
            recovery: Vec::new(),
            time: 0,
        };
        // Account, issuer, key, URI, an empty line, the picture, an empty line.
        let mut empty = 0;
        while empty < 2 {
            let mut line = String::new();
            assert_ne!(
                stdout.read_line(&mut line).unwrap(),
                0,
                "enroll ended early"
            );
            let line = line.trim_end_matches('\n');
            if let Some(key) = line.strip_prefix("Key:") {
                shown.key = key.replace(' ', "");
            } else if let Some(uri) = line.strip_prefix("URI:") {
                uri.trim().clone_into(&mut shown.uri);
            } else if line.is_empty() {
                empty += 1;
            } else if empty == 1 {
                shown.picture.push(line.to_owned());
            }
        }
        (child, stdout, shown)
    }
}
