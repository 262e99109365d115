//! URLs that may carry a password: kept whole for whoever connects, masked for everybody else.

use std::{fmt, path::Path};

use serde::{Serialize, Serializer};
use url::Url;
use zeroize::Zeroizing;

use super::{
    files::secret_in,
    secret::MASK,
    text::{Text, text_traits},
    urls::{clean, known},
};

text_traits!(DatabaseUrl, CacheUrl, MailUrl, ProxyUrl);

/// Gives a URL that may hold a password its masked forms.
macro_rules! guarded {
    ($($name:ident),+) => {$(
        impl $name {
            /// With its password, for the one place that connects.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// With its password masked, for everybody else.
            #[must_use]
            pub fn shown(&self) -> String {
                masked(&self.0)
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

/// Where the data is: `sqlite://data/userd.db`, `sqlite::memory:`, `postgres://…`. `grpcs://host:2135/database` is
/// YDB, for which builds with the feature `ydb` have an engine; the others say so.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Zeroizing<String>);

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
    /// A URL from one of two flags: itself, or the file that holds it.
    ///
    /// # Errors
    /// What would be right; never the URL.
    pub fn given(flag: &str, text: Option<&str>, file: Option<&Path>) -> Result<Self, String> {
        let text = match (text, file) {
            (Some(text), None) => Zeroizing::new(text.to_owned()),
            (None, Some(file)) => secret_in(file).map_err(|why| format!("{flag}-file {}: {why}", file.display()))?,
            _ => return Err(format!("give either {flag} or {flag}-file")),
        };
        let url = Self::parse_text(&text).map_err(|why| {
            let more = if why.is_empty() { String::new() } else { format!("; {why}") };
            format!("{flag}: expected {}{more}", Self::EXPECTED)
        })?;
        let is_seen = file.is_none() && matches!(url.kind(), DatabaseKind::Postgres | DatabaseKind::Ydb);
        if is_seen && holds_password(&text) {
            let why = "a URL with a password is not given on the command line, where everybody can read it";
            return Err(format!("{flag}: {why}; use {flag}-file"));
        }
        Ok(url)
    }

    /// The embedded database in this file.
    ///
    /// # Errors
    /// A path that cannot stand in a URL.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let text = path.to_str().ok_or_else(|| format!("{}: not UTF-8", path.display()))?;
        Self::given(text, Some(&format!("sqlite://{text}")), None)
    }

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
    const EXPECTED: &'static str = "sqlite://path, sqlite::memory: or postgres://user@host/database";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        if let Some(word) = text.strip_prefix("sqlite://").and_then(habit_of_others) {
            return Err(word);
        }
        let lawful = match text.split_once("://") {
            None => text == "sqlite::memory:",
            Some(("sqlite", path)) => !path.trim_matches('/').is_empty() && !path.ends_with('/') && !path.contains('#'),
            Some(("postgres" | "postgresql", _)) => Url::parse(text).is_ok_and(|url| url.path().len() > 1),
            Some(("grpc" | "grpcs", _)) => Url::parse(text)
                .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()) && url.path().len() > 1),
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
    const EXPECTED: &'static str =
        "memory://, redis://host:6379 or rediss://host:6379 (redis+cluster:// and redis+sentinel:// for several hosts)";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = match text.split_once("://") {
            Some(("memory", rest)) => rest.is_empty(),
            Some(("redis" | "rediss", _)) => {
                Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
            }
            Some(("redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel", rest)) => {
                !host_part(rest).is_empty()
            }
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
    const EXPECTED: &'static str = "smtp://user:password@host:587 or smtps://user:password@host:465";
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
    const EXPECTED: &'static str = "http://host:port, https://host:port, socks5://host:port or socks5h://host:port";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = with_host(text, &["http", "https", "socks5", "socks5h"]);
        kept(text, lawful).map(Self)
    }
}

fn with_host(text: &str, schemes: &[&str]) -> bool {
    let named = text.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme));
    named
        && Url::parse(text)
            .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()) && url.fragment().is_none())
}

/// What is wrong with a path of SQLite that a shell, a browser or another library would have understood.
fn habit_of_others(path: &str) -> Option<&'static str> {
    if path.contains('?') {
        return Some("`?` and what follows, such as ?mode=rwc, is not understood: give the path alone");
    }
    if path.trim_start_matches('/').starts_with('~') {
        return Some("`~` is not expanded: write the whole path, beginning with sqlite:///");
    }
    if path.contains("%20") {
        return Some("%20 is not read as a space: choose a path without spaces");
    }
    path.trim().contains(char::is_whitespace).then_some("the path has a space in it: choose one without")
}

fn kept(text: &str, lawful: bool) -> Result<Zeroizing<String>, &'static str> {
    if lawful && clean(text) { Ok(Zeroizing::new(text.to_owned())) } else { Err("") }
}

/// Whether a value is a URL with a password, before its host or in its query. Not every driver's URL is one of the standard,
/// so only these parts are looked at.
pub(super) fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    password.is_some_and(|(_, password)| !password.is_empty())
        || pairs.any(|(key, value)| key.to_ascii_lowercase().ends_with("password") && !value.is_empty())
}

/// What stands between `://`, the user and the path.
fn host_part(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// The text with its password, in the authority or in the query, masked; rather too much than too little.
fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    // The last @ of all ends the user part: a password may hold @, / and ? that nobody escaped.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let user = user.map(|user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}@"),
        None => format!("{user}@"),
    });
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let query = query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) if ["pass", "token", "key", "secret"].iter().any(|word| name.contains(word)) => {
                format!("{name}={MASK}")
            }
            _ => part.to_owned(),
        });
        format!("?{}", parts.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{}{path}{}", user.unwrap_or_default(), query.unwrap_or_default())
}
