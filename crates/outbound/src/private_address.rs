//! Which addresses are not the public internet, and a resolver that refuses them. Who may reach them is not decided here.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::PrivateAddress;

/// Whether an address is anything but public unicast (RFC 6890 and its v6 forms, v4 inside v6 included).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(v6: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = v6.segments();
    let embedded = |high: u16, low: u16| is_private_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    if v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() {
        return true;
    }
    // v4-mapped, v4-compatible, v4-translated (RFC 2765), NAT64 (RFC 6052) and local NAT64 (RFC 8215).
    if (s0, s1, s2, s3) == (0, 0, 0, 0) && (s4 == 0 || s4 == 0xffff) {
        return (s4, s5) != (0, 0xffff) || embedded(s6, s7);
    }
    if (s0, s1) == (0x64, 0xff9b) {
        return (s2, s3, s4, s5) != (0, 0, 0, 0) || embedded(s6, s7);
    }
    if s0 == 0x2002 {
        return embedded(s1, s2);
    }
    let only_global_unicast = (0x2000..=0x3fff).contains(&s0);
    !only_global_unicast || (s0 == 0x2001 && (s1 < 0x200 || s1 == 0xdb8)) || (s0 == 0x3fff && s1 < 0x1000)
}

/// Whether the URL's host is written as a private address or is `localhost`.
#[must_use]
pub fn names_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => is_private_v4(v4),
        Some(Host::Ipv6(v6)) => is_private_v6(v6),
        Some(Host::Domain(name)) => is_localhost(name),
        None => true,
    }
}

/// Whether the URL's host is the machine itself.
pub(crate) fn names_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => is_localhost(name),
        None => false,
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Resolves as the system does and connects to exactly what was checked: a name that leads to any private address is
/// refused whole, so a second look-up with another answer (DNS rebinding) has no effect.
pub(crate) struct PublicOnly {
    resolver: Arc<dyn Resolve>,
    refused: fn(IpAddr) -> bool,
}

impl PublicOnly {
    pub(crate) fn over(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, refused: is_private }
    }

    /// With another rule than [`is_private`], so that a test can watch a connection to the loopback being made.
    #[cfg(test)]
    pub(crate) fn refusing(resolver: Arc<dyn Resolve>, refused: fn(IpAddr) -> bool) -> Self {
        Self { resolver, refused }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (resolving, refused) = (self.resolver.resolve(name), self.refused);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = resolving.await?.collect();
            if addresses.iter().any(|a| refused(a.ip())) {
                return Err(PrivateAddress(host).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The system's resolver.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    /// AC-120: loopback, link-local, shared, unique-local and v4-in-v6 forms are private.
    /// ASVS V1.3.6
    #[test]
    fn every_way_to_write_a_private_address_is_known() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "198.19.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:a00:1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "100::1",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    /// AC-120: octal, hex and decimal spellings become the same address when the URL is parsed.
    #[test]
    fn odd_spellings_of_loopback_are_seen_through() {
        for url in [
            "http://0x7f.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://[::ffff:7f00:1]/",
            "http://LOCALHOST./",
            "http://a.localhost/",
        ] {
            assert!(names_private(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(!names_private(&Url::parse("https://example.com/").unwrap()));
    }

    struct Fixed(&'static str);

    impl Resolve for Fixed {
        fn resolve(&self, _: Name) -> Resolving {
            let addresses: Vec<SocketAddr> =
                self.0.split(',').map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect();
            Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
        }
    }

    /// AC-120: a public name with a private answer, alone or among public ones, is refused.
    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused() {
        for (answer, good) in [("127.0.0.1", false), ("1.1.1.1,169.254.169.254", false), ("1.1.1.1", true)] {
            let found = PublicOnly::over(Arc::new(Fixed(answer))).resolve("idp.example".parse().unwrap()).await;
            assert_eq!(found.is_ok(), good, "{answer}");
        }
    }
}
