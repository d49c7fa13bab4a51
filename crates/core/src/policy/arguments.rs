//! The arguments of one `pam_otp.so` line in a PAM stack.

use std::fmt;
use std::path::PathBuf;

use super::Policy;
use super::keys::{KEYS, Key, Setting};
use super::legacy::{LegacyFile, Pattern};
use crate::user::UserName;

/// What one line of a stack asks for.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Where the answer comes from.
    pub field: Field,
    /// Hand the password that stood before the code on to the next module.
    pub forward_pass: bool,
    /// Another policy file than the default one.
    pub policy: Option<PathBuf>,
    /// Where a login with a code leaves the user's name; see
    /// [`witness`](crate::witness).
    pub witness: Option<PathBuf>,
    legacy: LegacyFile,
    settings: Vec<Setting>,
}

/// Where a line gets its answer from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// What an earlier `split` line holds, or else a prompt of our own.
    #[default]
    Own,
    /// Ask for password and code in one, hand the password on, hold the code.
    Split,
    /// The end of the password that an earlier module asked for; prompt if it
    /// is no code that opens.
    TryFirstPass,
    /// The end of the password that an earlier module asked for; never prompt.
    UseFirstPass,
}

/// Arguments without a value: name and meaning, for the manual.
pub const FLAGS: &[(&str, &str)] = &[
    (
        "split",
        "Asks for password and code in one field, hands the password on to the next module and \
         holds the code for a later `pam_otp.so` line of the same stack, which checks it. So a \
         wrong password does not use up a code. Checks nothing itself, and never counts as a \
         success.",
    ),
    (
        "forward_pass",
        "Asks for password and code in one field, checks the code, and hands the password on. \
         With `try_first_pass` or `use_first_pass`: hands on what stood before the code.",
    ),
    (
        "try_first_pass",
        "Takes the code off the end of the password that an earlier module asked for; asks if \
         there is none, or if it does not open.",
    ),
    ("use_first_pass", "As `try_first_pass`, but never asks."),
    ("nullok", "The same as `unenrolled=allow`."),
    ("echo_verification_code", "The same as `echo=true`."),
    ("echo-verification-code", "The same as `echo=true`."),
    ("noskewadj", "The same as `drift=0`."),
    ("allow_readonly", "The same as `unwritable=volatile`."),
    (
        "no_increment_hotp",
        "Changes nothing: a wrong code never moves a counter here.",
    ),
    (
        "no_strict_owner",
        "The file that `secret` names may belong to root, or to the user who logs in, too. Anybody \
         else's is refused all the same.",
    ),
    (
        "debug",
        "Changes nothing: the log has one line for each call, always.",
    ),
];

/// Arguments with a value that are no policy keys: name, value, meaning.
pub const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "policy",
        "FILE",
        "Reads this policy file instead of `/etc/security/pam_otp.toml`. The path must be \
         absolute, and the file must be there.",
    ),
    (
        "witness",
        "FILE",
        "During a trial of pam-otp setup: adds the name of each user who logs in with a code to \
         this file, if it is there and can be written. Changes no decision.",
    ),
    ("authtok_prompt", "TEXT", "The same as `prompt=`."),
    (
        "secret",
        "FILE",
        "Where the user's file of pam_google_authenticator's lies, in the place of \
         `~/.google_authenticator`. An absolute path, in which `${USER}` is the user's name, and \
         `~` or `${HOME}` at the beginning the user's home.",
    ),
    (
        "user",
        "NAME",
        "The file that `secret` names is this user's, and opened with this user's rights. Its \
         path then has `${USER}` in it, and neither `~` nor `${HOME}`.",
    ),
    (
        "allowed_perm",
        "0NNN",
        "The mode that the file that `secret` names may have at most, in octal. 0600, which it is \
         without this, can only be made tighter.",
    ),
    (
        "grace_period",
        "SECONDS",
        "The same as `remember=`, in seconds; 30 days at most.",
    ),
];

/// Seconds: as long as `remember` may last.
const LONGEST_GRACE: u64 = 30 * 24 * 3600;

