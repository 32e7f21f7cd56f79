//! Networks of IP addresses, as a person writes them.
//!
//! Text -> networks -> whether an address is in one. Invariant: an address alone is a network of one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that begin with the same bits, as `10.0.0.0/8`.
///
/// ```
/// use drydock_contract::IpNetwork;
///
/// let networks = IpNetwork::parse_list("10.0.0.0/8, ::1").unwrap();
/// assert!(networks.iter().any(|it| it.contains("10.1.2.3".parse().unwrap())));
/// assert!(IpNetwork::parse_list("example.com").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    prefix: u32,
}

/// What is neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetworkError;

impl fmt::Display for IpNetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(IpNetwork::LIST)
    }
}

impl std::error::Error for IpNetworkError {}

impl IpNetwork {
    /// What a list of them looks like, in words.
    pub const LIST: &str = "addresses and networks with commas between them, as 127.0.0.1,10.0.0.0/8";

    /// Those of a version 4 network: `v4([10, 0, 0, 0], 8)`.
    #[must_use]
    pub const fn v4(address: [u8; 4], prefix: u32) -> Self {
        let [a, b, c, d] = address;
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    /// Those of a version 6 network, by its first 32 bits: `v6(0xfc00, 0, 7)`.
    #[must_use]
    pub const fn v6(first: u16, second: u16, prefix: u32) -> Self {
        Self { address: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)), prefix }
    }

    /// Whether an address is one of them. One of the other version never is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(it)) => {
                (network.to_bits() ^ it.to_bits()).leading_zeros() >= self.prefix
            }
            (IpAddr::V6(network), IpAddr::V6(it)) => {
                (network.to_bits() ^ it.to_bits()).leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }

    /// Reads a list with commas between its items; an empty one is none.
    ///
    /// # Errors
    /// An item is neither an address nor a network.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, IpNetworkError> {
        let items = text.split(',').map(str::trim);
        if text.trim().is_empty() { Ok(Vec::new()) } else { items.map(str::parse).collect() }
    }
}

impl FromStr for IpNetwork {
    type Err = IpNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(it, bits)| (it, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| IpNetworkError)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            // `parse` alone takes a sign.
            Some(text) if text.starts_with('+') => return Err(IpNetworkError),
            Some(text) => text.parse().map_err(|_| IpNetworkError)?,
        };
        if prefix <= bits { Ok(Self { address, prefix }) } else { Err(IpNetworkError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.9.8.7/8", "10.255.0.1", "9.255.255.255"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::1", "::1", "::2"),
            ("fc00::/7", "fdff::1", "fe00::1"),
            ("::/0", "ffff::", "1.2.3.4"),
        ] {
            let it: IpNetwork = network.parse().unwrap();
            assert!(it.contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(!it.contains(outside.parse().unwrap()), "{outside} in {network}");
        }
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        assert_eq!(IpNetwork::parse_list(" "), Ok(Vec::new()));
        let both = [IpNetwork::v4([10, 0, 0, 0], 8), IpNetwork::v6(0xfc00, 0, 7)];
        assert_eq!(IpNetwork::parse_list("10.0.0.0/8 ,fc00::/7"), Ok(both.to_vec()));
        for wrong in
            ["1", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/", "10.0.0.0/8,", "localhost", "[::1]"]
        {
            assert_eq!(IpNetwork::parse_list(wrong), Err(IpNetworkError), "{wrong}");
        }
    }
}
