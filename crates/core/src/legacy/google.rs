//! The file `~/.google_authenticator`, format as read by
//! `pam_google_authenticator`.

use std::fmt;

use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use super::ScratchCodes;
use crate::code::{Algorithm, Code, Digits, Secret, SecretError};
use crate::document::Fault;
use crate::label::Label;
use crate::time::Period;
use crate::token::{Kind, Token, TokenName};

/// Most bytes in such a file: the limit of its own reader.
pub const MAX_FILE: usize = 64 * 1024;

/// What such a file says.
#[derive(Clone, Debug)]
pub struct GoogleFile {
    /// The token: HMAC-SHA-1 and six digits. A `hotp` token's counter is the
    /// next one to open.
    pub token: Token,
    /// How many codes count at one time, 1 to 100. TOTP: `(window - 1) / 2`
    /// before the present one and `window / 2` after it, so that a policy's
    /// `window = window / 2` takes all of them. HOTP: the policy's `look_ahead`.
    pub window: u64,
    /// TOTP: how many steps the token's clock is ahead of the host's, which is
    /// what a state calls drift. 0 for HOTP.
    pub skew: i16,
    /// The scratch codes that are not spent: their reader takes spent ones out.
    pub scratch: ScratchCodes,
    /// TOTP: the highest step whose code was used. To be spent before the first
    /// login, so that what was used before stays used. `None` for HOTP, where
    /// the counter says it.
    pub spent: Option<u64>,
    /// What was read over. The token is whole without it.
    pub warnings: Vec<Warning>,
}

impl GoogleFile {
    /// Reads such a file, of at most [`MAX_FILE`] bytes. The token gets the
    /// name `name`.
    ///
    /// # Errors
    ///
    /// [`Fault`] names line and option; it shows no value. Whatever its own
    /// reader refuses is refused, where it bears on a login.
    pub fn parse(text: &[u8], name: TokenName) -> Result<Self, Fault> {
        if text.len() > MAX_FILE {
            return Err(fault(1, format!("the file has more than {MAX_FILE} bytes")));
        }
        let mut lines = text
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .zip(1_usize..);
        if let Some((_, line)) = lines.clone().find(|(text, _)| text.contains(&0)) {
            return Err(fault(line, "a NUL byte".to_owned()));
        }
        let (first, _) = lines.next().unwrap_or_default();
        let secret = read_secret(first).map_err(|error| fault(1, error.to_string()))?;
        let rest = Rest::read(lines, &secret);
        let kind = rest.kind()?;
        let token = Token {
            name,
            label: Label::default(),
            kind,
            secret,
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        };
        let window = rest.option("WINDOW_SIZE").map_or(Ok(3), |option| {
            option
                .number()
                .filter(|size| (1..=100).contains(size))
                .ok_or_else(|| option.fault("must be a number, 1 to 100"))
        })?;
        let (skew, spent) = match kind {
            Kind::Totp { .. } => (rest.skew()?, rest.spent()?),
            Kind::Hotp { .. } => (0, None),
        };
        Ok(Self {
            token,
            window,
            skew,
            scratch: rest.scratch,
            spent,
            warnings: rest.warnings,
        })
    }
}

/// Something in the file that was read over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// An option that nobody knows here.
    UnknownOption {
        /// Line, from 1.
        line: usize,
        /// Its name. `None` if it has not the form of one, and may be anything.
        name: Option<String>,
    },
    /// An option that was given before. The first one counts.
    Repeated {
        /// Line, from 1.
        line: usize,
        /// Its name.
        name: &'static str,
    },
    /// Neither option nor scratch code. Its own reader looks for no scratch code
    /// from here on, and neither do we.
    NoScratchCode {
        /// Line, from 1.
        line: usize,
    },
    /// A scratch code more than [`ScratchCodes::MAX`]. It does not count, nor
    /// does any after it.
    TooManyScratchCodes {
        /// Line, from 1.
        line: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOption {
                line,
                name: Some(name),
            } => write!(f, "line {line}: the option {name} is not known"),
            Self::UnknownOption { line, name: None } => {
                write!(f, "line {line}: this is no option that is known")
            }
            Self::Repeated { line, name } => {
                write!(
                    f,
                    "line {line}: {name} was given before; the first one counts"
                )
            }
            Self::NoScratchCode { line } => write!(
                f,
                "line {line}: neither an option nor a scratch code; no scratch code from here on counts"
            ),
            Self::TooManyScratchCodes { line } => write!(
                f,
                "line {line}: more than {} scratch codes; none from here on counts",
                ScratchCodes::MAX
            ),
        }
    }
}

/// The options that its own reader knows, but for `LAST0` to `LAST9`.
const OPTIONS: [&str; 8] = [
    "TOTP_AUTH",
    "HOTP_COUNTER",
    "WINDOW_SIZE",
    "STEP_SIZE",
    "TIME_SKEW",
    "RATE_LIMIT",
    "DISALLOW_REUSE",
    "RESETTING_TIME_SKEW",
];

/// All lines but the first.
struct Rest<'a> {
    options: Vec<Setting<'a>>,
    scratch: ScratchCodes,
    warnings: Vec<Warning>,
}

