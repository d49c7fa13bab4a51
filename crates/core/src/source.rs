//! Where a login comes from: a network address, or somebody on this machine.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::names::Keys;
use crate::remember::Place;
use crate::session::Session;
use crate::token::TokenFile;

/// The origin of a guess, as the application tells it.
///
/// An IPv6 network of 64 bits is one source, since one customer has all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    place: Option<Place>,
}

/// The client's address, if what the application says is one, and not a name:
/// names are what somebody's name server makes of an address. An IPv4 address
/// is one, whatever way it is written, and behind a translator too (RFC 6052).
#[must_use]
pub fn address(rhost: &str) -> Option<IpAddr> {
    let address = rhost.parse::<IpAddr>().ok()?.to_canonical();
    let IpAddr::V6(whole) = address else {
        return Some(address);
    };
    match whole.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let last = u128::from(whole) & u128::from(u32::MAX);
            Some(Ipv4Addr::from(u32::try_from(last).ok()?).into())
        }
        _ => Some(address),
    }
}

/// Whether the 64 bits before the last ones say nothing about whose an address
/// is: local ones, and ways from IPv4 into IPv6.
fn is_nobody_s_network(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0, 0, 0, 0, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, 1, ..] => true,
        [first, ..] => first & 0xffc0 == 0xfe80,
    }
}

impl Source {
    /// A client on the network: an address, or a name if that is all there is.
    /// An address can be remembered, a name cannot.
    #[must_use]
    pub fn remote(rhost: &str) -> Self {
        let (name, place) = match address(rhost) {
            Some(IpAddr::V4(address)) => (format!("net {address}"), None),
            Some(IpAddr::V6(address)) => {
                let network = u128::from(address) & (u128::MAX << 64);
                let name = format!("net {}/64", Ipv6Addr::from(network));
                let alone = is_nobody_s_network(address);
                (name, alone.then(|| format!("net {address}")))
            }
            None => {
                return Self {
                    name: format!("host {}", rhost.to_ascii_lowercase()),
                    place: None,
                };
            }
        };
        Self {
            place: Some(Place::network(place.unwrap_or_else(|| name.clone()))),
            name,
        }
    }

    /// Somebody on this machine: the user who started su or sudo, or else the
    /// terminal. So a user who guesses at another one's code waits alone.
    #[must_use]
    pub fn local(who: &str) -> Self {
        Self {
            name: format!("local {who}"),
            place: None,
        }
    }

    /// The same, at a terminal of a login session: there it can be remembered.
    /// Guesses are counted as before.
    #[must_use]
    pub fn at(mut self, session: &Session, terminal: &str) -> Self {
        self.place = Some(Place::session(session, terminal, &self.name));
        self
    }

    /// Where a success is remembered, if it can be.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The name under which a state remembers it. Keyed with the user's first secret:
    /// a copied state does not tell from where its owner logs in.
    #[must_use]
    pub fn id(&self, record: &TokenFile) -> SourceId {
        self.id_by(&Keys::of(record))
    }

    /// The same, for who has the record's keys.
    pub(crate) fn id_by(&self, keys: &Keys) -> SourceId {
        SourceId(keys.name(&[b"pam-otp source 2", self.name.as_bytes()]))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
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
            ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(Source::remote(one), Source::remote(other));
        }
    }

    #[test]
    fn where_many_share_64_bits_the_whole_address_is_remembered() {
        for (one, other) in [
            ("fe80::1", "fe80::2"),
            ("::1", "::2"),
            ("2001:0:1:2::1", "2001:0:1:2::2"),
            ("64:ff9b:1::1", "64:ff9b:1::2"),
        ] {
            let (one, other) = (Source::remote(one), Source::remote(other));
            assert_eq!(one.name, other.name, "guesses count for the network");
            assert_ne!(one.place(), other.place());
        }
        let (one, other) = (Source::remote("2001:db8::1"), Source::remote("2001:db8::2"));
        assert_eq!(one, other);
        let (one, other) = ("64:ff9b::192.0.2.7", "64:ff9b::203.0.113.66");
        assert_ne!(Source::remote(one), Source::remote(other));
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
