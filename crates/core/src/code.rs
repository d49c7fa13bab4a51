//! One-time codes: HOTP (RFC 4226) and, with a time step as its counter, TOTP
//! (RFC 6238).

use std::fmt;
use std::num::NonZeroU32;

use data_encoding::BASE32_NOPAD;
use hmac::digest::{Key, Output};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::names::NAME;

/// A generator of one-time codes: secret and algorithm, keyed once.
///
/// Both `RFC`s are one function of a *moving factor*: HOTP's counter, or TOTP's
/// time step.
#[derive(Clone)]
pub struct Generator {
    keyed: Keyed,
    digits: Digits,
}

impl Generator {
    /// Keys the algorithm with the secret.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm, digits: Digits) -> Self {
        Self {
            keyed: Keyed::new(secret, algorithm),
            digits,
        }
    }

    /// The code for one moving factor (RFC 4226, section 5.3).
    #[must_use]
    pub fn code(&self, moving_factor: u64) -> Code {
        let moving_factor = moving_factor.to_be_bytes();
        let number = self.keyed.digest(&[&moving_factor], truncate);
        Code {
            value: number % self.digits.modulus(),
            digits: self.digits,
        }
    }

    /// The first eight bytes of the same HMAC over all parts in a row, which nobody
    /// can tell without the secret. They must not be eight bytes: such are moving
    /// factors, whose digests codes are made of.
    pub(crate) fn name(&self, parts: &[&[u8]]) -> [u8; NAME] {
        self.keyed.digest(parts, |digest| {
            let mut name = [0; NAME];
            for (to, from) in name.iter_mut().zip(digest) {
                *to = *from;
            }
            name
        })
    }
}

/// Dynamic truncation (RFC 4226, section 5.3): the low nibble of the last byte
/// says where the 31 bits are taken from.
fn truncate(digest: &[u8]) -> u32 {
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 0x0f);
    let word = digest
        .iter()
        .skip(offset)
        .take(4)
        .fold(0_u32, |word, byte| word.wrapping_shl(8) | u32::from(*byte));
    word & 0x7fff_ffff
}

/// A one-time code: its value, and how many digits it is written with.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code {
    value: u32,
    #[zeroize(skip)]
    digits: Digits,
}

impl Code {
    /// Reads a code of 6 to 8 ASCII digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = Digits::new(u64::try_from(text.len()).ok()?).ok()?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            value: text.parse().ok()?,
            digits,
        })
    }

    /// How many digits it is written with.
    #[must_use]
    pub fn digits(&self) -> Digits {
        self.digits
    }

    /// The code as people type it, leading zeros included.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "{:0width$}",
            self.value,
            width = self.digits.count()
        ))
    }
}

impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        // The number of digits is no secret.
        self.value.ct_eq(&other.value) & u8::from(self.digits == other.digits).ct_eq(&1)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(hidden)")
    }
}

/// A shared secret of 10 to 64 bytes (RFC 4226, section 4, R6, asks for 16 and
/// recommends 20; tokens made elsewhere may have 10).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret {
    bytes: [u8; Secret::MAX],
    len: usize,
}

impl Secret {
    /// Bytes in a secret that we make: the length of a SHA-1 digest.
    pub const NEW: usize = 20;
    /// Fewest bytes that are taken at all.
    pub const MIN: usize = 10;
    /// Fewest bytes that RFC 4226 allows; below, the user is warned.
    pub const RFC_MIN: usize = 16;
    /// Most bytes: the block of SHA-1 and SHA-256, beyond which HMAC hashes the
    /// key first and nothing is gained.
    pub const MAX: usize = 64;

