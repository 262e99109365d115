//! Values that are written as text and parsed once, at start, into their final types. The same parser serves the file,
//! the environment, flags and the JSON Schema's `format`. URLs are in `urls`, secrets in `secret`.

use std::{
    borrow::Cow,
    fmt,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tracing_subscriber::filter::Targets;

/// A value written as text.
pub(crate) trait Text: Sized {
    /// Its name in the JSON Schema's `format`.
    const FORMAT: &'static str;
    /// What would be right, for messages: "expected …".
    const EXPECTED: &'static str;
    /// Whether it may hold a secret, so that it is masked and never given on a command line.
    const SECRET: bool = false;
    /// Whether it names a file that must be there to be read.
    const READABLE: bool = false;
    /// Parses the text; the error says more than [`Self::EXPECTED`] or nothing, and never quotes the text.
    fn parse_text(text: &str) -> Result<Self, &'static str>;
}

/// Gives a [`Text`] type the traits that configuration structs need.
macro_rules! text_traits {
    ($($name:ident),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::config::text::Text>::parse_text(&text)
                    .map_err(|_| serde::de::Error::custom(<Self as $crate::config::text::Text>::EXPECTED))
            }
        }
        impl std::str::FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::config::text::Text>::parse_text(text)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::text::schema_of::<Self>()
            }
        }
    )+};
}
pub(crate) use text_traits;

/// Gives a type that may be shown its `Display` form as its serialized form.
macro_rules! shown_as_written {
    ($($name:ident),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}
pub(crate) use shown_as_written;

text_traits!(
    Period, Listen, Cidr, FilePath, InputFile, Rate, LogFilter, Slug, Domain, Mailbox, BotName,
    Scope
);
shown_as_written!(
    Period, Listen, Cidr, FilePath, InputFile, Rate, LogFilter, Slug, Domain, Mailbox, BotName,
    Scope
);

pub(crate) fn schema_of<T: Text>() -> Schema {
    let mut schema = json_schema!({ "type": "string", "format": T::FORMAT });
    if T::SECRET {
        schema.insert("writeOnly".to_owned(), true.into());
    }
    schema
}

/// A length of time: `500ms`, `30s`, `10m`, `1h30m`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// Whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
    /// Whole minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }
    /// Whole hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }
    /// Days of 24 hours.
    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }
}

impl Deref for Period {
    type Target = Duration;
    fn deref(&self) -> &Duration {
        &self.0
    }
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Text for Period {
    const FORMAT: &'static str = "period";
    const EXPECTED: &'static str = "a length of time such as 500ms, 30s, 10m, 1h30m or 30d";

    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let mut rest = text;
        let mut total: u64 = 0;
        let mut finest = u64::MAX;
        while !rest.is_empty() {
            let (digits, tail) = rest.split_at(
                rest.find(|c: char| !c.is_ascii_digit())
                    .ok_or("the unit is missing")?,
            );
            let (unit, tail) = tail.split_at(
                tail.find(|c: char| c.is_ascii_digit())
                    .unwrap_or(tail.len()),
            );
            let (_, millis) = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or("no such unit")?;
            if *millis >= finest {
                return Err("units go from large to small");
            }
            finest = *millis;
            let count: u64 = digits.parse().map_err(|_| "no number before the unit")?;
            total = count
                .checked_mul(*millis)
                .and_then(|part| total.checked_add(part))
                .ok_or("too long")?;
            rest = tail;
        }
        if text.is_empty() {
            Err("nothing given")
        } else {
            Ok(Self(Duration::from_millis(total)))
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, millis) in UNITS {
            if rest >= millis {
                write!(f, "{}{name}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

/// An address to listen on; port 0 takes any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl Text for Listen {
    const FORMAT: &'static str = "socket-address";
    const EXPECTED: &'static str = "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        text.parse().map(Self).map_err(|_| "")
    }
}

impl Deref for Listen {
    type Target = SocketAddr;
    fn deref(&self) -> &SocketAddr {
        &self.0
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr(pub IpNet);

impl Text for Cidr {
    const FORMAT: &'static str = "network";
    const EXPECTED: &'static str = "a network such as 10.0.0.0/8 or fd00::/8, or one IP address";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return Ok(Self(address.into()));
        }
        let net: IpNet = text.parse().map_err(|_| "")?;
        if net.addr() == net.network() {
            Ok(Self(net))
        } else {
            Err("the address has bits beyond the prefix")
        }
    }
}

impl Deref for Cidr {
    type Target = IpNet;
    fn deref(&self) -> &IpNet {
        &self.0
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A path; a relative one is taken from the working directory of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(pub PathBuf);

impl Text for FilePath {
    const FORMAT: &'static str = "path";
    const EXPECTED: &'static str = "a path";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        if text.trim().is_empty() {
            Err("")
        } else {
            Ok(Self(PathBuf::from(text)))
        }
    }
}

impl Deref for FilePath {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A file that must be there at start; a relative path is taken from the working directory of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile(pub PathBuf);

impl Text for InputFile {
    const FORMAT: &'static str = "readable-file";
    const EXPECTED: &'static str = "a file that can be read";
    const READABLE: bool = true;
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        FilePath::parse_text(text).map(|path| Self(path.0))
    }
}

impl Deref for InputFile {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// How often something may be tried: `20 then one per 15m` is twenty at once, then one more every fifteen minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tries at once.
    pub burst: u32,
    /// Time for one try to come back.
    pub period: Period,
}

impl Rate {
    pub(crate) const fn new(burst: u32, period: Period) -> Self {
        Self { burst, period }
    }
}

impl Text for Rate {
    const FORMAT: &'static str = "rate";
    const EXPECTED: &'static str = "tries at once (1 to 1000000) and the time for one to come back (1ms to 1d), such as: 20 then one per 15m";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let (burst, period) = text.split_once(" then one per ").ok_or("")?;
        let burst: u32 = whole(burst)
            .and_then(|number| number.try_into().ok())
            .ok_or("")?;
        let period = Period::parse_text(period)?;
        let lawful = (1..=1_000_000).contains(&burst)
            && *period >= Duration::from_millis(1)
            && *period <= *Period::days(1);
        if lawful {
            Ok(Self { burst, period })
        } else {
            Err("")
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} then one per {}", self.burst, self.period)
    }
}

/// Digits only: no sign, no leading zero, no underscore.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) {
        text.parse().ok()
    } else {
        None
    }
}

