//! What the tests of faults share: users, each case one of its own, whose
//! logins go wrong; and what must be true after.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "each test takes what it needs; a helper that fails is a broken test"
)]

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pam_otp_core::code::Digits;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::sandbox::Sandbox;
use pam_otp_testkit::strace::{Call, Finished, list};
use pam_otp_testkit::{artifacts, authenticator};

use crate::common::{Phone, Realm, TIMED, Visit, value, visit, visit_with};

/// Threads that try cases; on two processors a few, because cases wait for
/// disks and for each other's processes.
pub(crate) const WORKERS: usize = 4;

/// Records, and a door that lets in whoever the module does not keep out: also
/// a user of whom the module says that no code is needed.
pub(crate) struct House {
    pub(crate) realm: Realm,
    pub(crate) stack: Stack,
    pub(crate) sandbox: Option<Sandbox>,
    guests: AtomicUsize,
}

/// A user with a record, and the codes on the phone.
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) next: String,
    pub(crate) wrong: String,
}

/// Who has no record needs no code. The most dangerous policy: a fault must
/// not make anybody look like that.
const RULES: &str = "unenrolled = \"allow\"";

impl House {
    /// Records in a system store. Needs no rights.
    pub(crate) fn with_store() -> Self {
        let realm = Realm::new(RULES);
        let stack = Stack::new("door", &lines(&realm));
        Self {
            realm,
            stack,
            sandbox: None,
            guests: AtomicUsize::new(0),
        }
    }

    /// Records in homes, whose owners the module has to become. `None` where
    /// there is no root.
    pub(crate) fn with_homes() -> Option<Self> {
        Self::with_homes_and("")
    }

    /// The same, with one more line of policy.
    pub(crate) fn with_homes_and(rule: &str) -> Option<Self> {
        let sandbox = Sandbox::or_skip()?;
        for worker in 0..WORKERS {
            sandbox.add_user(&resident(worker), "correct horse");
        }
        let realm = Realm::at_home(&format!("{RULES}\n{rule}"));
        let stack = sandbox.stack("door", &lines(&realm));
        // libpam reads it too, after ours.
        sandbox.pam_service("other", "auth required pam_deny.so");
        let _ = sandbox.pam_try();
        Some(Self {
            realm,
            stack,
            sandbox: Some(sandbox),
            guests: AtomicUsize::new(0),
        })
    }

    /// A user with a fresh record: a new one, or in homes the worker's own.
    pub(crate) fn guest(&self, worker: usize) -> Guest {
        // Eight digits: that two codes are the same by chance must not happen
        // in the life of this test.
        let digits = Digits::new(8).unwrap();
        let (name, phone) = if self.sandbox.is_some() {
            let name = resident(worker);
            let phone = self.inside(|| {
                let _ = std::fs::remove_dir_all(self.record(&name));
                self.realm.enrol_as(&name, TIMED, digits)
            });
            (name, phone)
        } else {
            let number = self.guests.fetch_add(1, Ordering::Relaxed);
            let name = format!("guest{number}");
            let phone = self.realm.enrol_as(&name, TIMED, digits);
            (name, phone)
        };
        Guest::new(name, &phone)
    }