    /// A secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`SecretError::Length`] unless there are 10 to 64.
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        if !(Self::MIN..=Self::MAX).contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        let mut secret = Self {
            bytes: [0; Self::MAX],
            len: bytes.len(),
        };
        for (to, from) in secret.bytes.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(secret)
    }

    /// Reads base32 (RFC 4648) as people copy it: either case, with or without
    /// spaces, hyphens and padding.
    ///
    /// # Errors
    ///
    /// [`SecretError`] for another character or another length.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        let mut letters = Zeroizing::new(String::with_capacity(text.len()));
        letters.extend(
            text.trim_end_matches('=')
                .chars()
                .filter(|c| !matches!(c, ' ' | '-'))
                .map(|c| c.to_ascii_uppercase()),
        );
        let bytes = BASE32_NOPAD
            .decode(letters.as_bytes())
            .map_err(|_| SecretError::NotBase32)?;
        Self::new(&Zeroizing::new(bytes))
    }

    /// Base32 (RFC 4648) without padding.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.as_bytes()))
    }

    /// The same in groups of four, as people type it.
    #[must_use]
    pub fn to_groups(&self) -> Zeroizing<String> {
        let letters = self.to_base32();
        // Room for all: a text that grows would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(letters.len().saturating_mul(2)));
        for (place, letter) in letters.chars().enumerate() {
            if place != 0 && place % 4 == 0 {
                text.push(' ');
            }
            text.push(letter);
        }
        text
    }

    /// Whether it is shorter than RFC 4226 allows (16 bytes).
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.len < Self::RFC_MIN
    }

    /// Puts the secret at the start of an HMAC key block. A key shorter than the
    /// block is padded with zeros (RFC 2104), and no secret is longer than the
    /// smallest block: so keying cannot fail.
    pub(crate) fn fill(&self, block: &mut [u8]) {
        for (to, from) in block.iter_mut().zip(self.as_bytes()) {
            *to = *from;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Why something is no secret. The text never shows the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// A character outside base32's alphabet, or a length that base32 has not.
    NotBase32,
    /// So many bytes, outside 10 to 64.
    Length(usize),
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase32 => {
                f.write_str("a secret is written in base32: letters A to Z and digits 2 to 7")
            }
            Self::Length(bytes) => write!(f, "a secret has 10 to 64 bytes, this one has {bytes}"),
        }
    }
}

impl std::error::Error for SecretError {}

/// The hash function inside the HMAC (RFC 6238, section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1: RFC 4226, and what every authenticator app can.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them, in the order of their strength.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name used in token files and otpauth URIs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Finds an algorithm by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// How many digits a code has: 6 to 8 (RFC 4226, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// Six, as every authenticator app shows.
    pub const DEFAULT: Self = Self(6);

    /// So many digits.
    ///
    /// # Errors
    ///
    /// [`DigitsError`] outside 6 to 8.
    pub fn new(count: u64) -> Result<Self, DigitsError> {
        match u8::try_from(count) {
            Ok(count @ 6..=8) => Ok(Self(count)),
            _ => Err(DigitsError),
        }
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.0)
    }

    /// How many, as the formats write it: eight bytes on every machine.
    pub(crate) fn as_u64(self) -> u64 {
        u64::from(self.0)
    }

    /// The chance that a guess is right, in 10^-8.
    pub(crate) fn chance(self) -> u64 {
        match self.0 {
            6 => 100,
            7 => 10,
            _ => 1,
        }
    }

    fn modulus(self) -> NonZeroU32 {
        match self.0 {
            6 => const { NonZeroU32::new(1_000_000).unwrap() },
            7 => const { NonZeroU32::new(10_000_000).unwrap() },
            _ => const { NonZeroU32::new(100_000_000).unwrap() },
        }
    }
}

/// A number of digits outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitsError;

impl fmt::Display for DigitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code has 6 to 8 digits")
    }
}

impl std::error::Error for DigitsError {}

/// HMAC with its key already worked in, so that a window of codes costs the
/// key schedule once.
#[derive(Clone)]
enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Keyed {
    fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(keyed(secret)),
            Algorithm::Sha256 => Self::Sha256(keyed(secret)),
            Algorithm::Sha512 => Self::Sha512(keyed(secret)),
        }
    }

    /// What `read` makes of the HMAC over all parts in a row.
    fn digest<T>(&self, parts: &[&[u8]], read: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Sha1(mac) => read(&finish(mac, parts)),
            Self::Sha256(mac) => read(&finish(mac, parts)),
            Self::Sha512(mac) => read(&finish(mac, parts)),
        }
    }
}

fn finish<M: Mac + Clone>(mac: &M, parts: &[&[u8]]) -> Output<M> {
    let mut mac = mac.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes()
}

fn keyed<M: Mac + KeyInit>(secret: &Secret) -> M {
    let mut block = Key::<M>::default();
    secret.fill(&mut block);
    let mac = <M as KeyInit>::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

#[cfg(test)]
mod tests;
