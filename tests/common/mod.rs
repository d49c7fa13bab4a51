//! What the tests of the module share: a policy of their own, records, the
//! phone of their owner, and logins whose log can be read.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "each test takes what it needs; a helper that fails is a broken test"
)]

pub(crate) mod first;
pub(crate) mod home;

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use pam_otp_core::code::{Algorithm, Code, Digits, Secret};
use pam_otp_core::policy::Policy;
use pam_otp_core::policy::arguments::Arguments;
use pam_otp_core::recovery::RecoverySet;
use pam_otp_core::state::State;
use pam_otp_core::store::{Account, Removal, STATE_FILE, Store, TOKEN_FILE};
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::user::UserName;
use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::temp::TempDir;
use pam_otp_testkit::{artifacts, authenticator};

/// A policy file, and a system store beside it. Both belong to whoever runs
/// the test, so no rights are needed.
pub(crate) struct Realm {
    directory: TempDir,
    store: Store,
}

impl Realm {
    /// A system store, no waiting after failures, and these lines of policy.
    pub(crate) fn new(rules: &str) -> Self {
        Self::with("store = \"system\"", rules)
    }

    /// Records in the users' homes: for a sandbox, where users are.
    pub(crate) fn at_home(rules: &str) -> Self {
        Self::with("store = \"home\"", rules)
    }

    fn with(kind: &str, rules: &str) -> Self {
        // Built now: the codes of tests would grow old meanwhile.
        let _ = (artifacts::module(), artifacts::helper("pam-try"));
        let directory = TempDir::new();
        let records = directory.path().join("records");
        std::fs::create_dir(&records).unwrap();
        let file = directory.path().join("policy.toml");
        let text = format!(
            "{kind}\nsystem_store = \"{}\"\nfail_delay = 0\n{rules}\n",
            records.display()
        );
        std::fs::write(&file, text).unwrap();
        let argument = format!("policy={}", file.display());
        let arguments = Arguments::parse([argument.as_bytes()]).unwrap();
        let policy = Policy::for_login(&arguments, "").unwrap();
        Self {
            directory,
            store: Store::new(&policy),
        }
    }

    /// The policy file.
    pub(crate) fn policy(&self) -> PathBuf {
        self.directory.path().join("policy.toml")
    }

    /// What stands in a stack after the control: module, policy, arguments.
    pub(crate) fn module(&self, arguments: &str) -> String {
        let policy = self.policy();
        format!("{{module}} policy={} {arguments}", policy.display())
    }

    /// A stack of this one line.
    pub(crate) fn stack(&self, arguments: &str) -> Stack {
        let module = self.module(arguments);
        Stack::new("door", &format!("auth required {module}"))
    }

    /// Enrols a user as most are: six digits, thirty seconds, ten recovery
    /// codes. In a sandbox, call it inside.
    pub(crate) fn enrol(&self, user: &str) -> Phone {
        self.enrol_as(user, TIMED, Digits::DEFAULT)
    }

    /// Enrols a user with a fresh secret.
    pub(crate) fn enrol_as(&self, user: &str, kind: Kind, digits: Digits) -> Phone {
        let (phone, tokens) = Phone::new(kind, digits);
        let account = account(user);
        self.store
            .enrol(&account, &tokens, &State::default())
            .unwrap();
        phone
    }

    /// Removes a user's record.
    pub(crate) fn remove(&self, user: &str) {
        assert_eq!(self.store.remove(&account(user)).unwrap(), Removal::Removed);
    }

    /// Wrong guesses since the last success.
    pub(crate) fn failures(&self, user: &str) -> u32 {
        let mut record = self.store.open(&account(user)).unwrap().unwrap();
        record.state().unwrap().history().failures
    }

    /// The record's directory in the system store.
    pub(crate) fn record(&self, user: &str) -> PathBuf {
        self.directory.path().join("records").join(user)
    }

    /// The token file in the system store.
    pub(crate) fn token_file(&self, user: &str) -> PathBuf {
        self.record(user).join(TOKEN_FILE)
    }

    /// The state file in the system store.
    pub(crate) fn state_file(&self, user: &str) -> PathBuf {
        self.record(user).join(STATE_FILE)
    }
}

/// Six digits every thirty seconds.
pub(crate) const TIMED: Kind = Kind::Totp {
    period: Period::DEFAULT,
};

fn account(user: &str) -> Account {
    Account::resolve(&UserName::new(user).unwrap()).unwrap()
}

/// What the owner of a record has.
pub(crate) struct Phone {
    /// In base32.
    pub(crate) secret: String,
    /// As they were shown.
    pub(crate) recovery: Vec<String>,
    digits: Digits,
}

impl Phone {
    /// A phone of nobody's, for files of other programs.
    pub(crate) fn stray() -> Self {
        Self::new(TIMED, Digits::DEFAULT).0
    }

