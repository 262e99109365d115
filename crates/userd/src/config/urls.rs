//! URLs by what they are for, each with its own rules. A URL that may carry a password shows it masked.

use std::fmt;

use serde::{Serialize, Serializer};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{
    secret::MASK,
    text::{Text, shown_as_written, text_traits},
};

text_traits!(
    WebOrigin,
    SecureUrl,
    WebUrl,
    ReturnUrl,
    DatabaseUrl,
    CacheUrl,
    MailUrl,
    ProxyUrl
);
shown_as_written!(WebOrigin, SecureUrl, WebUrl, ReturnUrl);

/// Scheme, host and port of a web site, nothing else: `https://id.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl SecureUrl {
    pub(crate) fn telegram() -> Self {
        known("https://api.telegram.org")
    }
}

impl DatabaseUrl {
    pub(crate) fn development() -> Self {
        known("sqlite://data/userd.db")
    }
}

impl CacheUrl {
    pub(crate) fn memory() -> Self {
        known("memory://")
    }
}

/// A default that is written in this file.
fn known<T: Text>(text: &'static str) -> T {
    match T::parse_text(text) {
        Ok(url) => url,
        Err(_) => unreachable!("a default of this file is not a URL: {text}"),
    }
}

impl Text for WebOrigin {
    const FORMAT: &'static str = "web-origin";
    const EXPECTED: &'static str = "http:// or https://, a host and perhaps a port, without path, query or user: https://id.example.org";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = web(text)?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && !text.ends_with('?');
        if bare {
            Ok(Self(url))
        } else {
            Err("path, query or fragment given")
        }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}

/// An `https://` URL, or `http://` on this very machine. Kept as written, because issuers are compared letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    const EXPECTED: &'static str =
        "an https:// URL without user and fragment (http:// only for localhost)";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = web(text)?;
        if !is_secure(&url) {
            return Err("http:// is for localhost only");
        }
        if url.fragment().is_some() {
            Err("fragment given")
        } else {
            Ok(Self {
                text: text.to_owned(),
                url,
            })
        }
    }
}

impl fmt::Display for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A URL of somebody else's service. Whether plain `http://` is taken is a rule of the key that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    url: Url,
}

impl WebUrl {
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

    /// Whether it is reached through TLS or never leaves this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        is_secure(&self.url)
    }
}

impl Text for WebUrl {
    const FORMAT: &'static str = "web-url";
    const EXPECTED: &'static str = "an https:// URL without user and fragment";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = web(text)?;
        if url.fragment().is_some() {
            Err("fragment given")
        } else {
            Ok(Self {
                text: text.to_owned(),
                url,
            })
        }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a browser or an app may be sent back to: `https://app.example.org/signed-in`, `com.example.app:/signed-in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnUrl(Url);

impl ReturnUrl {
    /// Parsed.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl Text for ReturnUrl {
    const FORMAT: &'static str = "return-url";
    const EXPECTED: &'static str = "an https:// URL (http:// only for localhost) or an app's own scheme with a dot in it, without user, query and fragment";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "")?;
        let plain =
            url.query().is_none() && url.fragment().is_none() && !has_user(&url) && clean(text);
        let lawful = match url.scheme() {
            "https" | "http" => url.host().is_some() && is_secure(&url),
            // RFC 8252 section 7.1: a private-use scheme is a reversed domain name.
            scheme => scheme.contains('.'),
        };
        if plain && lawful {
            Ok(Self(url))
        } else {
            Err("")
        }
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Gives a URL that may hold a password its masked forms.
macro_rules! guarded {
    ($($name:ident),+) => {$(
        impl $name {
            /// With its password, for the one place that connects.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&masked(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}
guarded!(DatabaseUrl, CacheUrl, MailUrl, ProxyUrl);

/// Where the data is: `sqlite://data/userd.db`, `sqlite::memory:`, `postgres://…`, `grpcs://host:2136/database` (YDB).
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Zeroizing<String>);

/// Which engine a [`DatabaseUrl`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind<'a> {
    /// The embedded database, in this file.
    Sqlite(&'a str),
    /// The embedded database, gone when the process ends.
    SqliteMemory,
    /// PostgreSQL or one that speaks its protocol.
    Postgres,
    /// YDB.
    Ydb,
}

impl DatabaseUrl {
    /// Which engine, and for SQLite which file.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind<'_> {
        match (self.0.as_str(), self.0.strip_prefix("sqlite://")) {
            ("sqlite::memory:", _) => DatabaseKind::SqliteMemory,
            (_, Some(path)) => DatabaseKind::Sqlite(path),
            (text, _) if text.starts_with("grpc") => DatabaseKind::Ydb,
            _ => DatabaseKind::Postgres,
        }
    }
}

