//! The `otpauth://` URI that authenticator apps read from a QR code.
//!
//! There is no RFC; apps follow the key URI format that Google published:
//! `otpauth://TYPE/ISSUER:ACCOUNT?secret=…&issuer=…&algorithm=…&digits=…`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::code::{Algorithm, Digits, DigitsError, Secret, SecretError};
use crate::label::Label;
use crate::time::{Period, PeriodError};
use crate::token::{Kind, Token, TokenName, TokenNameError};

/// Most bytes in a URI that is read: more than the largest QR code holds.
pub const MAX_URI: usize = 4096;

/// All that RFC 3986 does not call unreserved.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The URI of one token. Every parameter is in it: some apps guess otherwise.
#[must_use]
pub fn otpauth(token: &Token, issuer: &str, account: &str) -> Zeroizing<String> {
    let encode = |text| utf8_percent_encode(text, &RESERVED);
    let moving = match token.kind {
        Kind::Totp { period } => format!("period={}", period.seconds()),
        Kind::Hotp { counter } => format!("counter={counter}"),
    };
    Zeroizing::new(format!(
        "otpauth://{}/{issuer}:{}?secret={}&issuer={issuer}&algorithm={}&digits={}&{moving}",
        token.kind.name(),
        encode(account),
        *token.secret.to_base32(),
        token.algorithm.name(),
        token.digits.count(),
        issuer = encode(issuer),
    ))
}

/// What such a URI says.
#[derive(Clone, Debug)]
pub struct Key {
    /// The token. Its name is made of issuer and account, without what a name
    /// cannot have; `imported` where nothing is left. Its label has what of the
    /// two can be kept.
    pub token: Token,
    /// Who gave the secret out. Text of strangers: escape it before it is
    /// printed.
    pub issuer: Option<String>,
    /// For whom. May be empty. Text of strangers.
    pub account: String,
}

/// Reads a URI of at most [`MAX_URI`] bytes.
///
/// Parameters that the format doesn't have are passed over, and so are
/// `period` of a `hotp` and `counter` of a `totp` token. The issuer is the
/// parameter of that name, or what stands before the first colon of the label.
///
/// # Errors
///
/// [`UriError`]; it shows no value.
pub fn parse(text: &str) -> Result<Key, UriError> {
    let text = text.trim();
    if text.len() > MAX_URI {
        return Err(UriError::TooLong);
    }
    let rest = after("otpauth://", text).ok_or(UriError::Scheme)?;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let parameters = Parameters::read(query)?;
    let kind = parameters.kind(kind)?;
    let secret = parameters.get(SECRET)?.ok_or(UriError::Missing(SECRET))?;
    let secret = Secret::from_base32(&secret).map_err(UriError::Secret)?;
    let (issuer, account) = split_label(label)?;
    // The parameter's word counts: apps do so, and old ones have but the prefix.
    let issuer = match parameters.get(ISSUER)? {
        Some(issuer) if !issuer.is_empty() => Some(String::clone(&issuer)),
        _ => issuer,
    };
    Ok(Key {
        token: Token {
            name: name(issuer.as_deref(), &account).map_err(UriError::Name)?,
            label: Label::of(issuer.as_deref(), &account),
            kind,
            secret,
            algorithm: parameters.algorithm()?,
            digits: parameters.digits()?,
            added: None,
        },
        issuer,
        account,
    })
}

/// What comes after a beginning whose case doesn't matter.
pub(crate) fn after<'a>(beginning: &str, text: &'a str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(beginning.len())?;
    head.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// Issuer and account. The colon between them may be encoded; where one is
/// not, the encoded ones are part of the names.
fn split_label(label: &str) -> Result<(Option<String>, String), UriError> {
    let decode = |text| match decode(text) {
        Some(text) => Ok(String::clone(&text)),
        None => Err(UriError::Text("label")),
    };
    let (issuer, account) = if let Some((issuer, account)) = label.split_once(':') {
        (decode(issuer)?, decode(account)?)
    } else {
        let label = decode(label)?;
        match label.split_once(':') {
            Some((issuer, account)) => (issuer.to_owned(), account.to_owned()),
            None => (String::new(), label),
        }
    };
    let account = account.trim_start_matches(' ').to_owned();
    Ok(((!issuer.is_empty()).then_some(issuer), account))
}

/// A token's name, made of issuer and account: at most 60 characters, so that a
/// number finds room behind it, and none that a name cannot have.
pub(crate) fn name(issuer: Option<&str>, account: &str) -> Result<TokenName, TokenNameError> {
    let both = format!("{} {account}", issuer.unwrap_or_default());
    let fine = both
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'));
    let fine: String = fine.skip_while(|c| c.is_whitespace()).take(60).collect();
    match fine.trim_end() {
        "" => TokenName::new("imported"),
        fine => TokenName::new(fine),
    }
}

const SECRET: &str = "secret";
const ISSUER: &str = "issuer";
const ALGORITHM: &str = "algorithm";
const DIGITS: &str = "digits";
const PERIOD: &str = "period";
const COUNTER: &str = "counter";

