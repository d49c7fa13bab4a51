//! The text in the QR codes by which Google Authenticator hands its tokens to
//! another phone: `otpauth-migration://offline?data=…`.
//!
//! There is no published format. It is read as other authenticator apps read
//! it: base64, percent-encoded, of a protobuf message `MigrationPayload` whose
//! fields are listed in `docs/legacy-formats.md`.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::code::{Algorithm, Digits, Secret, SecretError};
use crate::label::Label;
use crate::time::Period;
use crate::token::{Kind, Token, TokenName, TokenNameError};
use crate::uri::{self, Key};

mod protobuf;

use protobuf::{Damage, Message, Value, int32, int64};

/// Most bytes in a text that is read: more than the largest QR code holds.
pub const MAX_URI: usize = 8192;

/// What one QR code says. Tokens that cannot be used are no fault of the others.
#[derive(Clone, Debug)]
pub struct Export {
    /// The tokens that can be used, in their order. No two have the same name.
    pub keys: Vec<Key>,
    /// The other ones.
    pub refused: Vec<Refused>,
    /// Which of several QR codes it is; `None` if it is the only one.
    pub part: Option<Part>,
}

/// One QR code of several: each of them is read on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are, 2 or more.
    pub of: u32,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, of } = self;
        write!(
            f,
            "the export has {of} QR codes, of which this is number {number}: import each"
        )
    }
}

/// A token that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the export, from 1.
    pub number: usize,
    /// What the app calls it, if that is text. Text of strangers; escaped when
    /// displayed.
    pub name: String,
    /// What is wrong.
    pub error: EntryError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} ({:?}): {}", self.number, self.name, self.error)
    }
}

/// Why one token of an export cannot be used. It shows no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// The entry itself cannot be read.
    Damaged,
    /// This field is missing: what it stands for is not guessed at.
    Missing(&'static str),
    /// This field has a value that nobody knows here.
    Unknown(&'static str),
    /// This field is not UTF-8 text.
    Text(&'static str),
    /// HMAC-MD5, which no RFC on one-time codes has.
    Md5,
    /// The secret is none.
    Secret(SecretError),
    /// The counter is negative.
    Counter,
    /// The token cannot be named after issuer and account.
    Name(TokenNameError),
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("it is damaged"),
            Self::Missing(field) => write!(f, "its {field} is missing"),
            Self::Unknown(field) => write!(f, "its {field} is not known"),
            Self::Text(field) => write!(f, "its {field} is not UTF-8 text"),
            Self::Md5 => f.write_str("its algorithm is MD5, which is not supported"),
            Self::Secret(error) => write!(f, "{error}"),
            Self::Counter => f.write_str("its counter is negative"),
            Self::Name(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for EntryError {}

/// Why a text is no export. It shows no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationError {
    /// More than [`MAX_URI`] bytes.
    TooLong,
    /// It does not begin with `otpauth-migration://offline?`.
    Scheme,
    /// There is no `data`, or there is more than one.
    Data,
    /// `data` is not base64.
    Base64,
    /// What `data` holds is no such message.
    Damaged,
    /// There is no token in it.
    Empty,
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "an export has at most {MAX_URI} bytes for each QR code"),
            Self::Scheme => f.write_str("it does not begin with otpauth-migration://offline?"),
            Self::Data => f.write_str("`data` must be there once"),
            Self::Base64 => f.write_str("`data`: not base64"),
            Self::Damaged => f.write_str("`data`: damaged, or not an export"),
            Self::Empty => f.write_str("`data`: there is no token in it"),
        }
    }
}

impl std::error::Error for MigrationError {}

impl From<Damage> for MigrationError {
    fn from(_: Damage) -> Self {
        Self::Damaged
    }
}

impl From<Damage> for EntryError {
    fn from(_: Damage) -> Self {
        Self::Damaged
    }
}

impl Export {
    /// Reads the text of one QR code, of at most [`MAX_URI`] bytes.
    ///
    /// Every time-based token has a period of 30 seconds: the format has no
    /// other.
    ///
    /// # Errors
    ///
    /// [`MigrationError`] if nothing can be read. A token that cannot be used
    /// stands in [`Export::refused`].
    pub fn parse(text: &str) -> Result<Self, MigrationError> {
        let text = text.trim();
        if text.len() > MAX_URI {
            return Err(MigrationError::TooLong);
        }
        let query =
            uri::after("otpauth-migration://offline?", text).ok_or(MigrationError::Scheme)?;
        let mut data = query
            .split('&')
            .filter_map(|part| part.strip_prefix("data="));
        let (Some(data), None) = (data.next(), data.next()) else {
            return Err(MigrationError::Data);
        };
        let bytes = decode(data).ok_or(MigrationError::Base64)?;
        let mut export = Self {
            keys: Vec::new(),
            refused: Vec::new(),
            part: None,
        };
        let mut message = Message::new(&bytes);
        let (mut number, mut size, mut index) = (0_usize, 0, 0);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, Value::Bytes(entry)) => {
                    number = number.saturating_add(1);
                    export.add(number, entry);
                }
                (3, Value::Number(number)) => size = int32(number),
                (4, Value::Number(number)) => index = int32(number),
                // `version` and `batch_id` tell nothing that is needed here.
                (2 | 5, Value::Number(_)) => {}
                (1..=5, _) => return Err(MigrationError::Damaged),
                _ => {}
            }
        }
        if number == 0 {
            return Err(MigrationError::Empty);
        }
        export.part = part(size, index);
        Ok(export)
    }

    fn add(&mut self, number: usize, bytes: &[u8]) {
        let entry = Entry::read(bytes);
        let name = entry.as_ref().map(|entry| text(entry.name, "name"));
        let name = name.ok().and_then(Result::ok).unwrap_or_default();
        let read = entry.as_ref().map_err(|error| *error).and_then(|entry| {
            let mut key = entry.key()?;
            key.token.name = self.free(&key.token.name)?;
            Ok(key)
        });
        match read {
            Ok(key) => self.keys.push(key),
            Err(error) => self.refused.push(Refused {
                number,
                name: name.to_owned(),
                error,
            }),
        }
    }

    /// The name, with a number behind it if another token has it.
    fn free(&self, name: &TokenName) -> Result<TokenName, EntryError> {
        let mut free = name.clone();
        let mut number = 1_u32;
        while self.keys.iter().any(|key| key.token.name == free) {
            number = number.saturating_add(1);
            free = TokenName::new(&format!("{name} {number}")).map_err(EntryError::Name)?;
        }
        Ok(free)
    }
}

