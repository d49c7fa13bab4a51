//! Recovery codes: ten words on paper for the day when the phone is lost.
//!
//! A code is 80 random bits, so that guessing is hopeless and a plain salted
//! hash is enough to store: no slow hash is needed against 2^80 tries.

use std::fmt;

use data_encoding::{Encoding, HEXLOWER, Specification};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many codes one set has.
pub const CODES: usize = 10;
/// Most hashes that are read from a token file.
pub const MAX_CODES: usize = 32;

const CODE_BYTES: usize = 10;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Letters in a code, hyphens not counted.
const LETTERS: usize = 16;
const GROUP: usize = 4;

/// One recovery code, as shown once to the user.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; CODE_BYTES]);

impl RecoveryCode {
    /// Length of the written form, hyphens included: `abcd-efgh-jkmn-pqrs`.
    pub const WRITTEN: usize = 19;

    /// Reads a code in either case, with or without spaces and hyphens; `o` is
    /// read as zero, `i` and `l` as one. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !matches!(c, ' ' | '-')).collect());
        if letters.len() != LETTERS {
            return None;
        }
        let bytes = Zeroizing::new(alphabet().decode(letters.as_bytes()).ok()?);
        Some(Self(bytes.as_slice().try_into().ok()?))
    }

    /// The written form: four groups of four, lower case.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let letters = Zeroizing::new(alphabet().encode(&self.0));
        let mut text = Zeroizing::new(String::with_capacity(Self::WRITTEN));
        for (place, letter) in letters.chars().enumerate() {
            if place != 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(hidden)")
    }
}

/// Crockford's base32: no letter that is taken for a digit.
fn alphabet() -> Encoding {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("0123456789abcdefghjkmnpqrstvwxyz");
    specification
        .translate
        .from
        .push_str("ABCDEFGHJKMNPQRSTVWXYZoOiIlL");
    specification
        .translate
        .to
        .push_str("abcdefghjkmnpqrstvwxyz001111");
    // The specification is a constant that the tests have seen; BASE32 stands
    // in where the types ask for an answer to an error that cannot come.
    specification
        .encoding()
        .unwrap_or(data_encoding::BASE32_NOPAD)
}

/// The stored half of a set of recovery codes: a salt, and a hash of each code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySet {
    salt: [u8; SALT_BYTES],
    hashes: Vec<RecoveryHash>,
}

impl RecoverySet {
    /// Bytes of randomness that [`RecoverySet::generate`] uses up.
    pub const ENTROPY: usize = SALT_BYTES + CODES * CODE_BYTES;

    /// Makes ten codes out of random bytes. The codes are for the user's eyes;
    /// the set is for the token file.
    #[must_use]
    pub fn generate(random: &[u8; Self::ENTROPY]) -> (Self, Vec<RecoveryCode>) {
        let mut salt = [0; SALT_BYTES];
        let (salt_source, code_source) = random.split_at(SALT_BYTES);
        salt.copy_from_slice(salt_source);
        let codes: Vec<_> = code_source
            .chunks_exact(CODE_BYTES)
            .filter_map(|bytes| bytes.try_into().ok().map(RecoveryCode))
            .collect();
        let hashes = codes.iter().map(|code| hash(&salt, code)).collect();
        (Self { salt, hashes }, codes)
    }

