//! The one table of policy keys. The file's parser, the module's arguments, the
//! manual page and the tests are all made from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Policy, StoreKind, Unenrolled, Unwritable};
use crate::date::Date;
use crate::document::{Entry, Fault, Value};
use crate::network::Network;

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
        meaning: "Where records lie: `home` is `~/.pam-otp`, the user's own; `system` is a \
                  directory of root's that the user's processes cannot read.",
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
        meaning: "A record on a disk that is read-only, full or failing: `deny` refuses the login; \
                  `volatile` keeps what it changes in a copy of root's under `/run`, until the \
                  disk takes it. Codes that were used so are forgotten when the machine is started \
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
                  pam_google_authenticator's, if there is one: `~/.google_authenticator`, or what \
                  the argument `secret` names. It is read, and never written.",
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
                  far it is off is learnt from codes that opened. 0: not at all. `pam-otp resync` \
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
        takes: Takes::Word(&["deny", "allow", "enroll"]),
        default: "deny",
        meaning: "A user without a record: `deny` refuses the login; `allow` leaves it to the \
                  other modules of the stack; `enroll` has the user enrol during the login.",
        set: |policy, setting| {
            policy.unenrolled = match setting.text() {
                "allow" => Unenrolled::Allow,
                "enroll" => Unenrolled::Enroll,
                _ => Unenrolled::Deny,
            };
        },
    },
    Key {
        name: "enroll_by",
        takes: Takes::Date,
        default: "",
        meaning: "From this day on (UTC), users whom `unenrolled = \"enroll\"` asks must enrol; \
                  before it, they may put it off. Empty: at once. Users whom the require keys \
                  name: see `require_by`.",
        set: |policy, setting| policy.enroll_by = Date::parse(setting.text()),
    },
    Key {
        name: "exempt_users",
        takes: Takes::List(Item::Name),
        default: "",
        meaning: "Users who need no code. Root is exempt only if named here.",
        set: |policy, setting| policy.exceptions.exempt_users = setting.list(),
    },
    Key {
        name: "exempt_groups",
        takes: Takes::List(Item::Name),
        default: "",
        meaning: "Groups whose members need no code.",
        set: |policy, setting| policy.exceptions.exempt_groups = setting.list(),
    },
    Key {
        name: "exempt_networks",
        takes: Takes::List(Item::Network),
        default: "",
        meaning: "Networks from which no code is needed, each an address or ADDRESS/BITS. Only a \
                  client whose address the application tells comes from a network.",
        set: |policy, setting| policy.exceptions.exempt_networks = setting.networks(),
    },
    Key {
        name: "require_users",
        takes: Takes::List(Item::Name),
        default: "",
        meaning: "Users who need a code, whatever the keys before this one say.",
        set: |policy, setting| policy.exceptions.require_users = setting.list(),
    },
    Key {
        name: "require_groups",
        takes: Takes::List(Item::Name),
        default: "",
        meaning: "Groups whose members need a code, likewise. A group that the system does not \
                  know has every user in it.",
        set: |policy, setting| policy.exceptions.require_groups = setting.list(),
    },
    Key {
        name: "require_by",
        takes: Takes::Date,
        default: "",
        meaning: "From this day on (UTC), users whom the require keys name must enrol, where \
                  `unenrolled = \"enroll\"` asks them; before it, they may put it off. Empty: at \
                  once, whatever `enroll_by` says.",
        set: |policy, setting| policy.require_by = Date::parse(setting.text()),
    },
    Key {
        name: "remember",
        takes: Takes::Duration(30),
        default: "0",
        meaning: "How long a login with a code lasts for further ones of the same user from the \
                  same address or, on this machine, in the same login session and at the same \
                  terminal. 0: each needs a code of its own.",
        set: |policy, setting| policy.rules.remember = setting.seconds(),
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
    pub(super) fn check(&'static self, entry: &Entry<'_, '_>) -> Result<Setting, Fault> {
        if let Takes::List(of) = self.takes {
            let entries = entry.items();
            let entries = entries.ok_or_else(|| entry.fault(self.takes.words()))?;
            let items = entries.iter().map(|entry| match entry.value() {
                Value::Text(text) if of.accepts(text) => Ok(text.to_owned()),
                _ => Err(entry.fault(self.takes.words())),
            });
            let items = items.collect::<Result<_, _>>()?;
            return Ok(Setting { key: self, items });
        }
        let text = match entry.value() {
            Value::Text(text) if self.takes.is_text() => Some(text.to_owned()),
            Value::Integer(number) if matches!(self.takes, Takes::Number(..)) => {
                Some(number.to_string())
            }
            Value::Boolean(truth) if matches!(self.takes, Takes::Truth) => Some(truth.to_string()),
            _ => None,
        };
        text.filter(|text| self.takes.accepts(text))
            .map(|text| Setting {
                key: self,
                items: vec![text],
            })
            .ok_or_else(|| entry.fault(self.takes.words()))
    }

    /// Checks the value of an argument, which is always text.
    pub(super) fn check_argument(&'static self, text: &str) -> Result<Setting, String> {
        if self.takes.accepts(text) {
            let items = match self.takes {
                Takes::List(_) => listed(text).map(str::to_owned).collect(),
                _ => vec![text.to_owned()],
            };
            Ok(Setting { key: self, items })
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
    /// Any number of these: an array of strings in the file, with commas between
    /// them in an argument.
    List(Item),
    /// A day, `YYYY-MM-DD`; or nothing.
    Date,
    /// Up to so many days: `90s`, `30m`, `8h`, `2d`; or `0`.
    Duration(u64),
}

/// What a list is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The name of a user or a group.
    Name,
    /// An address, or a network.
    Network,
}

impl Item {
    /// Whether it can stand in such a list.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            // Nobody is called so. Whoever writes it means more than a name, and
            // would get less.
            Self::Name => {
                !text.is_empty()
                    && text.trim() == text
                    && !text.starts_with(['@', '%', '+', '-', '!'])
                    && !text.contains(|c: char| c.is_control() || "*?,:/".contains(c))
            }
            Self::Network => text.parse::<Network>().is_ok(),
        }
    }
}

