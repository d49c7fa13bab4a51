//! Each allocation of a login fails, alone and with all that follow: those of
//! the module, and those of the whole process, libpam's and the C library's
//! included. Rust by itself would end the process at the first.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod common;
mod faults;

use std::path::{Path, PathBuf};
use std::process::Command;

use pam_otp_testkit::authenticator::{code, now};

use faults::{Guest, House, Login, Said, each};
use pam_otp_testkit::strace::{Finished, finish};
use pam_otp_testkit::temp::TempDir;

/// The fixtures, built.
struct Starving {
    house: House,
    directory: TempDir,
}

/// Which allocations fail.
#[derive(Clone, Copy, Debug)]
struct Famine {
    at: usize,
    on: bool,
    all: bool,
    during: &'static str,
}

impl Starving {
    fn new() -> Self {
        Self::of(House::with_store())
    }

    fn of(house: House) -> Self {
        let directory = TempDir::new();
        build(directory.path(), "starve", &["-shared", "-fPIC"], &["-ldl"]);
        build(directory.path(), "door", &[], &["-lpam"]);
        Self { house, directory }
    }

    fn fixture(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A login through `pam-try`; or, if all of the process starve, through a
    /// program that can bear it.
    fn login(&self, guest: &Guest, reply: &str, famine: Famine) -> Finished {
        if famine.all {
            return self.door(guest, reply, famine, &[]);
        }
        let words = self.house.login(&guest.name);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        self.starve(command, famine, reply)
    }

    fn door(&self, guest: &Guest, reply: &str, famine: Famine, more: &[&str]) -> Finished {
        let mut command = Command::new(self.fixture("door"));
        command.arg(self.house.stack.directory().expect("a directory"));
        command.args([self.house.stack.service(), &guest.name, reply]);
        command.args(more);
        self.starve(command, famine, "")
    }

    fn starve(&self, mut command: Command, famine: Famine, input: &str) -> Finished {
        command
            .env("LD_PRELOAD", self.fixture("starve"))
            .env("STARVE_AT", famine.at.to_string())
            .env("STARVE_ON", u8::from(famine.on).to_string())
            .env("STARVE_ALL", u8::from(famine.all).to_string())
            .env("STARVE_IN", famine.during);
        finish(command, input)
    }

    /// How many allocations a login makes.
    fn count(&self, kind: Login, all: bool, during: &'static str) -> usize {
        let guest = self.house.guest(0);
        let reply = kind.prepare(&self.house, &guest);
        let none = Famine {
            at: 0,
            on: false,
            all,
            during,
        };
        let finished = self.login(&guest, &reply, none);
        assert_eq!(finished.reported(), kind.opens(), "{finished:#?}");
        made(&finished)
    }

    fn check(&self, worker: usize, kind: Login, famine: Famine) {
        let guest = self.house.guest(worker);
        let reply = kind.prepare(&self.house, &guest);
        let finished = self.login(&guest, &reply, famine);
        let name = format!("{kind:?} {famine:?}");
        // The host lives, and says in or not in.
        let code = finished.status.code();
        assert!(matches!(code, Some(0 | 1)), "{name}: {finished:#?}");
        if famine.during == "setcred" {
            // The code is spent, all that is left to do is to say so.
            assert!(finished.reported(), "{name}: {finished:#?}");
        } else if !famine.all && made(&finished) < famine.at {
            // The name of a file that is written anew has the number of the process:
            // one of fewer digits takes an allocation less than the counted login.
            assert!(famine.at - made(&finished) < 3, "{name}: {finished:#?}");
            assert_eq!(finished.reported(), kind.opens(), "{name}: {finished:#?}");
        } else if !famine.all {
            let refused = finished.stdout.starts_with("code=7 ");
            let starved = refused && finished.says("outcome=denied reason=out_of_memory ");
            // What is denied anyhow, may be so.
            let denied = refused && finished.says("outcome=denied reason=wrong_code ");
            assert!(
                starved || (kind == Login::Wrong && denied),
                "{name}: {finished:#?}"
            );
        }
        self.house.check_after(&guest, &finished, &name);
    }
}

fn made(finished: &Finished) -> usize {
    let said = finished.stderr.lines().find_map(|line| {
        let count = line.strip_prefix("starve: ")?.strip_suffix(" made")?;
        count.parse().ok()
    });
    said.unwrap_or_else(|| panic!("no count: {finished:#?}"))
}

fn build(directory: &Path, name: &str, options: &[&str], libraries: &[&str]) {
    let source = format!("{}/tests/fixtures/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-Wall", "-Wextra", "-Werror", "-fno-builtin"])
        .args(options)
        .arg(source)
        .arg("-o")
        .arg(directory.join(name))
        .args(libraries);
    let output = cc.output().expect("start cc (package gcc)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}.c does not build:\n{said}");
}

