//! The token file: a user's shared secrets, written at enrolment only.
//!
//! Its format is specified in `docs/formats.md`.

use std::fmt::{self, Write as _};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::code::{Algorithm, Digits, Generator, Secret};
use crate::document::{self, Entries, Fault};
use crate::label::Label;
use crate::legacy::ScratchCodes;
use crate::recovery::{RecoveryId, RecoverySet};
use crate::state::State;
use crate::time::{Period, UnixTime};

/// The only version of the token file so far.
pub const VERSION: u64 = 1;
/// Most tokens in one record.
pub const MAX_TOKENS: usize = 16;
/// Most bytes in a token file.
pub const MAX_FILE: usize = 64 * 1024;

/// One user's tokens and recovery codes.
#[derive(Clone, Debug)]
pub struct TokenFile {
    tokens: Vec<Token>,
    recovery: Option<RecoverySet>,
    scratch: Option<ScratchCodes>,
}

impl TokenFile {
    /// A file of these tokens.
    ///
    /// # Errors
    ///
    /// [`TokenError`] for no token, too many, or two of one name.
    pub fn new(tokens: Vec<Token>, recovery: Option<RecoverySet>) -> Result<Self, TokenError> {
        if tokens.is_empty() {
            return Err(TokenError::None);
        }
        if tokens.len() > MAX_TOKENS {
            return Err(TokenError::TooMany(tokens.len()));
        }
        for (place, token) in tokens.iter().enumerate() {
            if tokens
                .iter()
                .take(place)
                .any(|earlier| earlier.name == token.name)
            {
                return Err(TokenError::Twice(token.name.0.clone()));
            }
        }
        Ok(Self {
            tokens,
            recovery,
            scratch: None,
        })
    }

    /// What another program's file says: one token, and scratch codes. Never
    /// written as a token file of ours.
    #[must_use]
    pub fn of_legacy(token: Token, scratch: ScratchCodes) -> Self {
        Self {
            tokens: vec![token],
            recovery: None,
            scratch: Some(scratch).filter(|codes| !codes.is_empty()),
        }
    }

    /// Reads a token file.
    ///
    /// # Errors
    ///
    /// [`Fault`] names line and key; it shows no value.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        document::read(text, |top| {
            // The version first: a newer file may have keys that we don't know.
            let version = top.require("version")?;
            if version.unsigned()? != VERSION {
                return Err(version.fault(format_args!(
                    "version {} is not known here; this program reads version {VERSION}",
                    version.unsigned()?
                )));
            }
            top.only(&["version", "token", "recovery"])?;
            let tokens = top.require("token")?;
            let list = tokens
                .tables()?
                .iter()
                .map(Token::read)
                .collect::<Result<_, _>>()?;
            let recovery = top
                .get("recovery")
                .map(|entry| read_recovery(&entry.table()?));
            Self::new(list, recovery.transpose()?).map_err(|error| tokens.fault(error))
        })
    }

    /// Writes a token file.
    #[must_use]
    pub fn to_toml(&self) -> Zeroizing<String> {
        // Room for all: a buffer that grows would leave copies of the secret.
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE));
        text.push_str("# pam-otp: who can read this file can make this user's codes.\n");
        let _ = writeln!(text, "version = {VERSION}");
        for token in &self.tokens {
            token.write(&mut text);
        }
        if let Some(recovery) = &self.recovery {
            write_recovery(recovery, "recovery", &mut text);
        }
        text
    }

    /// These tokens and one more, at the end.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if there are too many then, or two of one name.
    pub fn with(&self, token: Token) -> Result<Self, TokenError> {
        let mut tokens = self.tokens.clone();
        tokens.push(token);
        Self::new(tokens, self.recovery.clone())
    }

    /// These tokens with another in the place of the one of this name.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if there is none, or if two have one name then.
    pub fn replacing(&self, name: &TokenName, token: Token) -> Result<Self, TokenError> {
        let mut tokens = self.tokens.clone();
        let place = tokens.iter_mut().find(|token| token.name == *name);
        *place.ok_or_else(|| TokenError::Missing(name.0.clone()))? = token;
        Self::new(tokens, self.recovery.clone())
    }

    /// These tokens without the one of this name.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if there is none, or if none is left.
    pub fn without(&self, name: &TokenName) -> Result<Self, TokenError> {
        let mut tokens = self.tokens.clone();
        tokens.retain(|token| token.name != *name);
        if tokens.len() == self.tokens.len() {
            return Err(TokenError::Missing(name.0.clone()));
        }
        Self::new(tokens, self.recovery.clone())
    }

    /// These tokens, one of them with another name.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if there is none of the old name, or one of the new.
    pub fn renamed(&self, name: &TokenName, to: TokenName) -> Result<Self, TokenError> {
        let mut tokens = self.tokens.clone();
        let token = tokens.iter_mut().find(|token| token.name == *name);
        token
            .ok_or_else(|| TokenError::Missing(name.0.clone()))?
            .name = to;
        Self::new(tokens, self.recovery.clone())
    }

    /// These tokens with other recovery codes: the old ones are void.
    #[must_use]
    pub fn with_recovery(&self, recovery: RecoverySet) -> Self {
        Self {
            tokens: self.tokens.clone(),
            recovery: Some(recovery),
            scratch: None,
        }
    }

    /// The tokens, in the file's order; at least one.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The stored half of the recovery codes, if there are any.
    #[must_use]
    pub fn recovery(&self) -> Option<&RecoverySet> {
        self.recovery.as_ref()
    }

    /// The scratch codes of another program's file, if it has any.
    #[must_use]
    pub fn scratch(&self) -> Option<&ScratchCodes> {
        self.scratch.as_ref()
    }

    /// The names under which the state remembers spent codes of either kind.
    pub fn recovery_ids(&self) -> impl Iterator<Item = RecoveryId> + '_ {
        let codes = self.recovery.iter().flat_map(RecoverySet::ids);
        codes.chain(self.scratch.iter().flat_map(ScratchCodes::ids))
    }

    /// When the oldest of the tokens was added; `None` if one's day is not known.
    #[must_use]
    pub fn since(&self) -> Option<UnixTime> {
        let added = self.tokens.iter().map(|token| token.added);
        added.min().flatten()
    }

    /// How many codes of either kind are not spent.
    #[must_use]
    pub fn recovery_left(&self, state: &State) -> usize {
        self.recovery_ids()
            .filter(|id| !state.is_spent(*id))
            .count()
    }
}