    /// Runs what needs to see the records.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.sandbox {
            Some(sandbox) => sandbox.inside(work),
            None => work(),
        }
    }

    pub(crate) fn record(&self, user: &str) -> PathBuf {
        match &self.sandbox {
            Some(_) => format!("/home/{user}/.pam-otp").into(),
            None => self.realm.record(user),
        }
    }

    /// A program that sees the records.
    pub(crate) fn command(&self, program: &str) -> Command {
        match &self.sandbox {
            Some(sandbox) => sandbox.command(program),
            None => Command::new(program),
        }
    }

    pub(crate) fn pam_try(&self) -> String {
        let path = match &self.sandbox {
            Some(sandbox) => sandbox.pam_try(),
            None => artifacts::helper("pam-try"),
        };
        path.to_str().unwrap().to_owned()
    }

    /// A login of this user: a program and its arguments.
    pub(crate) fn login(&self, user: &str) -> Vec<String> {
        let mut words = vec![self.pam_try()];
        words.extend(["--user", user, "--service", self.stack.service()].map(str::to_owned));
        words.extend(["--rhost", "192.0.2.7"].map(str::to_owned));
        if let Some(directory) = self.stack.directory() {
            words.push("--confdir".to_owned());
            words.push(directory.to_str().unwrap().to_owned());
        }
        words
    }

    /// An honest login.
    pub(crate) fn visit(&self, user: &str, reply: &str) -> Visit {
        match &self.sandbox {
            Some(_) => visit_with(self.command(&self.pam_try()), &self.stack, user, reply),
            None => visit(&self.stack, user, reply),
        }
    }

    /// The calls of a login from where the module is opened to `pam_end`.
    pub(crate) fn calls(&self, kind: Login) -> Vec<Call> {
        let guest = self.guest(0);
        let reply = kind.prepare(self, &guest);
        let login = self.login(&guest.name);
        let words: Vec<&str> = login.iter().map(String::as_str).collect();
        let (finished, calls) = list(self.command("strace"), &words, &reply);
        assert_eq!(finished.reported(), kind.opens(), "{finished:#?}");
        let first = calls
            .iter()
            .position(|call| call.name == "openat" && call.text.contains("pam_otp.so"))
            .expect("the module is opened");
        let last = calls
            .iter()
            .rposition(|call| call.text.starts_with("write(1, \"code="))
            .expect("the login reports");
        let calls = calls[first..last].to_vec();
        assert!(calls.len() > 50, "a login makes more calls: {calls:#?}");
        calls
    }

    /// What must be true after any fault: the record can be used; what opened
    /// once opens no more; and the owner gets in with the next code at once.
    pub(crate) fn check_after(&self, guest: &Guest, finished: &Finished, case: &str) {
        assert!(!finished.says("outcome=skipped"), "{case}: {finished:#?}");
        if finished.reported() || finished.says("outcome=granted") {
            let again = self.visit(&guest.name, &guest.code);
            assert!(!again.entered, "{case}: twice: {finished:#?}\n{again:?}");
            assert_eq!(
                value(again.line(), "reason"),
                Some("used_code"),
                "{case}: {finished:#?}"
            );
        }
        let next = self.visit(&guest.name, &guest.next);
        assert!(next.entered, "{case}: kept out: {finished:#?}\n{next:?}");
        assert_eq!(value(next.line(), "outcome"), Some("granted"), "{case}");
        let again = self.visit(&guest.name, &guest.code);
        assert!(!again.entered, "{case}: twice: {again:?}");
    }
}

impl Guest {
    pub(crate) fn new(name: String, phone: &Phone) -> Self {
        let now = authenticator::now();
        Self {
            name,
            code: phone.code_at(now),
            // Good already, by the default window.
            next: phone.code_at(now + 30),
            wrong: phone.wrong(),
        }
    }
}

/// Which login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// The right code.
    Right,
    /// A wrong one.
    Wrong,
    /// The right one, and the record has no state yet.
    First,
}

impl Login {
    pub(crate) const ALL: [Self; 3] = [Self::Right, Self::Wrong, Self::First];

    /// Whether it opens, if nothing goes wrong.
    pub(crate) fn opens(self) -> bool {
        self != Self::Wrong
    }

    /// Makes the record as this login finds it; what the user types.
    pub(crate) fn prepare(self, house: &House, guest: &Guest) -> String {
        if self == Self::First {
            let state = house.record(&guest.name).join("state");
            house.inside(|| std::fs::remove_file(&state).expect("remove a state"));
        }
        match self {
            Self::Wrong => guest.wrong.clone(),
            Self::Right | Self::First => guest.code.clone(),
        }
    }
}

/// What a login said.
pub(crate) trait Said {
    /// Whether the application was told that the user is in.
    fn reported(&self) -> bool;
    /// Whether the log has these words.
    fn says(&self, words: &str) -> bool;
}

impl Said for Finished {
    fn reported(&self) -> bool {
        self.stdout.starts_with("code=0 ")
    }

    fn says(&self, words: &str) -> bool {
        self.stderr.contains(words)
    }
}

/// Tries all cases, several at once, and fails after with all that failed.
pub(crate) fn each<T: Sync>(cases: &[T], check: impl Fn(usize, &T) + Sync) {
    let turn = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (turn, failed, check) = (&turn, &failed, &check);
            scope.spawn(move || {
                while let Some(case) = cases.get(turn.fetch_add(1, Ordering::Relaxed)) {
                    let tried = std::panic::catch_unwind(AssertUnwindSafe(|| check(worker, case)));
                    if let Err(reason) = tried {
                        let reason = reason
                            .downcast::<String>()
                            .map_or_else(|_| "a panic without a text".to_owned(), |reason| *reason);
                        failed.lock().unwrap().push(reason);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} cases:\n{}", failed.join("\n"));
}

/// Whether the full product of calls and errors is asked for.
pub(crate) fn all() -> bool {
    std::env::var_os("PAM_OTP_FAULTS").is_some_and(|value| value == "all")
}

fn resident(worker: usize) -> String {
    format!("resident{worker}")
}

fn lines(realm: &Realm) -> String {
    format!(
        "auth required {}\nauth required pam_permit.so",
        realm.module("")
    )
}