fn try_all(starving: &Starving, kinds: &[Login], all: bool, on: bool, during: &'static str) {
    let mut cases = Vec::new();
    for kind in kinds {
        let count = starving.count(*kind, all, during);
        assert!(count > 0, "nothing is seen of what the module allocates");
        let famine = |at| Famine {
            at,
            on,
            all,
            during,
        };
        cases.extend((1..=count).map(|at| (*kind, famine(at))));
    }
    println!("{} points", cases.len());
    each(&cases, |worker, (kind, famine)| {
        starving.check(worker, *kind, *famine);
    });
}

#[test]
fn an_allocation_of_the_module_that_fails_denies_and_the_host_lives() {
    try_all(&Starving::new(), &Login::ALL, false, false, "authenticate");
}

#[test]
fn no_memory_for_the_module_from_some_allocation_on_denies_and_the_host_lives() {
    try_all(&Starving::new(), &Login::ALL, false, true, "authenticate");
}

#[test]
fn no_memory_after_the_code_was_spent_changes_nothing() {
    let starving = Starving::new();
    for on in [false, true] {
        try_all(&starving, &[Login::Right], false, on, "setcred");
    }
}

#[test]
fn no_memory_for_the_whole_process_lets_nobody_in_or_by_and_the_host_lives() {
    let starving = Starving::new();
    for on in [false, true] {
        try_all(&starving, &Login::ALL, true, on, "authenticate");
    }
}

/// What costs a parser most.
const COSTLY: [(&str, &str, &str); 4] = [
    ("x = [", "1,", "]"),
    ("x = [", "{},", "]"),
    ("", "[[a]]\n", ""),
    ("", "[a.", "]"),
];
/// Bytes in a token file; more than the last are not read.
const SIZES: [usize; 7] = [1000, 1536, 2000, 3000, 4000, 8000, 64 * 1024];
/// So many codes are as long as an answer that SSH can carry.
const LONGEST: &str = "32768";

#[test]
fn a_costly_record_and_a_long_answer_deny_where_there_is_no_memory_and_the_host_lives() {
    let starving = Starving::new();
    let from_the_first = Famine {
        at: 1,
        on: true,
        all: false,
        during: "authenticate",
    };
    for (head, body, tail) in COSTLY {
        for size in SIZES {
            let count = (size - head.len() - tail.len()) / body.len();
            let text = format!("{head}{}{tail}", body.repeat(count));
            let guest = starving.house.guest(0);
            std::fs::write(starving.house.realm.token_file(&guest.name), &text).expect("write");
            let finished = starving.door(&guest, &guest.code, from_the_first, &[LONGEST]);
            let denied = finished.status.code() == Some(1) && finished.says("=out_of_memory");
            assert!(denied, "{body:?} {size}: {finished:#?}");
        }
    }
}

/// Where the host stands in the way of nothing: a picture, ten codes, a record.
#[test]
fn no_memory_for_the_module_in_a_first_login_denies_and_the_host_lives() {
    let starving = Starving::of(House::with_store_and("unenrolled = \"enroll\""));
    let first_login = |famine: Famine| {
        let name = starving.house.newcomer(0);
        let words = starving.house.login(&name);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let finished = starving.starve(command, famine, "@code\n\n");
        (name, finished)
    };
    for during in ["authenticate", "setcred"] {
        let famine = |at, on| Famine {
            at,
            on,
            all: false,
            during,
        };
        let (_, finished) = first_login(famine(0, false));
        assert!(finished.reported(), "{finished:#?}");
        // The last one: the app that shows codes says something too.
        let mut lines = finished.stderr.lines().rev();
        let said = lines.find_map(|line| line.strip_prefix("starve: "));
        let count = said.and_then(|said| said.strip_suffix(" made"));
        let count: usize = count.and_then(|count| count.parse().ok()).expect("a count");
        assert!(count > 10, "nothing is seen of what the module allocates");
        println!("{count} allocations during {during}");
        let step = (count / 15).max(1);
        for at in (1..=count).step_by(step) {
            for on in [false, true] {
                let (name, finished) = first_login(famine(at, on));
                let case = format!("{:?}", famine(at, on));
                let key = starving.house.key(&name);
                match finished.status.code() {
                    // What is left to do once the record is there bears it.
                    Some(0) if during == "setcred" => assert!(key.is_some(), "{case}"),
                    Some(1) => assert!(finished.says("=out_of_memory"), "{case}: {finished:#?}"),
                    _ => panic!("{case}: {finished:#?}"),
                }
                let next = match key {
                    Some(key) => code(&key, now() + 30),
                    None => "@code\n\n".to_owned(),
                };
                let next = starving.house.visit(&name, &next);
                assert!(next.entered, "{case}: kept out: {finished:#?}\n{next:?}");
            }
        }
    }
}