/// The parameters that the format has, still encoded.
struct Parameters<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Parameters<'a> {
    fn read(query: &'a str) -> Result<Self, UriError> {
        const KNOWN: [&str; 6] = [SECRET, ISSUER, ALGORITHM, DIGITS, PERIOD, COUNTER];
        let mut list = Vec::new();
        for part in query.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            // Encoded or not, it is the same parameter, and must not be there twice.
            let key = decode(key);
            let known = key.and_then(|key| KNOWN.into_iter().find(|known| **known == **key));
            let Some(known) = known else { continue };
            if list.iter().any(|(earlier, _)| *earlier == known) {
                return Err(UriError::Twice(known));
            }
            list.push((known, value));
        }
        Ok(Self(list))
    }

    fn get(&self, name: &'static str) -> Result<Option<Zeroizing<String>>, UriError> {
        let Some((_, value)) = self.0.iter().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        decode(value).map(Some).ok_or(UriError::Text(name))
    }

    fn number(&self, name: &'static str, wrong: UriError) -> Result<Option<u64>, UriError> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or(wrong)
    }

    fn kind(&self, word: &str) -> Result<Kind, UriError> {
        if word.eq_ignore_ascii_case("totp") {
            let period = self.number(PERIOD, UriError::Period(PeriodError))?;
            let period = period.map_or(Ok(Period::DEFAULT), Period::new);
            return Ok(Kind::Totp {
                period: period.map_err(UriError::Period)?,
            });
        }
        if word.eq_ignore_ascii_case("hotp") {
            let counter = self.number(COUNTER, UriError::Counter)?;
            let counter = counter.ok_or(UriError::Missing(COUNTER))?;
            // More than a token file can hold.
            if i64::try_from(counter).is_err() {
                return Err(UriError::Counter);
            }
            return Ok(Kind::Hotp { counter });
        }
        Err(UriError::Type)
    }

    fn algorithm(&self) -> Result<Algorithm, UriError> {
        self.get(ALGORITHM)?.map_or(Ok(Algorithm::Sha1), |name| {
            Algorithm::from_name(&name.to_ascii_uppercase()).ok_or(UriError::Algorithm)
        })
    }

    fn digits(&self) -> Result<Digits, UriError> {
        let count = self.number(DIGITS, UriError::Digits(DigitsError))?;
        let digits = count.map_or(Ok(Digits::DEFAULT), Digits::new);
        digits.map_err(UriError::Digits)
    }
}

/// Without percent signs. One that no two hexadecimal digits follow stands for
/// itself. `None` if the bytes are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<String>> {
    // Room for all: a buffer that grows would leave copies of a secret.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// Why a text is no otpauth URI. It shows no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// More than [`MAX_URI`] bytes.
    TooLong,
    /// It does not begin with `otpauth://`.
    Scheme,
    /// Neither `totp` nor `hotp`.
    Type,
    /// A parameter that must be there is not.
    Missing(&'static str),
    /// A parameter is there twice.
    Twice(&'static str),
    /// The label, or this parameter, is not UTF-8 text.
    Text(&'static str),
    /// `secret` is none.
    Secret(SecretError),
    /// `algorithm` is none that is known.
    Algorithm,
    /// `digits` is out of its range, or no number.
    Digits(DigitsError),
    /// `period` is out of its range, or no number.
    Period(PeriodError),
    /// `counter` is out of its range, or no number.
    Counter,
    /// The token cannot be named after issuer and account.
    Name(TokenNameError),
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "an otpauth URI has at most {MAX_URI} bytes"),
            Self::Scheme => f.write_str("it does not begin with otpauth://"),
            Self::Type => f.write_str("the type must be totp or hotp"),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Twice(name) => write!(f, "`{name}` is there twice"),
            Self::Text(name) => write!(f, "`{name}`: not UTF-8 text"),
            Self::Secret(error) => write!(f, "`secret`: {error}"),
            Self::Algorithm => f.write_str("`algorithm`: must be SHA1, SHA256 or SHA512"),
            Self::Digits(error) => write!(f, "`digits`: {error}"),
            Self::Period(error) => write!(f, "`period`: {error}"),
            Self::Counter => f.write_str("`counter`: must be a number, 0 to 2^63 - 1"),
            Self::Name(error) => write!(f, "label: {error}"),
        }
    }
}

impl std::error::Error for UriError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{Algorithm, Digits, Secret};
    use crate::time::Period;
    use crate::token::TokenName;

    #[test]
    fn a_uri_has_every_parameter_and_nothing_that_breaks_it() {
        let mut token = Token {
            name: TokenName::new("phone").unwrap(),
            label: Label::default(),
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: Secret::new(b"12345678901234567890").unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        };
        assert_eq!(
            *otpauth(&token, "web 1: A&B", "alice@example.org"),
            "otpauth://totp/web%201%3A%20A%26B:alice%40example.org\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web%201%3A%20A%26B\
             &algorithm=SHA1&digits=6&period=30"
        );
        token.kind = Kind::Hotp { counter: 5 };
        assert!(otpauth(&token, "h", "ä").ends_with("&digits=6&counter=5"));
        assert!(otpauth(&token, "h", "ä").starts_with("otpauth://hotp/h:%C3%A4?"));
    }
}
