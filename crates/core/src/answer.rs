//! What a person, or an application on a person's behalf, typed.

use crate::code::{Code, Digits};
use crate::recovery::RecoveryCode;

/// Most bytes in an answer: libpam's `PAM_MAX_RESP_SIZE`. Applications can send
/// more; nobody types it.
pub const MAX_ANSWER: usize = 512;

/// An answer to "one-time code?", sorted by its form alone.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 6 to 8 digits.
    Code(Code),
    /// Sixteen letters of the recovery alphabet.
    Recovery(RecoveryCode),
    /// Nothing, or nothing but spaces.
    Empty,
    /// Anything else: not a guess at a code, and never one that opens.
    Malformed,
}

impl Answer {
    /// Reads an answer. Spaces and hyphens inside don't matter: apps show codes
    /// as `123 456`.
    #[must_use]
    pub fn parse(reply: &[u8]) -> Self {
        if reply.len() > MAX_ANSWER {
            return Self::Malformed;
        }
        let Ok(text) = std::str::from_utf8(reply) else {
            return Self::Malformed;
        };
        let mut bare = zeroize::Zeroizing::new(String::with_capacity(text.len()));
        bare.extend(text.chars().filter(|c| !matches!(c, ' ' | '\t' | '-')));
        if bare.is_empty() {
            return Self::Empty;
        }
        if let Some(code) = Code::parse(&bare) {
            return Self::Code(code);
        }
        RecoveryCode::parse(&bare).map_or(Self::Malformed, Self::Recovery)
    }

    /// The password in a field that may hold a code after it: without it, if
    /// `is_code` knows what stands at the end; else all of the field.
    #[must_use]
    pub fn strip<'a>(
        field: &'a [u8],
        lengths: &[Digits],
        is_code: impl Fn(&Self) -> bool,
    ) -> &'a [u8] {
        if field.len() > MAX_ANSWER {
            return field;
        }
        let recovery = split_recovery(field).map(|(rest, code)| (rest, Self::Recovery(code)));
        let codes = lengths
            .iter()
            .filter_map(|length| split_code(field, *length));
        let mut ends = recovery
            .into_iter()
            .chain(codes.map(|(rest, code)| (rest, Self::Code(code))));
        ends.find(|(_, code)| is_code(code))
            .map_or(field, |(password, _)| password)
    }

    /// Takes the code off the end of a field that holds a password and a code.
    ///
    /// A recovery code is known by its hyphens; a one-time code by its digits,
    /// of which there are as many as `lengths` says. Where a record has tokens
    /// of different lengths, `fits` chooses; it need not be right about used
    /// codes. What is left is the password, to the byte; [`Answer::Empty`] if
    /// there is no code at the end.
    #[must_use]
    pub fn split<'a>(
        field: &'a [u8],
        lengths: &[Digits],
        fits: impl Fn(&Code) -> bool,
    ) -> (&'a [u8], Self) {
        if field.len() > MAX_ANSWER {
            return (field, Self::Malformed);
        }
        if let Some((password, code)) = split_recovery(field) {
            return (password, Self::Recovery(code));
        }
        let candidates: Vec<_> = lengths
            .iter()
            .filter_map(|length| split_code(field, *length))
            .collect();
        let fitting = candidates
            .iter()
            .find(|(_, code)| candidates.len() == 1 || fits(code));
        match fitting.or(candidates.first()) {
            Some((password, code)) => (password, Self::Code(code.clone())),
            None => (field, Self::Empty),
        }
    }
}

/// A recovery code at the end, hyphens and all.
fn split_recovery(field: &[u8]) -> Option<(&[u8], RecoveryCode)> {
    let (password, tail) = split_end(field, RecoveryCode::WRITTEN)?;
    let hyphens = tail.iter().skip(4).step_by(5).all(|byte| *byte == b'-');
    let code = RecoveryCode::parse(std::str::from_utf8(tail).ok()?)?;
    hyphens.then_some((password, code))
}

/// So many digits at the end.
fn split_code(field: &[u8], length: Digits) -> Option<(&[u8], Code)> {
    let (password, tail) = split_end(field, length.count())?;
    Some((password, Code::parse(std::str::from_utf8(tail).ok()?)?))
}

fn split_end(field: &[u8], tail: usize) -> Option<(&[u8], &[u8])> {
    field.split_at_checked(field.len().checked_sub(tail)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read, in words that a table can hold.
    fn shown(answer: &Answer) -> String {
        match answer {
            Answer::Code(code) => code.to_text().to_string(),
            Answer::Recovery(code) => code.to_text().to_string(),
            Answer::Empty => "empty".to_owned(),
            Answer::Malformed => "malformed".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_sorted_by_its_form() {
        let long = vec![b'1'; 513];
        for (reply, expected) in [
            (&b"123456"[..], "123456"),
            (b"123 456", "123456"),
            (b" 123-456\t", "123456"),
            (b"0123 4567", "01234567"),
            (b"abcd-efgh-jkmn-pqrs", "abcd-efgh-jkmn-pqrs"),
            (b"ABCDEFGHJKMNPQRS", "abcd-efgh-jkmn-pqrs"),
            (b"", "empty"),
            (b"  ", "empty"),
            (b"12345", "malformed"),
            (b"123456789", "malformed"),
            (b"123456\n", "malformed"),
            (b"123456\0", "malformed"),
            (b"\x08\n\r\x7fINCORRECT", "malformed"),
            (b"\xff\xfe\xfd\xfc\xfb\xfa", "malformed"),
            ("１２３４５６".as_bytes(), "malformed"),
            (&long, "malformed"),
        ] {
            assert_eq!(shown(&Answer::parse(reply)), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_field_is_split_from_its_end() {
        let six = [Digits::DEFAULT];
        for (field, password, answer) in [
            (&b"secret123456"[..], &b"secret"[..], "123456"),
            (b"secret 123456", b"secret ", "123456"),
            (b"2024123456", b"2024", "123456"),
            (b"123456", b"", "123456"),
            (b"p\xe4ss123456", b"p\xe4ss", "123456"),
            (
                b"secretabcd-efgh-jkmn-pqrs",
                b"secret",
                "abcd-efgh-jkmn-pqrs",
            ),
            (b"secret", b"secret", "empty"),
            (b"secret12345", b"secret12345", "empty"),
            (b"", b"", "empty"),
        ] {
            let (left, found) = Answer::split(field, &six, |_| unreachable!("one length only"));
            assert_eq!((left, &*shown(&found)), (password, answer), "{field:?}");
        }
    }

    #[test]
    fn a_field_of_more_than_512_bytes_is_malformed() {
        let field = [b'1'; 513];
        let (_, answer) = Answer::split(&field, &[Digits::DEFAULT], |_| true);
        assert_eq!(shown(&answer), "malformed");
    }

    #[test]
    fn with_two_lengths_the_code_that_fits_is_taken() {
        let lengths = [Digits::DEFAULT, Digits::new(8).unwrap()];
        let eight = |code: &Code| code.digits().count() == 8;
        let (password, answer) = Answer::split(b"pw12345678", &lengths, eight);
        assert_eq!((password, &*shown(&answer)), (&b"pw"[..], "12345678"));
        let (password, answer) = Answer::split(b"pw12345678", &lengths, |_| false);
        assert_eq!((password, &*shown(&answer)), (&b"pw12"[..], "345678"));
    }
}
