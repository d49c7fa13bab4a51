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

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pam_otp_core::code::Digits;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::sandbox::Sandbox;
use pam_otp_testkit::strace::{Call, Children, Fault, Finished, list};
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
    records: Records,
    guests: AtomicUsize,
}

/// Where the guests' tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    Own,
    /// In files of `pam_google_authenticator`.
    Google,
}

/// A user with a record, and the codes on the phone.
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) before: String,
    pub(crate) code: String,
    pub(crate) next: String,
    pub(crate) wrong: String,
}

/// Who has no record needs no code. The most dangerous policy: a fault must
/// not make anybody look like that.
pub(crate) const RULES: &str = "unenrolled = \"allow\"";

impl House {
    /// Records in a system store. Needs no rights.
    pub(crate) fn with_store() -> Self {
        Self::with_store_and(RULES)
    }

    /// The same under other rules.
    pub(crate) fn with_store_and(rules: &str) -> Self {
        let realm = Realm::new(rules);
        let stack = Stack::new("door", &lines(&realm));
        Self {
            realm,
            stack,
            sandbox: None,
            records: Records::Own,
            guests: AtomicUsize::new(0),
        }
    }

    /// Records in homes, whose owners the module has to become. `None` where
    /// there is no root.
    pub(crate) fn with_homes() -> Option<Self> {
        Self::with_homes_and(RULES)
    }

    /// Files of another program in homes. Their codes live 30 seconds, and a login
    /// under strace may take longer on a busy machine.
    pub(crate) fn with_foreign_files() -> Option<Self> {
        Some(Self {
            records: Records::Google,
            ..Self::with_homes_and(&format!("{RULES}\nwindow = 8"))?
        })
    }

    /// Homes under other rules.
    pub(crate) fn with_homes_and(rules: &str) -> Option<Self> {
        let sandbox = Sandbox::or_skip()?;
        for worker in 0..WORKERS {
            sandbox.add_user(&resident(worker), "correct horse");
        }
        let realm = Realm::at_home(rules);
        let stack = sandbox.stack("door", &lines(&realm));
        // libpam reads it too, after ours.
        sandbox.pam_service("other", "auth required pam_deny.so");
        let _ = sandbox.pam_try();
        Some(Self {
            realm,
            stack,
            sandbox: Some(sandbox),
            records: Records::Own,
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
                match self.records {
                    Records::Own => self.realm.enrol_as(&name, TIMED, digits),
                    Records::Google => Self::write_foreign(&name),
                }
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

    /// A user without a record.
    pub(crate) fn newcomer(&self, worker: usize) -> String {
        if self.sandbox.is_none() {
            return format!("guest{}", self.guests.fetch_add(1, Ordering::Relaxed));
        }
        let name = resident(worker);
        self.inside(|| {
            let _ = std::fs::remove_dir_all(self.record(&name));
        });
        name
    }

    /// The key of the user's token, if there is a record.
    pub(crate) fn key(&self, user: &str) -> Option<String> {
        let path = self.record(user).join("token.toml");
        let text = self.inside(|| std::fs::read_to_string(path)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("secret = "));
        Some(line.expect("a secret").trim_matches('"').to_owned())
    }

    /// A file of another program in the user's home, and its phone.
    fn write_foreign(user: &str) -> Phone {
        let phone = Phone::stray();
        let home = format!("/home/{user}");
        let owner = std::fs::metadata(&home).expect("a home");
        let path = format!("{home}/.google_authenticator");
        let _ = std::fs::remove_file(&path);
        let text = format!("{}\n\" WINDOW_SIZE 17\n\" TOTP_AUTH\n", phone.secret);
        std::fs::write(&path, text).expect("write a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).expect("chmod");
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).expect("chown");
        phone
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
        let (finished, calls) = self.list(Children::Forbidden, &words, &reply);
        assert_eq!(finished.reported(), kind.opens(), "{finished:#?}");
        calls
    }

    /// The same of any login.
    pub(crate) fn list(
        &self,
        children: Children,
        words: &[&str],
        reply: &str,
    ) -> (Finished, Vec<Call>) {
        let (finished, calls) = list(self.command("strace"), children, words, reply);
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
        (finished, calls)
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
            // Good still.
            before: phone.code_at(now - 30),
            code: phone.code_at(now),
            // Good already, by the default window.
            next: phone.code_at(now + 30),
            wrong: phone.wrong(),
        }
    }
}

/// What calls fail with. Not `ENOENT`: of a record that seems not to be there
/// nobody can tell whether it is.
const ERRORS: [&str; 6] = ["EIO", "ENOSPC", "EROFS", "EACCES", "EMFILE", "ENOMEM"];

/// Calls that never fail so, and which the C library does not bear to: `brk`
/// answers with an address, whatever happens, and any answer is taken for one;
/// waking nobody up and blocking signals succeed, and any error ends the process
/// (in `libnss_systemd`, for one). That there is no memory is tried in
/// `faults_memory.rs`.
const NEVER_FAIL: [&str; 3] = ["brk", "futex", "rt_sigprocmask"];

/// A kill at every call.
pub(crate) fn kill(_: usize, _: &Call) -> Vec<Fault> {
    vec![Fault::Kill]
}

/// One error at every call, another at each; with `PAM_OTP_FAULTS=all`, all.
pub(crate) fn fail(place: usize, call: &Call) -> Vec<Fault> {
    if NEVER_FAIL.contains(&call.name.as_str()) {
        Vec::new()
    } else if all() {
        ERRORS.map(Fault::Error).to_vec()
    } else {
        fail_once(place, call)
    }
}

fn fail_once(place: usize, call: &Call) -> Vec<Fault> {
    if NEVER_FAIL.contains(&call.name.as_str()) {
        Vec::new()
    } else {
        let mut errors = ERRORS.iter().cycle().skip(place);
        errors
            .next()
            .map(|error| Fault::Error(error))
            .into_iter()
            .collect()
    }
}

/// Calls that change what others see.
const CHANGES: [&str; 9] = [
    "write", "rename", "unlink", "mkdir", "sync", "chmod", "link", "utimens", "flock",
];

/// A kill where the one before would have left something else; with
/// `PAM_OTP_FAULTS=all`, at every call.
pub(crate) fn kill_at_changes(_: usize, call: &Call) -> Vec<Fault> {
    let creates = call.name == "openat" && call.text.contains("O_CREAT");
    if all() || creates || CHANGES.iter().any(|name| call.name.contains(name)) {
        vec![Fault::Kill]
    } else {
        Vec::new()
    }
}

/// One error at every fourth call; with `PAM_OTP_FAULTS=all`, at every call.
pub(crate) fn fail_here_and_there(place: usize, call: &Call) -> Vec<Fault> {
    if all() {
        fail_once(place, call)
    } else if place % 4 == 0 {
        fail_once(place / 4, call)
    } else {
        Vec::new()
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
        match house.records {
            Records::Own if self == Self::First => {
                let state = house.record(&guest.name).join("state");
                house.inside(|| std::fs::remove_file(&state).expect("remove a state"));
            }
            // Its first login makes the directory.
            Records::Google if self != Self::First => {
                let earlier = house.visit(&guest.name, &guest.before);
                assert!(earlier.entered, "{earlier:?}");
            }
            _ => {}
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
