//! URLs of the web, each kind with its own rules. URLs that may carry a password are in `connections`.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use url::{Host, Url};

use super::text::{Text, shown_as_written, text_traits};

text_traits!(WebOrigin, SecureUrl, ReturnUrl);
shown_as_written!(WebOrigin, SecureUrl, ReturnUrl);

/// A parsed URL in `Debug` is twelve fields of noise.
macro_rules! debug_as_written {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}
debug_as_written!(WebOrigin, SecureUrl, ReturnUrl);

/// Scheme, host and port of a web site, nothing else: `https://id.example.org`.
#[derive(Clone, PartialEq, Eq)]
pub struct WebOrigin(Url);

impl WebOrigin {
    /// As a URL, whose path is `/`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// As browsers send it: no slash at the end.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether it is reached through TLS or never leaves this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        is_secure(&self.0)
    }
}

impl WebOrigin {
    pub(crate) fn development() -> Self {
        known("http://127.0.0.1:8080")
    }

    /// Where this machine reaches a service that listens there.
    pub(crate) fn on_this_machine(listen: SocketAddr, tls: bool) -> Self {
        let ip = if listen.ip().is_loopback() { listen.ip() } else { Ipv4Addr::LOCALHOST.into() };
        let scheme = if tls { "https" } else { "http" };
        let address = SocketAddr::new(ip, listen.port());
        Self::parse_text(&format!("{scheme}://{address}")).unwrap_or_else(|_| Self::development())
    }
}

impl SecureUrl {
    pub(crate) fn telegram() -> Self {
        known("https://api.telegram.org")
    }
}

/// A default that is written in the code.
pub(super) fn known<T: Text>(text: &'static str) -> T {
    match T::parse_text(text) {
        Ok(url) => url,
        Err(_) => unreachable!("a default is not a URL: {text}"),
    }
}

impl Text for WebOrigin {
    const FORMAT: &'static str = "web-origin";
    const EXPECTED: &'static str =
        "http:// or https://, a host and perhaps a port, without path, query or user: https://id.example.org";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = web(text)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !text.ends_with('?');
        if bare { Ok(Self(url)) } else { Err("path, query or fragment given") }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}

/// An `https://` URL, or `http://` on this very machine. Kept as written, because issuers are compared letter by letter.
#[derive(Clone, PartialEq, Eq)]
pub struct SecureUrl {
    text: String,
    url: Url,
}

impl SecureUrl {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parsed.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Text for SecureUrl {
    const FORMAT: &'static str = "secure-url";
    const EXPECTED: &'static str = "an https:// URL without user and fragment (http:// only for localhost)";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = web(text)?;
        if !is_secure(&url) {
            return Err("http:// is for localhost only");
        }
        if url.fragment().is_some() { Err("fragment given") } else { Ok(Self { text: text.to_owned(), url }) }
    }
}

impl fmt::Display for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a browser or an app may be sent back to: `https://app.example.org/signed-in`, `com.example.app:/signed-in`.
/// Kept as written, because `return_to` is compared letter by letter: `https://app.example.org` gets no slash.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnUrl(String);

impl ReturnUrl {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for ReturnUrl {
    const FORMAT: &'static str = "return-url";
    const EXPECTED: &'static str = "an https:// URL (http:// only for localhost) or an app's own scheme with a dot in it, without user, query and fragment";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "")?;
        let plain = url.query().is_none() && url.fragment().is_none() && !has_user(&url) && clean(text);
        let lawful = match url.scheme() {
            "https" | "http" => real_host(&url) && is_secure(&url),
            // RFC 8252 section 7.1: a private-use scheme is a reversed domain name.
            scheme => scheme.contains('.'),
        };
        if plain && lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn web(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "")?;
    let lawful = matches!(url.scheme(), "http" | "https") && real_host(&url) && !has_user(&url) && clean(text);
    // `http:/host` and `http:host` are mended by the URL parser; here they are typing mistakes.
    let written_out = text.starts_with("http://") || text.starts_with("https://");
    if lawful && written_out { Ok(url) } else { Err("") }
}

/// The URL parser takes `*` and the like for a host; nobody has such a host.
fn real_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The URL parser drops tabs and line breaks and trims blanks without a word.
pub(super) fn clean(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}
