//! Where a login comes from: a network address, or somebody on this machine.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::token::TokenFile;

/// The origin of a guess, as the application tells it.
///
/// An IPv6 network of 64 bits is one source, since one customer has all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// A client on the network: an address, or a name if that is all there is.
    #[must_use]
    pub fn remote(rhost: &str) -> Self {
        let address = rhost
            .parse::<IpAddr>()
            .map(|address| address.to_canonical());
        Self(match address {
            Ok(IpAddr::V4(address)) => format!("net {address}"),
            Ok(IpAddr::V6(address)) => {
                let network = u128::from(address) & (u128::MAX << 64);
                format!("net {}/64", Ipv6Addr::from(network))
            }
            Err(_) => format!("host {}", rhost.to_ascii_lowercase()),
        })
    }

    /// Somebody on this machine: the user who started su or sudo, or else the
    /// terminal. So a user who guesses at another one's code waits alone.
    #[must_use]
    pub fn local(who: &str) -> Self {
        Self(format!("local {who}"))
    }

    /// The name under which a state remembers it. Keyed with the user's first secret:
    /// a copied state does not tell from where its owner logs in.
    #[must_use]
    pub fn id(&self, record: &TokenFile) -> SourceId {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        if let Some(token) = record.tokens().first() {
            token.secret.fill(&mut block);
        }
        let digest = <Hmac<Sha256> as KeyInit>::new(&block)
            .chain_update(b"pam-otp source 1")
            .chain_update(self.0.as_bytes())
            .finalize()
            .into_bytes();
        zeroize::Zeroize::zeroize(block.as_mut_slice());
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        SourceId(id)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A source in a state: derived, not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub [u8; 8]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_is_one_whatever_way_it_is_written() {
        for (one, other) in [
            ("192.0.2.7", "::ffff:192.0.2.7"),
            ("2001:db8::1", "2001:db8:0:0:ffff::2"),
            ("Host.Example.ORG", "host.example.org"),
        ] {
            assert_eq!(Source::remote(one), Source::remote(other));
        }
    }

    #[test]
    fn different_sources_stay_apart() {
        for (one, other) in [
            (Source::remote("192.0.2.7"), Source::remote("192.0.2.8")),
            (
                Source::remote("2001:db8::1"),
                Source::remote("2001:db8:0:1::1"),
            ),
            (Source::remote("alice"), Source::local("alice")),
            (Source::local("alice"), Source::local("bob")),
        ] {
            assert_ne!(one, other);
        }
    }
}
