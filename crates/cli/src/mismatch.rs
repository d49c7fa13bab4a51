//! A code that does not match a new token, and what may be wrong with it.

use pam_otp_core::code::Code;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token};

use crate::clock::{self, Clock};

/// How far the code is off, and how this machine's clock stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mismatch {
    /// Seconds by which the phone's clock is ahead (behind: negative), if the
    /// code would be right within an hour of now.
    pub(crate) seconds: Option<i64>,
    /// None for a counter, which has no clock.
    clock: Option<Clock>,
}

impl Mismatch {
    /// What may be wrong with a code.
    pub(crate) fn of(token: &Token, code: &Code, now: UnixTime) -> Self {
        let timed = matches!(token.kind, Kind::Totp { .. });
        Self {
            seconds: clock::apart(token, code, now),
            clock: timed.then(Clock::look),
        }
    }

    /// What is wrong.
    pub(crate) fn what(self) -> String {
        match (self.seconds, self.clock) {
            (Some(seconds), _) => format!("that code is {}", clock::describe(seconds)),
            (None, Some(_)) => {
                "that code does not match, nor would it within an hour of now: is it this account's?"
                    .to_owned()
            }
            (None, None) => "that code does not match: is it this account's?".to_owned(),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(self) -> Option<String> {
        self.clock.map(Clock::hint)
    }

    /// Both, for a person who may try again.
    pub(crate) fn sentences(self) -> String {
        let sentence = |text: String| match text.strip_prefix('t') {
            Some(rest) if text.ends_with('?') => format!("T{rest}"),
            Some(rest) => format!("T{rest}."),
            None => text,
        };
        let what = sentence(self.what());
        match self.hint() {
            Some(hint) => format!("{what}\n{}", sentence(hint)),
            None => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use pam_otp_core::code::{Algorithm, Digits, Secret};
    use pam_otp_core::time::Period;
    use pam_otp_core::token::TokenName;

    use super::*;

    const NOW: u64 = 1_700_000_010;

    fn token(kind: Kind) -> Token {
        Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind,
            secret: Secret::new(b"12345678901234567890").unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        }
    }

    #[test]
    fn a_code_that_does_not_match_is_told_with_how_far_the_clocks_are_apart() {
        let totp = token(Kind::Totp {
            period: Period::DEFAULT,
        });
        for (phone, said) in [
            (
                NOW - 900,
                "That code is about 15m behind this machine's clock.\nThis machine's",
            ),
            (
                NOW + 3600,
                "That code is about 1h ahead of this machine's clock.\nThis machine's",
            ),
            (
                NOW + 7200,
                "That code does not match, nor would it within an hour of now: is it this account's?\n",
            ),
        ] {
            let code = totp.generator().code(phone / 30);
            let told = Mismatch::of(&totp, &code, UnixTime(NOW)).sentences();
            assert!(told.starts_with(said), "{told}");
        }
    }

    #[test]
    fn a_counter_has_no_clock() {
        let hotp = token(Kind::Hotp { counter: 0 });
        let code = hotp.generator().code(5000);
        let mismatch = Mismatch::of(&hotp, &code, UnixTime(NOW));
        assert_eq!(mismatch.hint(), None);
        assert_eq!(
            mismatch.sentences(),
            "That code does not match: is it this account's?"
        );
    }
}