/// Writes a table of this name.
pub(crate) fn write_recovery(recovery: &RecoverySet, table: &str, text: &mut String) {
    let salt = recovery.salt_hex();
    let _ = writeln!(text, "\n[{table}]\nsalt = \"{salt}\"\nhashes = [");
    for hash in recovery.hashes_hex() {
        let _ = writeln!(text, "    \"{hash}\",");
    }
    text.push_str("]\n");
}

pub(crate) fn read_recovery(entries: &Entries<'_, '_>) -> Result<RecoverySet, Fault> {
    entries.only(&["salt", "hashes"])?;
    let salt = entries.require("salt")?.text()?;
    let hashes = entries.require("hashes")?.texts()?;
    RecoverySet::from_hex(salt, hashes.into_iter())
        .map_err(|error| entries.fault(error.to_string()))
}

/// One shared secret: a phone, or a hardware token.
#[derive(Clone, Debug)]
pub struct Token {
    /// What its owner calls it.
    pub name: TokenName,
    /// What its app shows.
    pub label: Label,
    /// What its codes move with.
    pub kind: Kind,
    /// The shared secret.
    pub secret: Secret,
    /// The hash function of its codes.
    pub algorithm: Algorithm,
    /// The length of its codes.
    pub digits: Digits,
    /// When it became one of the record's, if that is known.
    pub added: Option<UnixTime>,
}

/// What a token's codes move with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time (RFC 6238).
    Totp {
        /// Seconds in a step.
        period: Period,
    },
    /// A counter (RFC 4226).
    Hotp {
        /// The first counter value that may open. What was used since stands
        /// in the state.
        counter: u64,
    },
}

impl Kind {
    /// The name used in token files and otpauth URIs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Hotp { .. } => "hotp",
        }
    }
}

impl Token {
    /// The generator of this token's codes.
    #[must_use]
    pub fn generator(&self) -> Generator {
        Generator::new(&self.secret, self.algorithm, self.digits)
    }

    /// The name under which the state remembers this token. It depends on all
    /// that its codes depend on: a new secret starts anew, a new name doesn't.
    #[must_use]
    pub fn id(&self) -> TokenId {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        self.secret.fill(&mut block);
        let period = match self.kind {
            Kind::Totp { period } => period.seconds(),
            Kind::Hotp { .. } => 0,
        };
        let digest = <Hmac<Sha256> as KeyInit>::new(&block)
            .chain_update(b"pam-otp token 1")
            .chain_update(self.kind.name())
            .chain_update(self.algorithm.name())
            .chain_update(self.digits.as_u64().to_le_bytes())
            .chain_update(period.to_le_bytes())
            .finalize()
            .into_bytes();
        zeroize::Zeroize::zeroize(block.as_mut_slice());
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        TokenId(id)
    }