    fn new(kind: Kind, digits: Digits) -> (Self, TokenFile) {
        let secret = Secret::new(&random::<{ Secret::NEW }>()).unwrap();
        let (set, codes) = RecoverySet::generate(&random());
        let phone = Self {
            secret: secret.to_base32().to_string(),
            recovery: codes
                .iter()
                .map(|code| code.to_text().to_string())
                .collect(),
            digits,
        };
        let token = Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind,
            secret,
            algorithm: Algorithm::Sha1,
            digits,
            added: None,
        };
        (phone, TokenFile::new(vec![token], Some(set)).unwrap())
    }

    /// The code that it shows now.
    pub(crate) fn code(&self) -> String {
        self.code_at(authenticator::now())
    }

    /// The code that it shows at a time.
    pub(crate) fn code_at(&self, time: u64) -> String {
        let digits = u32::try_from(self.digits.count()).unwrap();
        let sha1 = authenticator::Algorithm::Sha1;
        authenticator::totp(&self.secret, time, sha1, digits, 30)
    }

    /// The code at a counter.
    pub(crate) fn counted(&self, counter: u64) -> String {
        let digits = u32::try_from(self.digits.count()).unwrap();
        authenticator::hotp(
            &self.secret,
            counter,
            digits,
            authenticator::Algorithm::Sha1,
        )
    }

    /// A code that is not right now, nor in the minutes around: a fixed one
    /// would be, once in a while.
    pub(crate) fn wrong(&self) -> String {
        let secret = Secret::from_base32(&self.secret).unwrap();
        let step = Period::DEFAULT.step_at(UnixTime(authenticator::now()));
        let token = Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind: TIMED,
            secret,
            algorithm: Algorithm::Sha1,
            digits: self.digits,
            added: None,
        };
        let generator = token.generator();
        let right: Vec<String> = (step - 15..step + 15)
            .map(|step| generator.code(step).to_text().to_string())
            .collect();
        let mut guesses = (0..).map(|n| format!("{n:0width$}", width = self.digits.count()));
        let wrong = guesses.find(|guess| !right.contains(guess)).unwrap();
        assert!(Code::parse(&wrong).is_some(), "a guess must look like one");
        wrong
    }
}

/// Fresh random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut source = File::open("/dev/urandom").unwrap();
    source.read_exact(&mut bytes).unwrap();
    bytes
}

/// One login in a process of its own.
#[derive(Debug)]
pub(crate) struct Visit {
    /// What `pam_authenticate` returned.
    pub(crate) code: i32,
    /// Authenticated, and credentials set.
    pub(crate) entered: bool,
    /// The prompts, a line each: `EchoOff "One-time code: "`.
    pub(crate) prompts: Vec<String>,
    /// What the module logged, without the program's and the service's name.
    pub(crate) log: Vec<String>,
}

impl Visit {
    /// The one line that the module logged.
    pub(crate) fn line(&self) -> &str {
        let [line] = &self.log[..] else {
            panic!("not one line: {self:?}")
        };
        line
    }
}

/// Logs in with the program `pam-try`, which prints what modules log. The
/// replies are lines.
pub(crate) fn visit(stack: &Stack, user: &str, replies: &str) -> Visit {
    let pam_try = Command::new(artifacts::helper("pam-try"));
    visit_with(pam_try, stack, user, replies)
}

/// [`visit`] with a prepared command: a sandbox's, say, or with an environment.
pub(crate) fn visit_with(pam_try: Command, stack: &Stack, user: &str, replies: &str) -> Visit {
    visit_from(pam_try, stack, user, "192.0.2.7", replies)
}

/// [`visit_with`] from another address; empty for a local login.
pub(crate) fn visit_from(
    mut pam_try: Command,
    stack: &Stack,
    user: &str,
    rhost: &str,
    replies: &str,
) -> Visit {
    pam_try.args(["--service", stack.service(), "--user", user]);
    pam_try.args(["--rhost", rhost]);
    if let Some(directory) = stack.directory() {
        pam_try.arg("--confdir").arg(directory);
    }
    pam_try
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = spawn(&mut pam_try);
    let mut input = process.stdin.take().unwrap();
    input.write_all(replies.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let (said, log) = (text(&output.stdout), text(&output.stderr));
    let mut lines = said.lines();
    let code = lines
        .next()
        .and_then(|line| line.strip_prefix("code=")?.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no result: {:?}: {said}{log}", output.status));
    Visit {
        code,
        entered: output.status.success(),
        prompts: lines.map(str::to_owned).collect(),
        log: log
            .lines()
            .filter(|line| line.contains("pam_otp"))
            .map(|line| {
                line.split_once("): ")
                    .map_or(line, |(_, said)| said)
                    .to_owned()
            })
            .collect(),
    }
}

/// Starts a program that may just have been written: a process that another
/// thread is forking has it open for writing until it runs its own program.
fn spawn(command: &mut Command) -> Child {
    for _ in 0..10_000 {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            started => return started.unwrap(),
        }
    }
    panic!("{command:?} stays busy");
}

/// The value of a key in a log line, unquoted if it was bare.
pub(crate) fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let pair = line
        .split(' ')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    pair.map(|value| value.trim_matches('"'))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
