//! The examples of the help are typed into a shell, as a reader would.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper that fails is a broken test"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pam_otp_testkit::authenticator;

mod common;

use common::World;

/// What was there before, beside alice's record.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Begun,
    Record,
}

/// What the reader types after an example.
#[derive(Clone, Copy, PartialEq)]
enum Typed {
    Nothing,
    RecoveryCode,
    TwoCodes,
    /// Of what was begun.
    Code,
    /// A recovery code for one more token; then a code of the key that is shown.
    CodeOfShown,
}

/// How examples are tried. Others than these would change the machine, or ask it.
const TRIED: &[(&str, Before, Typed)] = &[
    ("pam-otp enroll", Before::Nothing, Typed::CodeOfShown),
    (
        "pam-otp enroll --name tablet",
        Before::Record,
        Typed::CodeOfShown,
    ),
    (
        "pam-otp enroll --user alice",
        Before::Nothing,
        Typed::CodeOfShown,
    ),
    ("pam-otp confirm", Before::Begun, Typed::Code),
    ("pam-otp cancel", Before::Begun, Typed::Nothing),
    ("pam-otp status", Before::Record, Typed::Nothing),
    ("pam-otp verify", Before::Record, Typed::RecoveryCode),
    ("pam-otp resync", Before::Record, Typed::TwoCodes),
    ("pam-otp show", Before::Record, Typed::RecoveryCode),
    ("pam-otp disable", Before::Record, Typed::RecoveryCode),
    ("pam-otp recovery", Before::Record, Typed::RecoveryCode),
    ("pam-otp rename", Before::Record, Typed::RecoveryCode),
    ("pam-otp remove", Before::Record, Typed::RecoveryCode),
    ("pam-otp import", Before::Nothing, Typed::Nothing),
    ("pam-otp import --add", Before::Record, Typed::RecoveryCode),
    ("pam-otp export", Before::Record, Typed::RecoveryCode),
    ("pam-otp list", Before::Record, Typed::Nothing),
    ("pam-otp reset", Before::Record, Typed::Nothing),
    ("pam-otp unlock", Before::Record, Typed::Nothing),
    ("pam-otp completions", Before::Nothing, Typed::Nothing),
];

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const URI: &str = "otpauth://totp/tablet?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n";

