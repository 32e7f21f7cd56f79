//! Which addresses tools may reach.
//!
//! An address, or the host of a URL -> `Forbidden`, or nothing. Invariant: what is not known as a public address of one machine
//! is forbidden, unless `MCP_ALLOW_PRIVATE` names it.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use drydock_contract::{IpNetwork, env};

use crate::log;

/// IANA's registry of special addresses, and what clouds use besides.
const SPECIAL_V4: [(IpNetwork, &str); 16] = [
    (IpNetwork::v4([0, 0, 0, 0], 8), "unspecified"), // Linux connects it to this machine
    (IpNetwork::v4([10, 0, 0, 0], 8), "private"),
    (IpNetwork::v4([100, 64, 0, 0], 10), "private"),
    (IpNetwork::v4([127, 0, 0, 0], 8), "loopback"),
    (IpNetwork::v4([168, 63, 129, 16], 32), "private"), // a public number, but Azure's host answers it
    (IpNetwork::v4([169, 254, 0, 0], 16), "link-local"),
    (IpNetwork::v4([172, 16, 0, 0], 12), "private"),
    (IpNetwork::v4([192, 0, 0, 0], 24), "reserved"),
    (IpNetwork::v4([192, 0, 2, 0], 24), "documentation"),
    (IpNetwork::v4([192, 88, 99, 0], 24), "reserved"),
    (IpNetwork::v4([192, 168, 0, 0], 16), "private"),
    (IpNetwork::v4([198, 18, 0, 0], 15), "private"),
    (IpNetwork::v4([198, 51, 100, 0], 24), "documentation"),
    (IpNetwork::v4([203, 0, 113, 0], 24), "documentation"),
    (IpNetwork::v4([224, 0, 0, 0], 4), "multicast"),
    (IpNetwork::v4([240, 0, 0, 0], 4), "reserved"), // with broadcast
];

const SPECIAL_V6: [(IpNetwork, &str); 7] = [
    (IpNetwork::v6(0x2001, 0, 23), "reserved"), // Teredo, among others
    (IpNetwork::v6(0x2001, 0xdb8, 32), "documentation"),
    (IpNetwork::v6(0x3fff, 0, 20), "documentation"),
    (IpNetwork::v6(0xfc00, 0, 7), "private"),
    (IpNetwork::v6(0xfe80, 0, 10), "link-local"),
    (IpNetwork::v6(0xfec0, 0, 10), "private"),
    (IpNetwork::v6(0xff00, 0, 8), "multicast"),
];
/// All that has been given to anybody.
const GLOBAL_V6: IpNetwork = IpNetwork::v6(0x2000, 0, 3);
/// A gateway sends these on to the version 4 address in the last bits.
const NAT64: IpNetwork = IpNetwork::v6(0x64, 0xff9b, 96);
/// And these to that in the bits after the first 16.
const SIX_TO_FOUR: IpNetwork = IpNetwork::v6(0x2002, 0, 16);

/// What `--allow-private` says; until then, what the environment does.
static ALLOWED: OnceLock<Arc<[IpNetwork]>> = OnceLock::new();

/// The address is of this kind, and nobody has allowed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forbidden {
    kind: &'static str,
    /// Not for the model: names of a private network tell something of it.
    pub(super) address: IpAddr,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, setting) = (self.kind, env::ALLOW_PRIVATE);
        let article = if kind == "unspecified" { "an" } else { "a" };
        write!(f, "has {article} {kind} address, which this server may not reach; ")?;
        write!(f, "whoever runs it can allow that address with {setting}")
    }
}

impl Error for Forbidden {}

/// What may be reached besides public addresses.
#[derive(Debug, Clone)]
pub(super) struct AddressRules {
    allowed: Arc<[IpNetwork]>,
}

/// From now on these private addresses may be reached.
pub(crate) fn allow_private(list: &str) -> Result<(), String> {
    let allowed = IpNetwork::parse_list(list)
        .map_err(|takes| format!("{}: `{}` is not {takes}", env::ALLOW_PRIVATE, log::escape(list)))?;
    let _ = ALLOWED.set(allowed.into()); // a process has one command line
    Ok(())
}

impl AddressRules {
    /// That of this process.
    pub(super) fn of_process() -> Self {
        let from_env = || {
            let list = std::env::var(env::ALLOW_PRIVATE).unwrap_or_default();
            IpNetwork::parse_list(&list).unwrap_or_default().into()
        };
        Self { allowed: ALLOWED.get_or_init(from_env).clone() }
    }

    #[cfg(test)]
    pub(super) fn allowing(list: &str) -> Self {
        Self { allowed: IpNetwork::parse_list(list).unwrap().into() }
    }

