//! Networks in CIDR notation: an address and the length of its prefix, never with bits beyond it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network, or one host when the prefix is as long as the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// Neither an IPv4 nor an IPv6 address before the slash.
    #[error("`{0}` is no IP address")]
    Address(String),
    /// An IPv4 address in IPv6's clothes, which no packet carries.
    #[error("write this address as IPv4")]
    Mapped,
    /// No prefix length of this kind of address.
    #[error("`{0}` is no prefix length from 1 to {1}")]
    Prefix(String, u8),
    /// Bits are set beyond the prefix: one host or its whole network may be meant.
    #[error("bits are set beyond the prefix: the network is {0}")]
    HostBits(Network),
}

impl Network {
    /// Its first address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Whether an address lies in it.
    pub fn holds(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && Self::around(address, self.prefix) == self
    }

    /// Whether it is one host.
    pub fn is_host(self) -> bool {
        self.prefix == bits(self.address)
    }

    /// The network of an address.
    fn around(address: IpAddr, prefix: u8) -> Self {
        let beyond = u32::from(bits(address) - prefix);
        let address = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(beyond).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(beyond).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
        };
        Self { address, prefix }
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl FromStr for Network {
    type Err = NetworkFault;

    /// Takes `192.168.145.0/24`, `2001:db8::/32` or one address. A prefix of 0 is every address: no network.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, prefix) = text.split_once('/').map_or((text, None), |(host, rest)| (host, Some(rest)));
        let address: IpAddr = host.parse().map_err(|_| NetworkFault::Address(host.to_owned()))?;
        if address.to_canonical() != address {
            return Err(NetworkFault::Mapped);
        }
        let longest = bits(address);
        let prefix = match prefix.map(|prefix| (prefix, prefix.parse::<u8>())) {
            None => longest,
            Some((_, Ok(prefix))) if (1..=longest).contains(&prefix) => prefix,
            Some((text, _)) => return Err(NetworkFault::Prefix(text.to_owned(), longest)),
        };
        let network = Self::around(address, prefix);
        if network.address != address { Err(NetworkFault::HostBits(network)) } else { Ok(network) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_hosts_are_written_the_short_way() {
        for (text, short) in [
            ("192.168.145.0/24", "192.168.145.0/24"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("2001:DB8:0::/32", "2001:db8::/32"),
            ("::1", "::1"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), short);
        }
    }

    #[test]
    fn what_is_no_network_says_why() {
        let fault = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert_eq!(
            fault("192.168.145.9/24"),
            "bits are set beyond the prefix: the network is 192.168.145.0/24"
        );
        assert_eq!(fault("0.0.0.0/0"), "`0` is no prefix length from 1 to 32");
        assert_eq!(fault("10.0.0.0/33"), "`33` is no prefix length from 1 to 32");
        assert_eq!(fault("pool/24"), "`pool` is no IP address");
        assert_eq!(fault("::ffff:10.0.0.1"), "write this address as IPv4");
    }
}
