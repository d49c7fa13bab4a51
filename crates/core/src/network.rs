//! A network: an address, or all addresses that begin with the same bits.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network of IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address.
    first: IpAddr,
    /// How many bits of it all have.
    bits: u8,
}

impl Network {
    /// Whether the address lies in it. An IPv4 address is one, whatever way it
    /// is written.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differs = number(self.first) ^ number(address);
        self.first.is_ipv4() == address.is_ipv4() && differs & !self.rest() == 0
    }

    /// All bits after the first ones.
    fn rest(self) -> u128 {
        let bits = width(self.first).saturating_sub(self.bits);
        !u128::MAX.checked_shl(u32::from(bits)).unwrap_or(0)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// Reads `ADDRESS` or `ADDRESS/BITS`. A bit set after those is a mistake:
    /// either the address is meant, or another network.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(|_| NetworkError)?
            }
            Some(_) => return Err(NetworkError),
            None => width(first),
        };
        let network = Self { first, bits }.canonical();
        if bits <= width(first) && number(network.first) & network.rest() == 0 {
            Ok(network)
        } else {
            Err(NetworkError)
        }
    }
}

/// Bits of an IPv6 address before the IPv4 address that it stands for.
const MAPPED: u8 = 96;

impl Network {
    /// IPv4 written as IPv6 is IPv4.
    fn canonical(self) -> Self {
        let mapped = match self.first {
            IpAddr::V6(first) => Ipv6Addr::to_ipv4_mapped(&first),
            IpAddr::V4(_) => None,
        };
        match (mapped, self.bits.checked_sub(MAPPED)) {
            (Some(first), Some(bits)) => Self {
                first: first.into(),
                bits,
            },
            _ => self,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.first) {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

/// Not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkError;

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is ADDRESS or ADDRESS/BITS, with no bit set after those")
    }
}

impl std::error::Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_in_the_networks_that_begin_with_its_bits() {
        for (network, address, expected) in [
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7/32", "192.0.2.7", true),
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.9", false),
            ("::/0", "::ffff:203.0.113.9", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::1", "2001:db8:0:0:0:0:0:1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("192.0.2.0/24", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "192.0.3.7", false),
            ("::ffff:192.0.2.7", "192.0.2.7", true),
            ("127.0.0.0/8", "::1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            let said = parsed.contains(address.parse().unwrap());
            assert_eq!(said, expected, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "192.0.2.7/",
            "/24",
            "192.0.2.7/33",
            "192.0.2.7/-1",
            "192.0.2.7/+24",
            "192.0.2.0/ 24",
            "192.0.2.0/24/24",
            "192.0.2.7/24",
            "2001:db8::1/64",
            "2001:db8::/129",
            "::ffff:192.0.2.7/120",
            "192.0.2",
            "192.0.2.*",
            "192.0.2.007",
            "192.0.2.0/255.255.255.0",
            "host.example.org",
            "localhost",
            "LOCAL",
            "fe80::1%eth0",
            "[::1]",
            "192.0.2.7:22",
            " 192.0.2.7",
            "192.0.2.0-192.0.2.9",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for (text, expected) in [
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("2001:DB8:0::/48", "2001:db8::/48"),
            ("::1", "::1"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), expected);
        }
    }
}