    /// Judges an address that is about to be connected to.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical(); // the system takes `::ffff:127.0.0.1` for 127.0.0.1
        match special(address) {
            Some(kind) if !self.allowed.iter().any(|it| it.contains(address)) => {
                Err(Forbidden { kind, address })
            }
            _ => Ok(()),
        }
    }

    /// Judges the host of a URL by itself: for an address no name is looked up, and behind a proxy none is here.
    pub(super) fn check_host(&self, host: &str) -> Result<(), Forbidden> {
        let host = host.trim_end_matches('.');
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return self.check(address);
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return self
                .check(Ipv4Addr::LOCALHOST.into())
                .or_else(|_| self.check(Ipv6Addr::LOCALHOST.into()));
        }
        Ok(())
    }
}

/// What kind of address it is, if not a public one.
fn special(address: IpAddr) -> Option<&'static str> {
    let listed = |list: &[(IpNetwork, &'static str)]| {
        list.iter().find(|(network, _)| network.contains(address)).map(|&(_, kind)| kind)
    };
    match address {
        IpAddr::V4(_) => listed(&SPECIAL_V4),
        IpAddr::V6(it) if it.is_loopback() => Some("loopback"),
        IpAddr::V6(it) if it.is_unspecified() => Some("unspecified"),
        IpAddr::V6(it) => match forwarded_to(it) {
            Some(behind) => special(behind.into()),
            None => listed(&SPECIAL_V6).or((!GLOBAL_V6.contains(address)).then_some("reserved")),
        },
    }
}

fn forwarded_to(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    if NAT64.contains(address.into()) {
        return Some(Ipv4Addr::from_bits(bits as u32));
    }
    SIX_TO_FOUR.contains(address.into()).then(|| Ipv4Addr::from_bits((bits >> 80) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [(&str, &[&str]); 8] = [
        ("unspecified", &["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"]),
        (
            "private",
            &[
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "100.100.100.200", // metadata at Alibaba
                "168.63.129.16",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "198.18.0.1",
                "198.19.255.255",
                "::ffff:10.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::c0a8:1",
                "2002:0a00:0001::1",
                "2002:c0a8:0101::",
                "fc00::1",
                "fd00:ec2::254", // metadata at Amazon
                "fdff:ffff::1",
                "fec0::1",
            ],
        ),
        (
            "loopback",
            &[
                "127.0.0.1",
                "127.255.255.254",
                "::1",
                "::ffff:127.0.0.1",
                "64:ff9b::127.0.0.1",
                "2002:7f00:1::",
            ],
        ),
        (
            "link-local",
            &[
                "169.254.169.254",
                "169.254.0.0",
                "::ffff:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "2002:a9fe:a9fe::",
                "fe80::1",
                "febf::1",
            ],
        ),
        ("documentation", &["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff:fff::1"]),
        ("multicast", &["224.0.0.1", "239.255.255.255", "ff02::1", "64:ff9b::224.0.0.1"]),
        (
            "reserved",
            &[
                "192.0.0.192", // metadata at Oracle
                "192.88.99.1",
                "240.0.0.1",
                "255.255.255.255",
                "::127.0.0.1",
                "::8.8.8.8",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:1ff::1",
                "4000::1",
                "5f00::1",
            ],
        ),
        (
            "",
            &[
                "1.1.1.1",
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "168.63.129.17",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.0",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
                "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8",
                "2002:808:808::1",
                "2001:200::1",
                "2001:4860:4860::8888",
                "2606:4700::1111",
                "3ffe::1",
            ],
        ),
    ];

    #[test]
    fn each_address_is_of_its_kind() {
        let rules = AddressRules::allowing("");
        for (kind, addresses) in KINDS {
            for address in addresses {
                let judged = rules.check(address.parse().unwrap()).map_err(|it| it.kind);
                assert_eq!(judged, if kind.is_empty() { Ok(()) } else { Err(kind) }, "{address}");
            }
        }
    }

    #[test]
    fn what_is_allowed_is_that_address_and_no_other_way_to_it() {
        let rules = AddressRules::allowing("127.0.0.1, 10.0.0.0/8, fd00::/8");
        for allowed in ["127.0.0.1", "::ffff:127.0.0.1", "10.9.9.9", "fd12::1", "8.8.8.8"] {
            assert_eq!(rules.check(allowed.parse().unwrap()), Ok(()), "{allowed}");
        }
        for forbidden in ["127.0.0.2", "::1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "192.168.0.1", "fc00::1"]
        {
            assert!(rules.check(forbidden.parse().unwrap()).is_err(), "{forbidden}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_in_whatever_spelling_is_judged_as_one() {
        let rules = AddressRules::allowing("");
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://0/",
            "http://169.254.43518/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]/",
            "http://user@10.0.0.1:80/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.b.localhost/",
        ] {
            let url = reqwest::Url::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert!(rules.check_host(url.host_str().unwrap()).is_err(), "{url}");
        }
        for host in ["example.com", "localhost.example.com", "notlocalhost", "8.8.8.8", "[2606:4700::1111]"] {
            assert_eq!(rules.check_host(host), Ok(()), "{host}");
        }
        assert_eq!(AddressRules::allowing("::1").check_host("localhost"), Ok(()));
    }
}
