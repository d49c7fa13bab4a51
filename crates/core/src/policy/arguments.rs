//! The arguments of one `pam_otp.so` line in a PAM stack.

use std::fmt;
use std::path::PathBuf;

use super::Policy;
use super::keys::{KEYS, Key, Setting};

/// What one line of a stack asks for.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Where the answer comes from.
    pub field: Field,
    /// Hand the password that stood before the code on to the next module.
    pub forward_pass: bool,
    /// Another policy file than the default one.
    pub policy: Option<PathBuf>,
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
         holds the code for a later pam_otp line of the same stack, which checks it. So a wrong \
         password does not use up a code. Checks nothing itself, and never counts as a success.",
    ),
    (
        "forward_pass",
        "Asks for password and code in one field, checks the code, and hands the password on. \
         With try_first_pass or use_first_pass: hands on what stood before the code.",
    ),
    (
        "try_first_pass",
        "Takes the code off the end of the password that an earlier module asked for; asks if \
         there is none, or if it does not open.",
    ),
    ("use_first_pass", "The same, but never asks."),
    ("nullok", "The same as unenrolled=allow."),
    ("echo_verification_code", "The same as echo=true."),
];

/// Arguments with a value that are no policy keys: name, value, meaning.
pub const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "policy",
        "FILE",
        "Reads this policy file instead of /etc/security/pam_otp.toml.",
    ),
    ("authtok_prompt", "TEXT", "The same as prompt=TEXT."),
];

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
        Ok(arguments)
    }

    /// Overrules the policy.
    pub(super) fn apply(&self, policy: &mut Policy) {
        for setting in &self.settings {
            setting.apply(policy);
        }
    }

    fn take(&mut self, text: &str) -> Result<(), ArgumentError> {
        match text {
            "split" => self.choose(Field::Split)?,
            "try_first_pass" => self.choose(Field::TryFirstPass)?,
            "use_first_pass" => self.choose(Field::UseFirstPass)?,
            "forward_pass" => self.forward_pass = true,
            "nullok" => self.set("unenrolled", "allow")?,
            "echo_verification_code" => self.set("echo", "true")?,
            _ => match text.split_once('=') {
                Some(("policy", path)) if path.starts_with('/') => self.policy = Some(path.into()),
                Some(("policy", _)) => {
                    return Err(ArgumentError::Value(
                        "policy",
                        "must be an absolute path".into(),
                    ));
                }
                Some(("authtok_prompt", prompt)) => self.set("prompt", prompt)?,
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
            Self::NotUtf8 => f.write_str("a module argument is not UTF-8 text"),
        }
    }
}

impl std::error::Error for ArgumentError {}