/// Which log lines are written: a level, or a level per room (`info,userd_storage=debug`).
#[derive(Clone, Debug, PartialEq)]
pub struct LogFilter {
    text: String,
    targets: Targets,
}

impl LogFilter {
    /// The filter itself.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    pub(crate) fn info() -> Self {
        Self {
            text: "info".to_owned(),
            targets: Targets::new().with_default(tracing::Level::INFO),
        }
    }
}

impl Text for LogFilter {
    const FORMAT: &'static str = "log-filter";
    const EXPECTED: &'static str = "off, error, warn, info, debug or trace, or such a level per room: info,userd_storage=debug";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let lawful = |directive: &str| match directive.split_once('=') {
            Some((room, level)) => {
                let named = room
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'));
                !room.is_empty() && named && LEVELS.contains(&level)
            }
            None => LEVELS.contains(&directive),
        };
        if !text.split(',').all(lawful) {
            return Err("");
        }
        let targets = text.parse().map_err(|_| "")?;
        Ok(Self {
            text: text.to_owned(),
            targets,
        })
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Gives a one-field text type its field's text.
macro_rules! deref_to_str {
    ($($name:ident),+) => {$(
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
deref_to_str!(Slug, Domain, Mailbox, BotName, Scope);

/// A short name that may stand in a URL: `[a-z0-9-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Text for Slug {
    const FORMAT: &'static str = "slug";
    const EXPECTED: &'static str = "1 to 32 lower-case letters, digits and hyphens";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err("")
        }
    }
}

/// A DNS name in lower case, such as `example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

impl Text for Domain {
    const FORMAT: &'static str = "domain";
    const EXPECTED: &'static str = "a domain in lower case, such as example.org";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let lawful = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err("")
        }
    }
}

/// The sender of mails: `no-reply@example.org` or `Example <no-reply@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox(String);

impl Text for Mailbox {
    const FORMAT: &'static str = "mailbox";
    const EXPECTED: &'static str =
        "a mail address, such as no-reply@example.org or Example <no-reply@example.org>";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let address = match text.split_once('<') {
            Some((name, rest)) if !name.trim().is_empty() => rest.strip_suffix('>').ok_or("")?,
            Some(_) => return Err(""),
            None => text,
        };
        let (local, domain) = address.rsplit_once('@').ok_or("")?;
        let unquoted = |text: &str| {
            !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\@".contains(c))
        };
        let lawful = (1..=64).contains(&local.len())
            && (1..=253).contains(&domain.len())
            && unquoted(local)
            && unquoted(domain)
            && !domain.starts_with('.')
            && !domain.ends_with('.');
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err("")
        }
    }
}

/// The name of a Telegram bot, without @.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotName(String);

impl Text for BotName {
    const FORMAT: &'static str = "bot-name";
    const EXPECTED: &'static str =
        "the bot's name without @: 3 to 32 letters, digits and underscores";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = (3..=32).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err("")
        }
    }
}

/// One OAuth scope (RFC 6749, appendix A.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Text for Scope {
    const FORMAT: &'static str = "scope";
    const EXPECTED: &'static str = "one scope per item, without blanks and quotes";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err("")
        }
    }
}

/// A value that may be left empty: `""` means none.
#[derive(Clone, PartialEq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Optional<T> {
    /// Nothing given.
    pub const NONE: Self = Self(None);
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T> Deref for Optional<T> {
    type Target = Option<T>;
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Optional<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for Optional<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(deserializer)?);
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse()
            .map(|value| Self(Some(value)))
            .map_err(|_| de::Error::custom("not a value of this key"))
    }
}

impl<T: JsonSchema> JsonSchema for Optional<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Optional{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("x-may-be-empty".to_owned(), true.into());
        schema
    }
}
