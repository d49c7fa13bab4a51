//! A system store with one user, alice, whose codes we know.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::policy::{Policy, StoreKind};
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::state::State;
use pam_otp_core::state::slots::Slots;
use pam_otp_core::store::{Account, STATE_FILE, Store, TOKEN_FILE};
use pam_otp_core::time::Period;
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::user::UserName;

/// The secret of both RFCs' vectors: `12345678901234567890`.
pub(crate) const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Directories that stay for the life of the process; files in them are new for
/// each input.
pub(crate) struct World {
    directory: PathBuf,
    pub(crate) token: Token,
    pub(crate) recovery: Vec<RecoveryCode>,
    /// A code that is right for none of the steps that a login may be in.
    pub(crate) wrong: String,
    set: RecoverySet,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = crate::directory("login");
        let token = Token {
            name: TokenName::new("phone").expect("a name"),
            label: pam_otp_core::label::Label::default(),
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: Secret::from_base32(SECRET).expect("a secret"),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        };
        let generator = token.generator();
        let code = |step| generator.code(step).to_text().to_string();
        let right: Vec<String> = (900..1_100).map(code).collect();
        let mut guesses = (0..).map(|guess| format!("{guess:06}"));
        let wrong = guesses
            .find(|guess| !right.contains(guess))
            .expect("a million codes");
        let random = std::array::from_fn(|place| place.to_le_bytes()[0]);
        let (set, recovery) = RecoverySet::generate(&random);
        Self {
            directory,
            token,
            recovery,
            wrong,
            set,
        }
    }

    /// Everything as after alice's enrolment.
    pub(crate) fn reset(&self, rules: &str) {
        let record = self.record();
        let _ = fs::remove_dir_all(self.records());
        fs::create_dir_all(&record).expect("make the record");
        for directory in [self.records(), record] {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).expect("chmod");
        }
        let tokens = TokenFile::new(vec![self.token.clone()], Some(self.set.clone()));
        self.write(TOKEN_FILE, tokens.expect("a token").to_toml().as_bytes());
        let state = Slots::create(&State::default());
        self.write(STATE_FILE, &state.expect("an empty state"));
        let records = self.records();
        let text = format!(
            "store = \"system\"\nsystem_store = \"{}\"\n{rules}\n",
            records.display()
        );
        fs::write(self.policy_file(), text).expect("write the policy");
    }

    /// Writes a file of alice's record, in place if it is there.
    pub(crate) fn write(&self, file: &str, content: &[u8]) {
        let path = self.record().join(file);
        if fs::write(&path, content).is_ok() {
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
        }
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.directory.join("records")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.records().join("alice")
    }

    pub(crate) fn policy_file(&self) -> PathBuf {
        self.directory.join("policy.toml")
    }

    /// Alice's code at a step.
    pub(crate) fn code(&self, step: u64) -> String {
        self.token.generator().code(step).to_text().to_string()
    }

    /// What alice's state says, if it can be read.
    pub(crate) fn state(&self) -> Option<State> {
        let bytes = fs::read(self.record().join(STATE_FILE)).ok()?;
        Some(Slots::decode(&bytes).ok()?.state())
    }

    /// What a state says was used: the step, and each recovery code.
    pub(crate) fn used(&self, state: &State) -> (u64, Vec<bool>) {
        let recovery = self.set.ids().map(|id| state.is_spent(id));
        (state.next(self.token.id()), recovery.collect())
    }

    /// Whether anything has the token file's name, usable or not.
    pub(crate) fn has_token_file(&self) -> bool {
        fs::symlink_metadata(self.record().join(TOKEN_FILE)).is_ok()
    }

    /// Something that can be wrong with a record.
    pub(crate) fn damage(&self, fault: u8) {
        let (token, state) = (
            self.record().join(TOKEN_FILE),
            self.record().join(STATE_FILE),
        );
        let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        // What cannot be done because of an earlier fault is done already.
        let _ = match fault {
            b'0' => fs::write(token, "version = 1\n"),
            b'1' => fs::write(token, ""),
            b'2' => mode(token, 0o666),
            b'3' => fs::remove_file(&token).and_then(|()| symlink("/etc/hostname", token)),
            b'4' => fs::remove_file(token),
            b'5' => fs::remove_file(state),
            b'6' => fs::write(state, "short"),
            b'7' => fs::write(state, vec![b'x'; pam_otp_core::state::slots::FILE]),
            b'8' => fs::remove_file(&state).and_then(|()| fs::create_dir(state)),
            _ => fs::remove_dir_all(self.records()),
        };
    }

    /// Removes alice's record, as the administrator does.
    pub(crate) fn remove(&self) {
        let policy = Policy {
            store: StoreKind::System,
            system_store: self.records(),
            ..Policy::default()
        };
        let alice = UserName::new("alice").expect("a name");
        let alice = Account::resolve(&alice).expect("the user database");
        let _ = Store::new(&policy).remove(&alice);
    }
}