fn part(size: i32, index: i32) -> Option<Part> {
    let of = u32::try_from(size).ok().filter(|of| *of > 1)?;
    let number = u32::try_from(index).ok()?.checked_add(1)?;
    Some(Part { number, of })
}

/// Percent signs, then base64 of either alphabet, padded or not.
fn decode(data: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = uri::decode(data)?;
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    letters.extend(text.trim_end_matches('=').bytes().map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        _ => byte,
    }));
    BASE64_NOPAD.decode(&letters).ok().map(Zeroizing::new)
}

/// One `OtpParameters`. A field that is not there is 0 or empty.
#[derive(Default)]
struct Entry<'a> {
    secret: &'a [u8],
    name: &'a [u8],
    issuer: &'a [u8],
    algorithm: i32,
    digits: i32,
    kind: i32,
    counter: i64,
}

impl<'a> Entry<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let mut entry = Self::default();
        let mut message = Message::new(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, Value::Bytes(bytes)) => entry.secret = bytes,
                (2, Value::Bytes(bytes)) => entry.name = bytes,
                (3, Value::Bytes(bytes)) => entry.issuer = bytes,
                (4, Value::Number(number)) => entry.algorithm = int32(number),
                (5, Value::Number(number)) => entry.digits = int32(number),
                (6, Value::Number(number)) => entry.kind = int32(number),
                (7, Value::Number(number)) => entry.counter = int64(number),
                (1..=7, _) => return Err(EntryError::Damaged),
                _ => {}
            }
        }
        Ok(entry)
    }

    fn key(&self) -> Result<Key, EntryError> {
        if self.secret.is_empty() {
            return Err(EntryError::Missing("secret"));
        }
        let secret = Secret::new(self.secret).map_err(EntryError::Secret)?;
        let algorithm = match self.algorithm {
            0 => return Err(EntryError::Missing("algorithm")),
            1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            3 => Algorithm::Sha512,
            4 => return Err(EntryError::Md5),
            _ => return Err(EntryError::Unknown("algorithm")),
        };
        let digits = match self.digits {
            0 => return Err(EntryError::Missing("number of digits")),
            1 => Digits::DEFAULT,
            2 => Digits::new(8).map_err(|_| EntryError::Unknown("number of digits"))?,
            _ => return Err(EntryError::Unknown("number of digits")),
        };
        let kind = match self.kind {
            0 => return Err(EntryError::Missing("type")),
            1 => Kind::Hotp {
                counter: u64::try_from(self.counter).map_err(|_| EntryError::Counter)?,
            },
            2 => Kind::Totp {
                period: Period::DEFAULT,
            },
            _ => return Err(EntryError::Unknown("type")),
        };
        let (issuer, account) = self.label()?;
        Ok(Key {
            token: Token {
                name: uri::name(issuer.as_deref(), &account).map_err(EntryError::Name)?,
                label: Label::of(issuer.as_deref(), &account),
                kind,
                secret,
                algorithm,
                digits,
                added: None,
            },
            issuer,
            account,
        })
    }

    /// Issuer and account. The name may begin with the issuer and a colon, as
    /// the label of a URI does.
    fn label(&self) -> Result<(Option<String>, String), EntryError> {
        let (issuer, name) = (text(self.issuer, "issuer")?, text(self.name, "name")?);
        let (issuer, account) = match name.split_once(':') {
            Some((prefix, account)) if issuer.is_empty() || issuer == prefix => {
                (prefix, account.trim_start_matches(' '))
            }
            _ => (issuer, name),
        };
        Ok((
            (!issuer.is_empty()).then(|| issuer.to_owned()),
            account.to_owned(),
        ))
    }
}

fn text<'a>(bytes: &'a [u8], field: &'static str) -> Result<&'a str, EntryError> {
    std::str::from_utf8(bytes).map_err(|_| EntryError::Text(field))
}