/// The command lines under `Examples:`.
fn examples(command: &str) -> Vec<String> {
    let mut help = Command::new(env!("CARGO_BIN_EXE_pam-otp"));
    let output = help
        .args([command, "--help"])
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, examples) = help.split_once("\nExamples:\n").unwrap();
    let lines = examples.lines().filter(|line| line.starts_with("    "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Who has read the help, and alice, who has two-factor login.
struct Reader {
    world: World,
    home: PathBuf,
    own: Person,
    alice: Person,
}

/// What was begun for somebody, and what confirming it has given.
#[derive(Default)]
struct Person {
    key: String,
    time: u64,
    recovery: Vec<String>,
}

impl Person {
    fn begin(world: &World, user: &[&str]) -> Self {
        let begun = world.done(&[&["enroll"], user].concat(), "");
        Self {
            key: begun["token"]["key"].as_str().unwrap().to_owned(),
            time: authenticator::now(),
            recovery: Vec::new(),
        }
    }

    fn confirm(&mut self, world: &World, user: &[&str]) {
        let confirmed = world.done(&[&["confirm"], user].concat(), &self.code(0));
        let codes = confirmed["recovery_codes"].as_array().unwrap().iter();
        self.recovery = codes
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
    }

    /// The code of so many steps later.
    fn code(&self, steps: u64) -> String {
        authenticator::code(&self.key, self.time + 30 * steps)
    }
}

impl Reader {
    fn new(before: Before) -> Self {
        let world = World::new();
        let user = ["--user", "alice"];
        let mut alice = Person::begin(&world, &user);
        alice.confirm(&world, &user);
        let mut own = Person::default();
        if before != Before::Nothing {
            own = Person::begin(&world, &[]);
        }
        if before == Before::Record {
            own.confirm(&world, &[]);
        }
        let home = world.policy().with_file_name("reader");
        let reader = Self {
            world,
            home,
            own,
            alice,
        };
        reader.put_files();
        reader
    }

    /// The files that examples name, and the command by its name alone.
    fn put_files(&self) {
        let home = &self.home;
        fs::create_dir_all(home.join(".config/fish/completions")).unwrap();
        for (name, text) in [
            (".google_authenticator", format!("{SECRET}\n\" TOTP_AUTH\n")),
            ("export.txt", URI.to_owned()),
            (
                "users.oath",
                format!("HOTP/T30/6 carol - {}\n", "3132".repeat(10)),
            ),
            (
                "pam-otp",
                format!(
                    "#!/bin/sh\nexec {} --policy {} \"$@\"\n",
                    env!("CARGO_BIN_EXE_pam-otp"),
                    self.world.policy().display()
                ),
            ),
        ] {
            let path = home.join(name);
            fs::write(&path, text).unwrap();
            let mode = if name == "pam-otp" { 0o700 } else { 0o600 };
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
    }

    /// Types a line, and what it asks for. Whether that was done, and what was said.
    fn types(&self, line: &str, then: Typed) -> (bool, String) {
        let home = &self.home;
        let person = if line.contains("--user alice") {
            &self.alice
        } else {
            &self.own
        };
        let path = format!("{}:/usr/bin:/bin", home.display());
        // Nobody's but the machine's.
        let line = line.replace("/etc/users.oath", "users.oath");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{line} 2>&1")]);
        shell.current_dir(home).env("HOME", home).env("PATH", path);
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let recovery = || person.recovery[0].clone() + "\n";
        let typed = match then {
            Typed::Nothing => String::new(),
            Typed::RecoveryCode => recovery(),
            Typed::TwoCodes => format!("{}\n{}\n", person.code(3), person.code(4)),
            Typed::Code => person.code(0) + "\n",
            Typed::CodeOfShown => {
                if line.contains("--name") {
                    input.write_all(recovery().as_bytes()).unwrap();
                }
                let shown = loop {
                    let before = said.len();
                    assert_ne!(output.read_line(&mut said).unwrap(), 0, "{said}");
                    if let Some(key) = said[before..].strip_prefix("Key:") {
                        break key.replace(' ', "");
                    }
                };
                authenticator::code(shown.trim(), authenticator::now()) + "\n"
            }
        };
        // Whoever asks nothing may be gone already.
        let _ = input.write_all(typed.as_bytes());
        drop(input);
        output.read_to_string(&mut said).unwrap();
        (child.wait().unwrap().success(), said)
    }
}

#[test]
fn every_example_does_what_it_says() {
    let mut seen = Vec::new();
    let commands = TRIED
        .iter()
        .map(|(line, ..)| line.split(' ').nth(1).unwrap());
    let mut commands: Vec<_> = commands.collect();
    commands.dedup();
    for command in commands {
        for line in examples(command) {
            // The longest that it begins with.
            let tried = TRIED.iter().filter(|(begin, ..)| line.starts_with(begin));
            let (begin, before, typed) = tried.max_by_key(|(begin, ..)| begin.len()).unwrap();
            let mut typed = *typed;
            // What root does for others takes no proof.
            if line.contains("--user alice") && typed == Typed::RecoveryCode {
                typed = Typed::Nothing;
            }
            let reader = Reader::new(*before);
            if *begin == "pam-otp remove" {
                let input = format!("{}\n{URI}", reader.own.recovery[9]);
                let add = ["import", "--add", "-"];
                reader.world.done(&add, &input);
            }
            let (done, said) = reader.types(&line, typed);
            assert!(done, "{line}: {said}");
            seen.push(*begin);
        }
    }
    for (begin, ..) in TRIED {
        assert!(seen.contains(begin), "no example: {begin}");
    }
}
