//! The one table of policy keys. The file's parser, the module's arguments, the
//! manual page and the tests are all made from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Policy, StoreKind, Unenrolled, Unwritable};
use crate::document::Value;

/// One key of the policy.
#[derive(Debug)]
pub struct Key {
    /// Its name, in the file and as `name=value` among the arguments.
    pub name: &'static str,
    /// What values it takes.
    pub takes: Takes,
    /// The value that it has where nothing is said.
    pub default: &'static str,
    /// What it does, for the manual.
    pub meaning: &'static str,
    set: fn(&mut Policy, &Setting),
}

/// Every key, in the order of the manual.
pub const KEYS: &[Key] = &[
    Key {
        name: "store",
        takes: Takes::Word(&["home", "system"]),
        default: "home",
        meaning: "Where records lie: home is ~/.pam-otp, the user's own; system is a directory \
                  of root's that the user's processes cannot read.",
        set: |policy, setting| {
            policy.store = if setting.is("system") {
                StoreKind::System
            } else {
                StoreKind::Home
            };
        },
    },
    Key {
        name: "system_store",
        takes: Takes::Path,
        default: super::DEFAULT_SYSTEM_STORE,
        meaning: "The directory of the system store.",
        set: |policy, setting| policy.system_store = PathBuf::from(setting.text()),
    },
    Key {
        name: "unwritable",
        takes: Takes::Word(&["deny", "volatile"]),
        default: "deny",
        meaning: "A record on a disk that is read-only, full or failing: deny refuses the login; \
                  volatile keeps what it changes in a copy of root's under /run, until the disk \
                  takes it. Codes that were used so are forgotten when the machine is started \
                  anew.",
        set: |policy, setting| {
            policy.unwritable = if setting.is("volatile") {
                Unwritable::Volatile
            } else {
                Unwritable::Deny
            };
        },
    },
    Key {
        name: "legacy",
        takes: Takes::Truth,
        default: "true",
        meaning: "Whether a user without a record of pam-otp's logs in by a file of \
                  pam_google_authenticator's, if there is one: ~/.google_authenticator, or what \
                  the argument secret names. It is read, and never written.",
        set: |policy, setting| {
            policy.legacy = setting
                .is("true")
                .then(|| policy.legacy.take().unwrap_or_default());
        },
    },
    Key {
        name: "window",
        takes: Takes::Number(0, 10),
        default: "1",
        meaning: "Time-based codes: how many steps before and after the present one are accepted.",
        set: |policy, setting| policy.rules.window = setting.number(),
    },
    Key {
        name: "look_ahead",
        takes: Takes::Number(1, 100),
        default: "10",
        meaning: "Counter-based codes: how many counter values are tried, from the next one on.",
        set: |policy, setting| policy.rules.look_ahead = setting.number(),
    },
    Key {
        name: "drift",
        takes: Takes::Number(0, 20),
        default: "2",
        meaning: "Time-based codes: most steps by which logins take a token's clock to be off. How \
                  far it is off is learnt from codes that opened. 0: not at all. pam-otp resync \
                  follows one that is farther off.",
        set: |policy, setting| {
            policy.rules.drift = u16::try_from(setting.number()).unwrap_or(0);
        },
    },
    Key {
        name: "tries",
        takes: Takes::Number(1, 10),
        default: "3",
        meaning: "Wrong codes that a source (an address, or a user of this machine) may send \
                  before it must wait.",
        set: |policy, setting| {
            policy.rules.throttle.tries = u32::try_from(setting.number()).unwrap_or(1);
        },
    },
    Key {
        name: "wait",
        takes: Takes::Number(1, 3600),
        default: "30",
        meaning: "Seconds that it waits then; twice as long after each further wrong code, up to \
                  an hour.",
        set: |policy, setting| policy.rules.throttle.first_wait = setting.number(),
    },
    Key {
        name: "unenrolled",
        takes: Takes::Word(&["deny", "allow"]),
        default: "deny",
        meaning: "A user without a record: deny refuses the login; allow leaves it to the other \
                  modules of the stack.",
        set: |policy, setting| {
            policy.unenrolled = if setting.is("allow") {
                Unenrolled::Allow
            } else {
                Unenrolled::Deny
            };
        },
    },
    Key {
        name: "prompt",
        takes: Takes::Text,
        default: "",
        meaning: "The question. Empty: \"One-time code: \", or \"Password and one-time code: \" \
                  where one field holds both.",
        set: |policy, setting| {
            policy.prompt = Some(setting.text().to_owned()).filter(|text| !text.is_empty());
        },
    },
    Key {
        name: "echo",
        takes: Takes::Truth,
        default: "false",
        meaning: "Whether the answer is shown while it is typed. Never where it holds a password.",
        set: |policy, setting| policy.echo = setting.is("true"),
    },
    Key {
        name: "fail_delay",
        takes: Takes::Number(0, 60_000),
        default: "2000",
        meaning: "Milliseconds that libpam waits after a failure, give or take up to a half. \
                  Applications may choose otherwise.",
        set: |policy, setting| policy.fail_delay = Duration::from_millis(setting.number()),
    },
];

impl Key {
    /// Finds a key by its name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Checks a value of the policy file.
    pub(super) fn check(&'static self, value: Value<'_>) -> Result<Setting, String> {
        let setting = match value {
            Value::Text(text) if self.takes.is_text() => Some(text.to_owned()),
            Value::Integer(number) if matches!(self.takes, Takes::Number(..)) => {
                Some(number.to_string())
            }
            Value::Boolean(truth) if matches!(self.takes, Takes::Truth) => Some(truth.to_string()),
            _ => None,
        };
        setting
            .filter(|text| self.takes.accepts(text))
            .map(|text| Setting { key: self, text })
            .ok_or_else(|| self.takes.words())
    }

    /// Checks the value of an argument, which is always text.
    pub(super) fn check_argument(&'static self, text: &str) -> Result<Setting, String> {
        if self.takes.accepts(text) {
            Ok(Setting {
                key: self,
                text: text.to_owned(),
            })
        } else {
            Err(self.takes.words())
        }
    }
}

/// What values a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// `true` or `false`.
    Truth,
    /// Up to 200 characters, none of them a control character.
    Text,
    /// An absolute path.
    Path,
}

impl Takes {
    /// What it takes, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Word(words) => format!("must be one of: {}", words.join(", ")),
            Self::Number(from, to) => format!("must be a whole number from {from} to {to}"),
            Self::Truth => "must be true or false".to_owned(),
            Self::Text => "must be text of at most 200 characters on one line".to_owned(),
            Self::Path => "must be an absolute path".to_owned(),
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Word(_) | Self::Text | Self::Path)
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Word(words) => words.contains(&text),
            Self::Number(from, to) => {
                text.bytes().all(|byte| byte.is_ascii_digit())
                    && text
                        .parse()
                        .is_ok_and(|number: u64| (from..=to).contains(&number))
            }
            Self::Truth => matches!(text, "true" | "false"),
            Self::Text => text.chars().count() <= 200 && !text.chars().any(char::is_control),
            Self::Path => Path::new(text).is_absolute() && !text.chars().any(char::is_control),
        }
    }
}

/// A key with a value that it takes.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    key: &'static Key,
    text: String,
}

impl Setting {
    pub(super) fn apply(&self, policy: &mut Policy) {
        (self.key.set)(policy, self);
    }

    fn is(&self, word: &str) -> bool {
        self.text == word
    }

    fn text(&self) -> &str {
        &self.text
    }

    /// Checked when the setting was made.
    fn number(&self) -> u64 {
        self.text.parse().unwrap_or(0)
    }
}
