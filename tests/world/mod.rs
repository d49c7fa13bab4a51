//! A sandbox with enrolled people in it, and the stacks of `pam.d-examples/`.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "each test program uses what it needs; a helper that fails is a broken test"
)]

use std::path::Path;
use std::time::Duration;

use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::policy::Policy;
use pam_otp_core::recovery::RecoverySet;
use pam_otp_core::state::State;
use pam_otp_core::store::{Account, Store};
use pam_otp_core::time::Period;
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::user::UserName;
use pam_otp_testkit::authenticator;
use pam_otp_testkit::sandbox::Sandbox;

/// How long anything may take before the test is broken.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// What the module asks in a field of its own.
pub(crate) const QUESTION: &str = "One-time code: ";

/// A sandbox whose people have phones.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
}

impl World {
    /// A world, or None where there is no root.
    pub(crate) fn or_skip() -> Option<Self> {
        Sandbox::or_skip().map(|sandbox| Self { sandbox })
    }

    /// Puts a stack of `pam.d-examples/` into force, verbatim but for the
    /// place of the module that is tested.
    pub(crate) fn stack(&self, service: &str, example: &str) {
        self.sandbox.pam_service(service, &placed(&read(example)));
    }

    /// Adds a user who has a record in the home store.
    pub(crate) fn enrol(&self, name: &str) -> Phone {
        self.sandbox.add_user(name, PASSWORD);
        let secret = Secret::new(&random::<{ Secret::NEW }>()).expect("a secret");
        let (set, codes) = RecoverySet::generate(&random());
        let token = Token {
            name: TokenName::new("phone").expect("a name"),
            label: pam_otp_core::label::Label::default(),
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: secret.clone(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        };
        let tokens = TokenFile::new(vec![token], Some(set)).expect("a token file");
        self.sandbox.inside(|| {
            let name = UserName::new(name).expect("a user name");
            let account = Account::resolve(&name).expect("the user database");
            let store = Store::new(&Policy::default());
            store
                .enrol(&account, &tokens, &State::default())
                .expect("enrol");
        });
        Phone {
            secret: secret.to_base32().to_string(),
            recovery: codes
                .iter()
                .map(|code| code.to_text().to_string())
                .collect(),
        }
    }

    /// The module's line in the log with all these words in it.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        let wanted =
            |line: &str| line.contains("pam_otp(") && words.iter().all(|word| has_word(line, word));
        self.sandbox.syslog().wait_for(wanted, SOON)
    }

    /// All lines of the module so far.
    pub(crate) fn log(&self) -> Vec<String> {
        let mut lines = self.sandbox.syslog().lines();
        lines.retain(|line| line.contains("pam_otp("));
        lines
    }
}

/// What somebody enrolled has in a pocket.
pub(crate) struct Phone {
    secret: String,
    /// Ten codes on paper, each good once.
    pub(crate) recovery: Vec<String>,
}

impl Phone {
    /// The code that is shown now.
    pub(crate) fn code(&self) -> String {
        authenticator::code(&self.secret, authenticator::now())
    }

    /// The code that is shown next, good already by the default window: a
    /// test need not wait for the second of two.
    pub(crate) fn next_code(&self) -> String {
        authenticator::code(&self.secret, authenticator::now() + 30)
    }

    /// Six digits that are no code of the last or next two minutes.
    pub(crate) fn wrong_code(&self) -> String {
        let now = authenticator::now();
        let near: Vec<_> = (0..9)
            .map(|step| authenticator::code(&self.secret, now - 120 + step * 30))
            .collect();
        (0..1_000_000)
            .map(|guess| format!("{guess:06}"))
            .find(|guess| !near.contains(guess))
            .expect("a wrong code")
    }
}

/// The text of an example.
pub(crate) fn read(example: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("pam.d-examples")
        .join(example);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A stack with the module's place left open for the kit to fill.
pub(crate) fn placed(stack: &str) -> String {
    let lines = stack.lines().map(|line| {
        if line.starts_with('#') {
            line.to_owned()
        } else {
            line.replace("pam_otp.so", "{module}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(' ').any(|part| part == word)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let source = std::fs::File::open("/dev/urandom");
    source
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut bytes))
        .expect("randomness");
    bytes
}
