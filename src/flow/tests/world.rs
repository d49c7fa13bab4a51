//! A policy and a system store of the test's own, and a token whose codes
//! stand in RFC 4226.

use std::path::PathBuf;

use pam::constants::PamResultCode;
use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::policy::Policy;
use pam_otp_core::policy::arguments::Arguments;
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::state::State;
use pam_otp_core::store::{Account, Store, TOKEN_FILE};
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::user::UserName;
use pam_otp_testkit::temp::TempDir;

use super::scripted::Scripted;

/// The secret of both RFCs' vectors: `12345678901234567890`.
pub(super) const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// RFC 4226, appendix D: the codes of the first ten counters, and so of the
/// first ten time steps. Logins of these tests begin in step 5.
pub(super) const CODES: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
    "520489",
];

/// The code of step 5.
pub(super) const NOW: &str = CODES[5];

pub(super) struct World {
    directory: TempDir,
    store: Store,
}

impl World {
    /// A system store, and these lines of policy.
    pub(super) fn new(rules: &str) -> Self {
        let directory = TempDir::new();
        let records = directory.path().join("records");
        std::fs::create_dir(&records).unwrap();
        let store = Store::new(&Policy {
            store: pam_otp_core::policy::StoreKind::System,
            system_store: records.clone(),
            ..Policy::default()
        });
        let text = format!("store = \"system\"\nsystem_store = {records:?}\n{rules}\n");
        std::fs::write(directory.path().join("policy.toml"), text).unwrap();
        Self { directory, store }
    }

    /// Where alice has the token of the vectors, and recovery codes.
    pub(super) fn with_alice(rules: &str) -> Self {
        let world = Self::new(rules);
        world.enrol("alice", vec![token("phone", TIMED, 6)]);
        world
    }

    pub(super) fn enrol(&self, user: &str, tokens: Vec<Token>) {
        let tokens = TokenFile::new(tokens, Some(recovery().0)).unwrap();
        let account = account(user);
        self.store
            .enrol(&account, &tokens, &State::default())
            .unwrap();
    }

    /// A handle to remove or replace the record while somebody types.
    pub(super) fn store(&self) -> Store {
        self.store.clone()
    }

    pub(super) fn policy_file(&self) -> PathBuf {
        self.directory.path().join("policy.toml")
    }

    pub(super) fn token_file(&self, user: &str) -> PathBuf {
        let records = self.directory.path().join("records");
        records.join(user).join(TOKEN_FILE)
    }

    /// Wrong guesses since the last success.
    pub(super) fn failures(&self, user: &str) -> u32 {
        let mut record = self.store.open(&account(user)).unwrap().unwrap();
        record.state().unwrap().history().failures
    }

    /// Plays one line with these arguments to the host.
    pub(super) fn play(&self, host: &mut Scripted, arguments: &[&str]) -> PamResultCode {
        let policy = format!("policy={}", self.policy_file().display());
        let mut all = vec![policy.as_bytes()];
        all.extend(arguments.iter().map(|argument| argument.as_bytes()));
        let clock = host.clock.clone();
        let outcome = super::super::authenticate(host, &all, || UnixTime(clock.get()));
        outcome.pam_code()
    }
}

impl World {
    /// Sets the credentials: the code that it gives, if anything was confirmed.
    pub(super) fn set_credentials(
        &self,
        host: &mut Scripted,
        arguments: &[&str],
    ) -> Option<PamResultCode> {
        let policy = format!("policy={}", self.policy_file().display());
        let mut all = vec![policy.as_bytes()];
        all.extend(arguments.iter().map(|argument| argument.as_bytes()));
        let clock = host.clock.clone();
        let effect = super::super::enrolment::take_effect(host, &all, || UnixTime(clock.get()));
        effect.map(|outcome| outcome.pam_code())
    }

    /// Whether a file of the user's record is there.
    pub(super) fn has(&self, user: &str, file: &str) -> bool {
        self.path(user, file).exists()
    }

    /// What a file of a record says.
    pub(super) fn read(&self, user: &str, file: &str) -> String {
        std::fs::read_to_string(self.path(user, file)).unwrap()
    }

    fn path(&self, user: &str, file: &str) -> std::path::PathBuf {
        let records = self.directory.path().join("records");
        records.join(user).join(file)
    }
}

pub(super) const TIMED: Kind = Kind::Totp {
    period: Period::DEFAULT,
};

pub(super) fn token(name: &str, kind: Kind, digits: u64) -> Token {
    Token {
        name: TokenName::new(name).unwrap(),
        label: pam_otp_core::label::Label::default(),
        kind,
        secret: Secret::from_base32(SECRET).unwrap(),
        algorithm: Algorithm::Sha1,
        digits: Digits::new(digits).unwrap(),
        added: None,
    }
}

/// Always the same set.
pub(super) fn recovery() -> (RecoverySet, Vec<RecoveryCode>) {
    RecoverySet::generate(&std::array::from_fn(|place| place.to_le_bytes()[0]))
}

pub(super) fn account(user: &str) -> Account {
    Account::resolve(&UserName::new(user).unwrap()).unwrap()
}

/// That the policy's tests and these mean the same by an argument.
#[test]
fn the_world_s_policy_is_read_as_it_is_written() {
    let world = World::new("window = 3");
    let argument = format!("policy={}", world.policy_file().display());
    let arguments = Arguments::parse([argument.as_bytes()]).unwrap();
    let policy = Policy::for_login(&arguments, "door").unwrap();
    assert_eq!(policy.rules.window, 3);
}