/// The items of a list in an argument.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(move |_| !text.is_empty())
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The seconds of a duration.
fn seconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let units = [("s", 1), ("m", MINUTE), ("h", HOUR), ("d", DAY)];
    let (number, unit) = units
        .iter()
        .find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, unit)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(*unit)
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
            Self::Date => "must be a day as in 2027-03-31, or empty".to_owned(),
            Self::List(Item::Name) => "must be a list of plain names, without wildcards".to_owned(),
            Self::List(Item::Network) => "must be a list of networks: ADDRESS or ADDRESS/BITS, \
                                          with no bit set after those, and no host names"
                .to_owned(),
            Self::Duration(days) => {
                format!("must be 0 or a time as in 90s, 30m, 8h or 2d, up to {days}d")
            }
        }
    }

    fn is_text(self) -> bool {
        matches!(
            self,
            Self::Word(_) | Self::Text | Self::Path | Self::Date | Self::Duration(_)
        )
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
            Self::Date => text.is_empty() || Date::parse(text).is_some(),
            Self::List(of) => listed(text).all(|item| of.accepts(item)),
            Self::Duration(days) => {
                seconds(text).is_some_and(|seconds| seconds <= days.saturating_mul(DAY))
            }
        }
    }
}

/// A key with a value that it takes.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    key: &'static Key,
    /// One, but for a list.
    items: Vec<String>,
}

impl Setting {
    pub(super) fn apply(&self, policy: &mut Policy) {
        (self.key.set)(policy, self);
    }

    fn is(&self, word: &str) -> bool {
        self.text() == word
    }

    fn text(&self) -> &str {
        self.items.first().map(String::as_str).unwrap_or_default()
    }

    fn list(&self) -> Vec<String> {
        self.items.clone()
    }

    /// Checked when the setting was made.
    fn networks(&self) -> Vec<Network> {
        let networks = self.items.iter().map(|text| text.parse());
        networks.filter_map(Result::ok).collect()
    }

    /// Checked when the setting was made.
    fn seconds(&self) -> u64 {
        seconds(self.text()).unwrap_or(0)
    }

    /// Checked when the setting was made.
    fn number(&self) -> u64 {
        self.text().parse().unwrap_or(0)
    }
}
