//! The file `users.oath`, format as read by `pam_oath` (liboath's usersfile).

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::code::{Algorithm, Code, Digits, Secret};
use crate::document::Fault;
use crate::label::Label;
use crate::time::{Period, UnixTime};
use crate::token::{Kind, Token, TokenName};
use crate::user::UserName;

/// Most bytes that are read. Its own reader has no limit; a thousand users
/// have about a hundred kilobytes.
pub const MAX_FILE: usize = 4 * 1024 * 1024;

/// How far around the present step [`Entry::spent`] looks, in steps: as far as
/// an administrator will have let `pam_oath` look.
const AROUND: u64 = 100;

/// What such a file says. Lines that cannot be used are no fault of the others.
#[derive(Clone, Debug)]
pub struct UsersFile {
    /// The lines that can be used, in their order. A user may have several.
    pub entries: Vec<Entry>,
    /// The other ones, but for empty lines and comments.
    pub refused: Vec<Refused>,
}

/// One line: one token of one user.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Line, from 1.
    pub line: usize,
    /// Whose token it is.
    pub user: UserName,
    /// The token: HMAC-SHA-1. A user's first one is called `oath`, the next ones
    /// `oath 2` and so on. A `hotp` token's counter is the next one to open.
    pub token: Token,
    /// The line has a PIN, which was left out: [`Pins::Drop`].
    pub pin_dropped: bool,
    last: Option<Code>,
}

impl Entry {
    /// TOTP: the step whose code was used last, if that code could be used
    /// again now or soon. To be spent before the first login, so that what was
    /// used before stays used.
    ///
    /// The file has the code itself, and a time in a zone that it does not
    /// name. So the step is the highest of those around `now`, 100 on either
    /// side, that have this code. `None` if none has, if nothing was used, and
    /// for HOTP, where the counter says it.
    #[must_use]
    pub fn spent(&self, now: UnixTime) -> Option<u64> {
        let (Kind::Totp { period }, Some(last)) = (self.token.kind, &self.last) else {
            return None;
        };
        let here = period.step_at(now);
        let generator = self.token.generator();
        (here.saturating_sub(AROUND)..=here.saturating_add(AROUND)).fold(None, |found, step| {
            if bool::from(generator.code(step).ct_eq(last)) {
                Some(step)
            } else {
                found
            }
        })
    }
}

/// A line that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whose line it is, where that much could be read.
    pub user: Option<UserName>,
    /// What is wrong. It shows no value.
    pub fault: Fault,
}

/// What becomes of lines with a PIN. PINs are not supported: without its PIN,
/// such a token opens with its code alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pins {
    /// They are refused.
    Refuse,
    /// They are taken without their PIN; [`Entry::pin_dropped`] says so.
    Drop,
}

impl UsersFile {
    /// Reads such a file, of at most [`MAX_FILE`] bytes.
    ///
    /// # Errors
    ///
    /// [`Fault`] for a file that is too large. All else stands in
    /// [`UsersFile::refused`].
    pub fn parse(text: &[u8], pins: Pins) -> Result<Self, Fault> {
        if text.len() > MAX_FILE {
            return Err(Fault {
                line: 1,
                what: format!("the file has more than {MAX_FILE} bytes"),
            });
        }
        let mut file = Self {
            entries: Vec::new(),
            refused: Vec::new(),
        };
        let mut tokens = BTreeMap::<String, u64>::new();
        for (text, line) in text.split(|byte| *byte == b'\n').zip(1..) {
            let mut words = text
                .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
                .filter(|word| !word.is_empty());
            let kind = match words.next() {
                None => continue,
                Some(word) if word.starts_with(b"#") => continue,
                Some(word) => word,
            };
            let kind = read_kind(kind);
            let user = words.next().map(read_user);
            // Where not even the type is one, the second word may be anything.
            let known = kind.as_ref().ok().and(user.clone());
            let read = kind.and_then(|kind| {
                let user = user.ok_or("the user is missing")??;
                let fields = Fields::read(words, kind, pins)?;
                let place = tokens.entry(user.as_str().to_owned()).or_default();
                *place = place.saturating_add(1);
                Ok(fields.entry(line, user, name(*place)?))
            });
            match read {
                Ok(entry) => file.entries.push(entry),
                Err(what) => file.refused.push(Refused {
                    user: known.and_then(Result::ok),
                    fault: Fault { line, what },
                }),
            }
        }
        Ok(file)
    }
}

/// All of a line that is no name.
struct Fields {
    kind: Kind,
    digits: Digits,
    secret: Secret,
    pin_dropped: bool,
    last: Option<Code>,
}