    /// Reads the two entries of a token file's `[recovery]` table.
    ///
    /// # Errors
    ///
    /// [`RecoveryError`] for another length or another alphabet.
    pub fn from_hex<'a>(
        salt: &str,
        hashes: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<Self, RecoveryError> {
        if hashes.len() > MAX_CODES {
            return Err(RecoveryError::TooMany(hashes.len()));
        }
        Ok(Self {
            salt: bytes_of(salt).ok_or(RecoveryError::Salt)?,
            hashes: hashes
                .map(|text| bytes_of(text).map(RecoveryHash).ok_or(RecoveryError::Hash))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The salt as a token file has it.
    #[must_use]
    pub fn salt_hex(&self) -> String {
        HEXLOWER.encode(&self.salt)
    }

    /// The hashes as a token file has them.
    pub fn hashes_hex(&self) -> impl Iterator<Item = String> + '_ {
        self.hashes.iter().map(|hash| HEXLOWER.encode(&hash.0))
    }

    /// The names under which the state remembers spent codes.
    pub fn ids(&self) -> impl Iterator<Item = RecoveryId> + '_ {
        self.hashes.iter().map(RecoveryHash::id)
    }

    /// Which code of this set it is, if any. All of them are compared, each in
    /// constant time.
    #[must_use]
    pub fn find(&self, code: &RecoveryCode) -> Option<RecoveryId> {
        let candidate = hash(&self.salt, code);
        self.hashes.iter().fold(None, |found, stored| {
            if bool::from(stored.ct_eq(&candidate)) {
                Some(stored.id())
            } else {
                found
            }
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct RecoveryHash([u8; HASH_BYTES]);

impl RecoveryHash {
    fn id(&self) -> RecoveryId {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(self.0) {
            *to = from;
        }
        RecoveryId(id)
    }
}

impl ConstantTimeEq for RecoveryHash {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// The first eight bytes of a code's hash. The salt is new with each set, so a
/// code spent in an old set says nothing about a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecoveryId(pub [u8; 8]);

/// HMAC-SHA-256 with the salt as its key: 16 bytes, shorter than a block.
fn hash(salt: &[u8; SALT_BYTES], code: &RecoveryCode) -> RecoveryHash {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (to, from) in block.iter_mut().zip(salt) {
        *to = *from;
    }
    let mac = <Hmac<Sha256> as KeyInit>::new(&block);
    RecoveryHash(mac.chain_update(code.0).finalize().into_bytes().into())
}

fn bytes_of<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if HEXLOWER.decode_len(hex.len()) != Ok(N) {
        return None;
    }
    HEXLOWER.decode_mut(hex.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

/// What is wrong with a `[recovery]` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryError {
    /// The salt is not 16 bytes in lower-case hexadecimal.
    Salt,
    /// A hash is not 32 bytes in lower-case hexadecimal.
    Hash,
    /// More hashes than anyone needs.
    TooMany(usize),
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Salt => f.write_str("`salt` is 32 lower-case hexadecimal digits"),
            Self::Hash => f.write_str("each of `hashes` is 64 lower-case hexadecimal digits"),
            Self::TooMany(count) => {
                write!(f, "`hashes` has at most {MAX_CODES} entries, not {count}")
            }
        }
    }
}

impl std::error::Error for RecoveryError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> (RecoverySet, Vec<RecoveryCode>) {
        let mut random = [0; RecoverySet::ENTROPY];
        for (place, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(place * 7 % 251).unwrap();
        }
        RecoverySet::generate(&random)
    }

    #[test]
    fn ten_different_codes_are_made_and_each_is_found() {
        let (set, codes) = set();
        let mut ids: Vec<_> = codes.iter().map(|code| set.find(code).unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CODES);
        assert_eq!(
            set.find(&RecoveryCode([9; CODE_BYTES])).map(|id| id.0),
            None
        );
    }

    #[test]
    fn the_codes_are_written_without_letters_that_look_like_digits() {
        let (_, codes) = set();
        for code in codes {
            let text = code.to_text();
            assert_eq!(text.len(), RecoveryCode::WRITTEN);
            assert!(!text.contains(['i', 'l', 'o', 'u']), "{}", *text);
        }
    }

    #[test]
    fn a_code_is_read_the_way_people_type_it() {
        let (set, codes) = set();
        let text = codes[3].to_text();
        let id = set.find(&codes[3]);
        for typed in [
            text.to_string(),
            text.to_uppercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "O").replace('1', "l"),
        ] {
            assert_eq!(
                set.find(&RecoveryCode::parse(&typed).unwrap()),
                id,
                "{typed}"
            );
        }
    }

    #[test]
    fn anything_else_is_no_recovery_code() {
        for text in [
            "",
            "123456",
            "abcd-efgh-jkmn",
            "abcd-efgh-jkmn-pqru",
            "abcd-efgh-jkmn-pqrst",
            "äbcd-efgh-jkmn-pqr",
        ] {
            assert!(RecoveryCode::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_set_survives_the_token_file() {
        let (set, _) = set();
        let hashes: Vec<String> = set.hashes_hex().collect();
        let again =
            RecoverySet::from_hex(&set.salt_hex(), hashes.iter().map(String::as_str)).unwrap();
        assert_eq!(again, set);
    }

    #[test]
    fn a_damaged_table_is_refused_by_what_is_wrong() {
        let hash = "00".repeat(32);
        let read =
            |salt: &str, hashes: &[&str]| RecoverySet::from_hex(salt, hashes.iter().copied());
        assert_eq!(read("00", &[&hash]), Err(RecoveryError::Salt));
        assert_eq!(read(&"00".repeat(16), &["zz"]), Err(RecoveryError::Hash));
        assert_eq!(
            read(&"00".repeat(16), &[&*hash; 33]),
            Err(RecoveryError::TooMany(33))
        );
    }

    #[test]
    fn another_salt_makes_other_hashes() {
        let (set, codes) = set();
        let hashes: Vec<String> = set.hashes_hex().collect();
        let other =
            RecoverySet::from_hex(&"11".repeat(16), hashes.iter().map(String::as_str)).unwrap();
        assert_eq!(other.find(&codes[0]), None);
    }
}
