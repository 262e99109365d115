//! Which address a request comes from, and which key its limits count under. Headers decide only where a configured
//! proxy sent them, and of those only `X-Forwarded-For`: a proxy passes on what it does not know, so whoever reads a
//! second header (`Forwarded`, `X-Real-IP` and their like) reads what the client wrote.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, request::Parts};

use crate::problem::Problem;

/// The other end of the connection, put into each request by the accept loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The client's address. IPv4 in IPv6 clothes is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The key for rate limits: an IPv4 address, or the /64 of an IPv6 address, because whoever has one address of a
    /// /64 has them all.
    #[must_use]
    pub fn limit_key(self) -> String {
        match self.0 {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Always there behind the middleware.
        parts.extensions.get::<Self>().copied().ok_or_else(Problem::internal)
    }
}

/// Put into each request that a trusted proxy passed on: what the proxy says of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOn;

/// The proxies whose `X-Forwarded-For` counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// From addresses or CIDR networks.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<T: AsRef<str>>(networks: &[T]) -> Result<Self, NotANetwork> {
        networks.iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// The client of a request from `peer`: walking `X-Forwarded-For` from the right, the first hop that is not a
    /// trusted proxy. What stands left of it is hearsay.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");
        let mut client = peer.to_canonical();
        if self.0.is_empty() {
            return ClientAddress(client);
        }
        let lines: Vec<_> = headers.get_all(NAME).iter().collect();
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if !self.contains(client) {
                break;
            }
            match parse_hop(hop.trim()) {
                Some(ip) => client = ip,
                // An unreadable hop ends the chain of trust at the proxy that reported it.
                None => break,
            }
        }
        ClientAddress(client)
    }

    /// Whether the other end of a connection is one of them.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.contains(peer.to_canonical())
    }

    fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }
}

/// `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]` or `[::1]:5`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&ip))
}

/// An address prefix.
#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is neither an address nor a CIDR network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a network like 10.0.0.0/8 (IPv4 not in the form of IPv6)")]
pub struct NotANetwork(String);

impl Network {
    fn contains(self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same_prefix(a.to_bits().into(), b.to_bits().into(), 32, self.prefix),
            (IpAddr::V6(a), IpAddr::V6(b)) => same_prefix(a.to_bits(), b.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, width: u8, prefix: u8) -> bool {
    let shift = u32::from(width.saturating_sub(prefix));
    (a ^ b).checked_shr(shift).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let bad = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        // Clients' addresses are canonical: a network of IPv4 in IPv6 form would match nobody.
        let mapped = matches!(address, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
        if mapped || prefix > width { Err(bad()) } else { Ok(Self { address, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers.insert("x-real-ip", "6.6.6.6".parse().unwrap());
        headers.append("forwarded", "for=6.6.6.6".parse().unwrap());
        headers.append("forwarded", "for=\"[2001:db8:6::6]:4711\", for=_hidden;by=203.0.113.9".parse().unwrap());
        TrustedProxies::parse(trusted).unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    /// AC-015: rotating the left-most X-Forwarded-For behind an appending proxy changes nothing.
    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        for spoofed in ["1.1.1.1", "2.2.2.2", "10.0.0.9", "garbage", "::1", ""] {
            let line = format!("{spoofed}, 203.0.113.7");
            assert_eq!(client(&proxies, "10.0.0.1", &[&line]), "203.0.113.7", "{spoofed}");
            assert_eq!(client(&proxies, "10.0.0.1", &[spoofed, "203.0.113.7, 10.0.0.2"]), "203.0.113.7", "{spoofed}");
        }
        assert_eq!(client(&proxies, "10.0.0.1", &["9.9.9.9, nonsense"]), "10.0.0.1");
        assert_eq!(client(&proxies, "fd00::1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(&proxies, "10.0.0.1", &["198.51.100.1:8080"]), "198.51.100.1");
        assert_eq!(client(&proxies, "10.0.0.1", &[]), "10.0.0.1");
    }

    /// Without `X-Forwarded-For`, `Forwarded` of a trusted proxy counts for nothing, as documented (fault 30).
    /// ASVS V4.1.3
    #[test]
    fn headers_of_strangers_are_ignored() {
        assert_eq!(client(&[], "203.0.113.7", &["1.1.1.1"]), "203.0.113.7");
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.7", &["1.1.1.1"]), "203.0.113.7");
        assert_eq!(client(&["10.0.0.1"], "10.0.0.2", &["1.1.1.1"]), "10.0.0.2");
    }

    /// AC-016: rotating addresses within one /64 stays within one limit.
    #[test]
    fn limits_count_per_ipv4_address_and_per_ipv6_network() {
        let key = |text: &str| ClientAddress(text.parse::<IpAddr>().unwrap().to_canonical()).limit_key();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    /// A network that no address of a client can be in is refused, not ignored (fault 30).
    #[test]
    fn only_networks_are_configured() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "::1", "192.0.2.1/32"] {
            assert!(TrustedProxies::parse(&[good]).is_ok(), "{good}");
        }
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "localhost", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(TrustedProxies::parse(&[bad]).is_err(), "{bad}");
        }
        for bad in ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "::ffff:0:0/96", "::ffff:a00:0/104"] {
            assert!(TrustedProxies::parse(&[bad]).is_err(), "{bad}");
        }
    }
}
