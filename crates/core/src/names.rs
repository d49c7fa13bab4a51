//! The names by which a state knows tokens, sources and places. Each is made with a
//! token's secret, so that a copied state does not tell where its owner logs in.
//! What they are made of: `docs/formats.md`.

use crate::code::Generator;
use crate::token::{Token, TokenFile, TokenId};

/// Bytes in a name.
pub(crate) const NAME: usize = 8;

/// The keys of one record's tokens, in its order. Made once for a decision: to work
/// a secret in costs as much as a code.
#[derive(Clone)]
pub(crate) struct Keys(Vec<Key>);

/// What one token's secret makes: codes, and names.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) generator: Generator,
    pub(crate) id: TokenId,
}

impl Keys {
    pub(crate) fn of(record: &TokenFile) -> Self {
        Self(record.tokens().iter().map(Key::of).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// A name that belongs to the record: made with its first token's secret.
    pub(crate) fn name(&self, parts: &[&[u8]]) -> [u8; NAME] {
        // A record without a token cannot be made.
        let first = self.0.first();
        first.map_or([0; NAME], |key| key.generator.name(parts))
    }
}

impl Key {
    fn of(token: &Token) -> Self {
        let generator = token.generator();
        let id = token.id_by(&generator);
        Self { generator, id }
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    use super::*;
    use crate::remember::Place;
    use crate::source::Source;

    const RECORD: &str = "version = 1
[[token]]
name = \"phone\"
type = \"totp\"
secret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"
[[token]]
name = \"ring\"
type = \"hotp\"
secret = \"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\"
digits = 8
";

    /// The first bytes of an HMAC-SHA-1.
    fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
        let mut hmac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
        hmac.update(text);
        hmac.finalize().into_bytes()[..NAME].to_vec()
    }

    #[test]
    fn names_are_made_of_what_the_formats_say() {
        let record = TokenFile::parse(RECORD.as_bytes()).unwrap();
        let phone = b"12345678901234567890";
        let ring = b"Hello!\xde\xad\xbe\xefHello!\xde\xad\xbe\xef";
        let number = |number: u64| number.to_le_bytes();
        let id = |secret: &[u8], head: &[u8], digits, period| {
            hmac(secret, &[head, &number(digits), &number(period)].concat())
        };
        let ids = [
            id(phone, b"pam-otp token 2totpSHA1", 6, 30),
            id(ring, b"pam-otp token 2hotpSHA1", 8, 0),
        ];
        for (token, id) in record.tokens().iter().zip(&ids) {
            assert_eq!(token.id().0[..], id[..]);
        }
        let source = Source::remote("192.0.2.7");
        let name = hmac(phone, b"pam-otp source 2net 192.0.2.7");
        assert_eq!(source.id(&record).0[..], name[..]);
        let place = source.place().map(|place: &Place| place.id(&record).id);
        let text = [b"pam-otp place 2", &ids.concat()[..], b"net 192.0.2.7"].concat();
        assert_eq!(place.unwrap()[..], hmac(phone, &text)[..]);
    }
}