impl Fields {
    /// Reads PIN, secret, counter, last code and last time, of which the last
    /// three may be missing.
    fn read<'a>(
        mut words: impl Iterator<Item = &'a [u8]>,
        (period, digits): (Option<Period>, Digits),
        pins: Pins,
    ) -> Result<Self, String> {
        let pin = words
            .next()
            .ok_or("the PIN is missing, or a hyphen for none")?;
        // `+` has the PIN checked elsewhere: nothing is lost.
        let has_pin = !matches!(pin, b"-" | b"+");
        if has_pin && pins == Pins::Refuse {
            return Err(
                "a PIN is set, and PINs are not supported; --drop-pins takes the line without it"
                    .to_owned(),
            );
        }
        let secret = read_secret(words.next().ok_or("the secret is missing")?)?;
        let counter = words.next().map_or(Some(0), number);
        let counter = counter.ok_or("the counter is no number")?;
        let last = words
            .next()
            .map(|word| read_last(word, digits))
            .transpose()?;
        if words.next().is_some_and(|word| !is_time(word)) {
            return Err("the last time has not the form 2006-12-31T23:59:59L".to_owned());
        }
        let kind = match period {
            // What stands there for a TOTP token is no step.
            Some(period) => Kind::Totp { period },
            None => Kind::Hotp {
                counter: next(counter, last.is_some()).ok_or("the counter is at its end")?,
            },
        };
        Ok(Self {
            kind,
            digits,
            secret,
            pin_dropped: has_pin,
            last,
        })
    }

    fn entry(self, line: usize, user: UserName, name: TokenName) -> Entry {
        Entry {
            line,
            user,
            token: Token {
                name,
                label: Label::default(),
                kind: self.kind,
                secret: self.secret,
                algorithm: Algorithm::Sha1,
                digits: self.digits,
                added: None,
            },
            pin_dropped: self.pin_dropped,
            last: self.last,
        }
    }
}

/// The file has the counter of the last code. Before the first one it has the
/// counter that is next.
fn next(counter: u64, used: bool) -> Option<u64> {
    let next = counter.checked_add(u64::from(used))?;
    i64::try_from(next).is_ok().then_some(next)
}

/// The period of a token that has one, and its digits. Its own reader knows
/// these types and passes over all others.
fn read_kind(word: &[u8]) -> Result<(Option<Period>, Digits), String> {
    const UNKNOWN: &str =
        "the type is none of HOTP, HOTP/E, HOTP/T30 and HOTP/T60, with /6, /7 or /8 behind it";
    let mut parts = word.split(|byte| *byte == b'/');
    let hotp = parts.next() == Some(b"HOTP");
    let seconds = match parts.next() {
        None | Some(b"E") => None,
        Some(b"T30") => Some(30),
        Some(b"T60") => Some(60),
        Some(_) => return Err(UNKNOWN.to_owned()),
    };
    let digits = match parts.next() {
        None | Some(b"6") => 6,
        Some(b"7") => 7,
        Some(b"8") => 8,
        Some(_) => return Err(UNKNOWN.to_owned()),
    };
    if !hotp || parts.next().is_some() {
        return Err(UNKNOWN.to_owned());
    }
    let period = seconds.map(Period::new).transpose();
    Ok((
        period.map_err(|error| error.to_string())?,
        Digits::new(digits).map_err(|error| error.to_string())?,
    ))
}

fn read_user(word: &[u8]) -> Result<UserName, String> {
    let text = std::str::from_utf8(word).map_err(|_| "the user is not UTF-8 text")?;
    UserName::new(text).map_err(|error| error.to_string())
}

/// What a user's `place`th token is called, from 1.
fn name(place: u64) -> Result<TokenName, String> {
    let name = match place {
        1 => TokenName::new("oath"),
        _ => TokenName::new(&format!("oath {place}")),
    };
    name.map_err(|error| error.to_string())
}

fn read_secret(word: &[u8]) -> Result<Secret, String> {
    let bytes = HEXLOWER_PERMISSIVE
        .decode(word)
        .map_err(|_| "the secret is not hexadecimal")?;
    Secret::new(&Zeroizing::new(bytes)).map_err(|error| error.to_string())
}

fn read_last(word: &[u8], digits: Digits) -> Result<Code, String> {
    let code = std::str::from_utf8(word).ok().and_then(Code::parse);
    code.filter(|code| code.digits() == digits)
        .ok_or_else(|| format!("the last code has not {} digits", digits.count()))
}

fn number(word: &[u8]) -> Option<u64> {
    let digits = word.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(word).ok().filter(|_| digits)?;
    text.parse().ok()
}

/// Local time, of an unknown zone. Only looked at to know that the columns are
/// what they are taken for.
fn is_time(word: &[u8]) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddL";
    word.len() == FORM.len()
        && word.iter().zip(FORM).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == form,
        })
}