impl<'a> Rest<'a> {
    fn read(lines: impl Iterator<Item = (&'a [u8], usize)>, secret: &Secret) -> Self {
        let mut rest = Self {
            options: Vec::new(),
            scratch: ScratchCodes::new(),
            warnings: Vec::new(),
        };
        let mut scratch = true;
        for (text, line) in lines {
            if text.first() == Some(&b'"') {
                rest.add_option(text, line);
            } else if scratch && !text.trim_ascii().is_empty() {
                scratch = rest.add_scratch(text, line, secret);
            }
        }
        rest
    }

    fn add_option(&mut self, text: &'a [u8], line: usize) {
        let text = text.strip_prefix(b"\" ").unwrap_or_default();
        let mut words = text.splitn(2, |byte| matches!(byte, b' ' | b'\t'));
        let word = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        match OPTIONS.iter().find(|name| name.as_bytes() == word) {
            Some(name) if self.option(name).is_some() => {
                self.warnings.push(Warning::Repeated { line, name });
            }
            Some(name) => self.options.push(Setting { line, name, value }),
            // Where a login came from, for a grace period that we don't have.
            None if matches!(word, [b'L', b'A', b'S', b'T', b'0'..=b'9']) => {}
            None => self.warnings.push(Warning::UnknownOption {
                line,
                name: name_of(word),
            }),
        }
    }

    /// False if no scratch code counts any more.
    fn add_scratch(&mut self, text: &[u8], line: usize, secret: &Secret) -> bool {
        let Some(code) = read_scratch(text) else {
            self.warnings.push(Warning::NoScratchCode { line });
            return false;
        };
        let room = self.scratch.add(secret, code);
        if !room {
            self.warnings.push(Warning::TooManyScratchCodes { line });
        }
        room
    }

    fn option(&self, name: &str) -> Option<&Setting<'a>> {
        self.options.iter().find(|option| option.name == name)
    }

    /// A counter of 0 is as good as none: so its own reader sees it.
    fn kind(&self) -> Result<Kind, Fault> {
        if let Some(option) = self.option("HOTP_COUNTER") {
            let counter = option
                .number()
                .filter(|counter| i64::try_from(*counter).is_ok())
                .ok_or_else(|| option.fault("must be a number, at most 2^63 - 1"))?;
            if counter > 0 {
                return Ok(Kind::Hotp { counter });
            }
        }
        if self.option("TOTP_AUTH").is_none() {
            return Err(fault(
                1,
                "neither TOTP_AUTH nor a HOTP_COUNTER above 0: no code would open".to_owned(),
            ));
        }
        let period = self
            .option("STEP_SIZE")
            .map_or(Ok(Period::DEFAULT), |option| {
                let seconds = option.number().filter(|seconds| *seconds <= 60);
                seconds
                    .and_then(|seconds| Period::new(seconds).ok())
                    .ok_or_else(|| option.fault("must be a number, 10 to 60"))
            })?;
        Ok(Kind::Totp { period })
    }

    fn skew(&self) -> Result<i16, Fault> {
        self.option("TIME_SKEW").map_or(Ok(0), |option| {
            let steps = option.words().next().and_then(|word| word.parse().ok());
            steps.ok_or_else(|| option.fault("must be a number, -32768 to 32767"))
        })
    }

    fn spent(&self) -> Result<Option<u64>, Fault> {
        let Some(option) = self.option("DISALLOW_REUSE") else {
            return Ok(None);
        };
        let steps = option
            .words()
            .map(|word| number(word).ok_or_else(|| option.fault("must be a list of time steps")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(steps.into_iter().max())
    }
}

/// One option and what follows it.
struct Setting<'a> {
    line: usize,
    name: &'static str,
    value: &'a [u8],
}

impl Setting<'_> {
    /// The words of the value; one that is not ASCII is empty.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.value
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|word| !word.is_empty())
            .map(|word| std::str::from_utf8(word).unwrap_or_default())
    }

    /// The first word as a number. What stands behind it is of no interest.
    fn number(&self) -> Option<u64> {
        self.words().next().and_then(number)
    }

    fn fault(&self, what: &str) -> Fault {
        fault(self.line, format!("{}: {what}", self.name))
    }
}

fn fault(line: usize, what: String) -> Fault {
    Fault { line, what }
}

fn number(word: &str) -> Option<u64> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

/// An option's name: capitals, and an underscore among them. The format has it
/// so, and a secret in base32 has no underscore.
fn name_of(word: &[u8]) -> Option<String> {
    let letters = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let named = word.len() <= 32 && word.contains(&b'_') && word.iter().all(letters);
    named.then(|| String::from_utf8_lossy(word).into_owned())
}

/// Eight digits, the first of them not 0, with blanks around them or not.
fn read_scratch(text: &[u8]) -> Option<Code> {
    let digits = std::str::from_utf8(text.trim_ascii()).ok()?;
    if digits.len() != 8 || digits.starts_with('0') {
        return None;
    }
    Code::parse(digits)
}

/// Base32 as its own reader takes it: blanks and hyphens anywhere, the letters
/// that 0, 1 and 8 are mistaken for, and bits at the end that make no byte.
fn read_secret(line: &[u8]) -> Result<Secret, SecretError> {
    // Room for one more: a vector that grows would leave a copy.
    let mut letters = Zeroizing::new(Vec::with_capacity(line.len().saturating_add(1)));
    letters.extend(
        line.iter()
            .filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'-')),
    );
    while letters.last() == Some(&b'=') {
        letters.pop();
    }
    let whole = letters.len().saturating_mul(5) / 8;
    if matches!(letters.len() % 8, 1 | 3 | 6) {
        // No byte ends in the last letter, so that it cannot stand there alone.
        letters.push(b'A');
    }
    let bytes = base32().decode(&letters);
    let bytes = Zeroizing::new(bytes.map_err(|_| SecretError::NotBase32)?);
    Secret::new(bytes.get(..whole).unwrap_or_default())
}

fn base32() -> Encoding {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    specification
        .translate
        .from
        .push_str("abcdefghijklmnopqrstuvwxyz018");
    specification
        .translate
        .to
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZOLB");
    specification.check_trailing_bits = false;
    // A constant that the tests have seen, as in `recovery.rs`.
    specification
        .encoding()
        .unwrap_or(data_encoding::BASE32_NOPAD)
}