impl Text for DatabaseUrl {
    const FORMAT: &'static str = "database-url";
    const EXPECTED: &'static str = "sqlite://path, sqlite::memory:, postgres://user@host/database or grpcs://host:2136/database";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = match text.split_once("://") {
            None => text == "sqlite::memory:",
            Some(("sqlite", path)) => {
                !path.trim_matches('/').trim().is_empty()
                    && !path.ends_with('/')
                    && !path.contains(['?', '#'])
            }
            Some(("postgres" | "postgresql", _)) => {
                Url::parse(text).is_ok_and(|url| url.path().len() > 1)
            }
            Some(("grpc" | "grpcs", _)) => Url::parse(text).is_ok_and(|url| {
                url.host_str().is_some_and(|host| !host.is_empty()) && url.path().len() > 1
            }),
            Some(_) => false,
        };
        kept(text, lawful).map(Self)
    }
}

/// Where the cache is: `memory://`, `redis://host:6379/0`, `rediss://…`, or several hosts as
/// `redis+cluster://a:6379,b:6379` and `redis+sentinel://a:26379,b:26379/name`.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheUrl(Zeroizing<String>);

impl CacheUrl {
    /// Whether the cache is in this process.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.0.starts_with("memory:")
    }
}

impl Text for CacheUrl {
    const FORMAT: &'static str = "cache-url";
    const EXPECTED: &'static str = "memory://, redis://host:6379 or rediss://host:6379 (redis+cluster:// and redis+sentinel:// for several hosts)";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = match text.split_once("://") {
            Some(("memory", rest)) => rest.is_empty(),
            Some(("redis" | "rediss", _)) => Url::parse(text)
                .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty())),
            Some((
                "redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel",
                rest,
            )) => !host_part(rest).is_empty(),
            _ => false,
        };
        kept(text, lawful).map(Self)
    }
}

/// The mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the first byte).
#[derive(Clone, PartialEq, Eq)]
pub struct MailUrl(Zeroizing<String>);

impl Text for MailUrl {
    const FORMAT: &'static str = "mail-url";
    const EXPECTED: &'static str =
        "smtp://user:password@host:587 or smtps://user:password@host:465";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = with_host(text, &["smtp", "smtps"]);
        kept(text, lawful).map(Self)
    }
}

/// A proxy for outgoing calls: `http://`, `https://`, `socks5://` or `socks5h://`.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Zeroizing<String>);

impl Text for ProxyUrl {
    const FORMAT: &'static str = "proxy-url";
    const EXPECTED: &'static str =
        "http://host:port, https://host:port, socks5://host:port or socks5h://host:port";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = with_host(text, &["http", "https", "socks5", "socks5h"]);
        kept(text, lawful).map(Self)
    }
}

fn web(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "")?;
    let lawful = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && !has_user(&url)
        && clean(text);
    // `http:/host` and `http:host` are mended by the URL parser; here they are typing mistakes.
    let written_out = text.starts_with("http://") || text.starts_with("https://");
    if lawful && written_out {
        Ok(url)
    } else {
        Err("")
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The URL parser drops tabs and line breaks and trims blanks without a word.
fn clean(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\')
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

fn with_host(text: &str, schemes: &[&str]) -> bool {
    let named = text
        .split_once("://")
        .is_some_and(|(scheme, _)| schemes.contains(&scheme));
    named
        && Url::parse(text).is_ok_and(|url| {
            url.host_str().is_some_and(|host| !host.is_empty()) && url.fragment().is_none()
        })
}

fn kept(text: &str, lawful: bool) -> Result<Zeroizing<String>, &'static str> {
    if lawful && clean(text) {
        Ok(Zeroizing::new(text.to_owned()))
    } else {
        Err("")
    }
}

/// What stands between `://`, the user and the path.
fn host_part(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// The text with its password, in the authority or in the query, masked.
fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (before_query, query) = rest
        .split_once('?')
        .map_or((rest, None), |(before, query)| (before, Some(query)));
    // The last @ ends the user part: a password may hold @ and / that nobody escaped.
    let authority = match before_query.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{MASK}@{host}"),
            None => format!("{user}@{host}"),
        },
        None => before_query.to_owned(),
    };
    let query = query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _))
                if name.contains("pass") || name.contains("token") || name.contains("key") =>
            {
                format!("{name}={MASK}")
            }
            _ => part.to_owned(),
        });
        format!("?{}", parts.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{authority}{}", query.unwrap_or_default())
}