    pub(crate) fn read(entries: &Entries<'_, '_>) -> Result<Self, Fault> {
        let [issuer, account] = Label::KEYS;
        entries.only(&[
            "name",
            issuer,
            account,
            "type",
            "secret",
            "algorithm",
            "digits",
            "period",
            "counter",
            "added",
        ])?;
        let name = entries.require("name")?;
        let name = TokenName::new(name.text()?).map_err(|error| name.fault(error))?;
        let secret = entries.require("secret")?;
        let secret = Secret::from_base32(secret.text()?).map_err(|error| secret.fault(error))?;
        let algorithm = match entries.get("algorithm") {
            None => Algorithm::Sha1,
            Some(entry) => Algorithm::from_name(entry.text()?)
                .ok_or_else(|| entry.fault("must be SHA1, SHA256 or SHA512"))?,
        };
        let digits = match entries.get("digits") {
            None => Digits::DEFAULT,
            Some(entry) => Digits::new(entry.unsigned()?).map_err(|error| entry.fault(error))?,
        };
        let added = entries.get("added").map(|entry| entry.unsigned());
        Ok(Self {
            name,
            label: Label::read(entries)?,
            kind: read_kind(entries)?,
            secret,
            algorithm,
            digits,
            added: added.transpose()?.map(UnixTime),
        })
    }

    pub(crate) fn write(&self, text: &mut String) {
        let _ = writeln!(text, "\n[[token]]\nname = \"{}\"", self.name);
        self.label.write(text);
        let _ = writeln!(text, "type = \"{}\"", self.kind.name());
        let _ = writeln!(text, "secret = \"{}\"", *self.secret.to_base32());
        let _ = writeln!(text, "algorithm = \"{}\"", self.algorithm.name());
        let _ = writeln!(text, "digits = {}", self.digits.count());
        let _ = match self.kind {
            Kind::Totp { period } => writeln!(text, "period = {}", period.seconds()),
            Kind::Hotp { counter } => writeln!(text, "counter = {counter}"),
        };
        if let Some(added) = self.added {
            let _ = writeln!(text, "added = {}", added.0);
        }
    }
}

fn read_kind(entries: &Entries<'_, '_>) -> Result<Kind, Fault> {
    let kind = entries.require("type")?;
    match kind.text()? {
        "totp" => {
            if let Some(entry) = entries.get("counter") {
                return Err(entry.fault("only a token of type \"hotp\" has one"));
            }
            let period = match entries.get("period") {
                None => Period::DEFAULT,
                Some(entry) => {
                    Period::new(entry.unsigned()?).map_err(|error| entry.fault(error))?
                }
            };
            Ok(Kind::Totp { period })
        }
        "hotp" => {
            if let Some(entry) = entries.get("period") {
                return Err(entry.fault("only a token of type \"totp\" has one"));
            }
            let counter = entries
                .get("counter")
                .map_or(Ok(0), |entry| entry.unsigned())?;
            Ok(Kind::Hotp { counter })
        }
        _ => Err(kind.fault("must be \"totp\" or \"hotp\"")),
    }
}

/// A token's key in the state: derived, not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId(pub [u8; 8]);

/// What a token's owner calls it: 1 to 64 characters, none of them a control
/// character, a quote or a backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(String);

impl TokenName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`TokenNameError`].
    pub fn new(name: &str) -> Result<Self, TokenNameError> {
        let length = name.chars().count();
        let fine = !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '\\'));
        if fine && (1..=64).contains(&length) {
            Ok(Self(name.to_owned()))
        } else {
            Err(TokenNameError)
        }
    }

    /// A name of ours, that needs no check.
    pub(crate) fn fixed(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that a token cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenNameError;

impl fmt::Display for TokenNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token's name has 1 to 64 characters, and no quotes, backslashes or control characters")
    }
}

impl std::error::Error for TokenNameError {}

/// Why tokens make no token file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// A record without a token would refuse everybody.
    None,
    /// More than [`MAX_TOKENS`].
    TooMany(usize),
    /// Two tokens of this name.
    Twice(String),
    /// No token of this name.
    Missing(String),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no token"),
            Self::TooMany(count) => write!(f, "at most {MAX_TOKENS} tokens, not {count}"),
            Self::Twice(name) => write!(f, "another token has the name \"{name}\""),
            Self::Missing(name) => write!(f, "no token has the name \"{name}\""),
        }
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests;
