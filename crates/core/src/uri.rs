//! The `otpauth://` URI that authenticator apps read from a QR code.
//!
//! There is no RFC; apps follow the key URI format that Google published:
//! `otpauth://TYPE/ISSUER:ACCOUNT?secret=…&issuer=…&algorithm=…&digits=…`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::token::{Kind, Token};

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
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: Secret::new(b"12345678901234567890").unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
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