impl Arguments {
    /// Reads a line's arguments. A later one overrules an earlier one.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] names the first that is unknown or malformed.
    pub fn parse<'a>(list: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ArgumentError> {
        let mut arguments = Self::default();
        for bytes in list {
            let text = std::str::from_utf8(bytes).map_err(|_| ArgumentError::NotUtf8)?;
            arguments.take(text)?;
        }
        if arguments.field == Field::Split && arguments.forward_pass {
            return Err(ArgumentError::Contradiction("split", "forward_pass"));
        }
        arguments.check_legacy()?;
        Ok(arguments)
    }

    /// Overrules the policy.
    pub(super) fn apply(&self, policy: &mut Policy) {
        for setting in &self.settings {
            setting.apply(policy);
        }
        if let Some(legacy) = &mut policy.legacy {
            *legacy = self.legacy.clone();
        }
    }

    /// A user of its own, and a looser owner, are about a file that is named.
    fn check_legacy(&self) -> Result<(), ArgumentError> {
        let LegacyFile { path, user, .. } = &self.legacy;
        match path {
            None if user.is_some() => Err(ArgumentError::Needs("user", "secret")),
            Some(path) if path.needs_home() && user.is_some() => {
                let what = "~ and ${HOME} cannot stand beside the argument `user`";
                Err(ArgumentError::Value("secret", what.into()))
            }
            Some(path) if user.is_some() && !path.names_user() => {
                let what = "must have ${USER} in it beside the argument `user`: each code of a \
                            file for all would open once for each of them";
                Err(ArgumentError::Value("secret", what.into()))
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, text: &str) -> Result<(), ArgumentError> {
        match text {
            "split" => self.choose(Field::Split)?,
            "try_first_pass" => self.choose(Field::TryFirstPass)?,
            "use_first_pass" => self.choose(Field::UseFirstPass)?,
            "forward_pass" => self.forward_pass = true,
            "nullok" => self.set("unenrolled", "allow")?,
            "echo_verification_code" | "echo-verification-code" => self.set("echo", "true")?,
            "noskewadj" => self.set("drift", "0")?,
            "allow_readonly" => self.set("unwritable", "volatile")?,
            "no_strict_owner" => self.legacy.lax_owner = true,
            "no_increment_hotp" | "debug" => {}
            _ => match text.split_once('=') {
                Some(("policy", path)) if path.starts_with('/') => self.policy = Some(path.into()),
                Some(("policy", _)) => {
                    return Err(ArgumentError::Value(
                        "policy",
                        "must be an absolute path".into(),
                    ));
                }
                Some(("witness", path)) if path.starts_with('/') => {
                    self.witness = Some(path.into());
                }
                Some(("witness", _)) => {
                    return Err(ArgumentError::Value(
                        "witness",
                        "must be an absolute path".into(),
                    ));
                }
                Some(("authtok_prompt", prompt)) => self.set("prompt", prompt)?,
                Some((name @ ("secret" | "user" | "allowed_perm" | "grace_period"), value)) => {
                    self.take_legacy(name, value)?;
                }
                Some((name, _)) if FLAGS.iter().any(|flag| flag.0 == name) => {
                    return Err(ArgumentError::TakesNoValue(name.to_owned()));
                }
                Some((name, value)) => self.set(name, value)?,
                None if Key::find(text).is_some()
                    || OPTIONS.iter().any(|option| option.0 == text) =>
                {
                    return Err(ArgumentError::NoValue(text.to_owned()));
                }
                None => return Err(ArgumentError::Unknown(text.to_owned())),
            },
        }
        Ok(())
    }

    /// What only `pam_google_authenticator` has.
    fn take_legacy(&mut self, name: &str, value: &str) -> Result<(), ArgumentError> {
        let value_fault = |name, what: &str| ArgumentError::Value(name, what.to_owned());
        match name {
            "secret" => {
                let pattern = Pattern::parse(value).map_err(|what| value_fault("secret", what))?;
                self.legacy.path = Some(pattern);
            }
            "user" => {
                let user = UserName::new(value)
                    .map_err(|error| ArgumentError::Value("user", error.to_string()))?;
                self.legacy.user = Some(user);
            }
            "allowed_perm" => {
                let digits = value.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
                let mode = u32::from_str_radix(value, 8).ok().filter(|_| digits);
                self.legacy.mode = match mode {
                    Some(mode) if mode & !0o600 == 0 && mode != 0 => mode,
                    Some(1..) => {
                        let what = "lets others read the secret, which is refused here; make each \
                                    file its owner's alone (chmod 0600) and take this away";
                        return Err(value_fault("allowed_perm", what));
                    }
                    _ => return Err(value_fault("allowed_perm", "must be a mode in octal")),
                };
            }
            _ => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let seconds = value.parse::<u64>().ok().filter(|_| digits);
                let what = "must be a number of seconds";
                let seconds = seconds.ok_or_else(|| value_fault("grace_period", what))?;
                self.set("remember", &format!("{}s", seconds.min(LONGEST_GRACE)))?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ArgumentError> {
        let key = Key::find(name).ok_or_else(|| ArgumentError::Unknown(name.to_owned()))?;
        let setting = key
            .check_argument(value)
            .map_err(|what| ArgumentError::Value(key.name, what))?;
        self.settings.push(setting);
        Ok(())
    }

    fn choose(&mut self, field: Field) -> Result<(), ArgumentError> {
        let name = |field| match field {
            Field::Own => "",
            Field::Split => "split",
            Field::TryFirstPass => "try_first_pass",
            Field::UseFirstPass => "use_first_pass",
        };
        if self.field != Field::Own && self.field != field {
            return Err(ArgumentError::Contradiction(name(self.field), name(field)));
        }
        self.field = field;
        Ok(())
    }
}

/// What is wrong with a line's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// There is no argument of this name.
    Unknown(String),
    /// This one needs a value.
    NoValue(String),
    /// This one takes none.
    TakesNoValue(String),
    /// This one does not take that value.
    Value(&'static str, String),
    /// These two exclude each other.
    Contradiction(&'static str, &'static str),
    /// The first one says nothing without the second.
    Needs(&'static str, &'static str),
    /// Not text.
    NotUtf8,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "module argument `{name}` is unknown; known are:")?;
                let flags = FLAGS.iter().map(|flag| flag.0);
                let options = OPTIONS.iter().map(|option| option.0);
                for known in flags.chain(options).chain(KEYS.iter().map(|key| key.name)) {
                    write!(f, " {known}")?;
                }
                Ok(())
            }
            Self::NoValue(name) => {
                write!(f, "module argument `{name}` needs a value: {name}=VALUE")
            }
            Self::TakesNoValue(name) => write!(f, "module argument `{name}` takes no value"),
            Self::Value(name, what) => write!(f, "module argument `{name}`: {what}"),
            Self::Contradiction(one, two) => {
                write!(f, "module arguments `{one}` and `{two}` exclude each other")
            }
            Self::Needs(one, other) => {
                write!(f, "module argument `{one}` needs `{other}` beside it")
            }
            Self::NotUtf8 => f.write_str("a module argument is not UTF-8 text"),
        }
    }
}

impl std::error::Error for ArgumentError {}
