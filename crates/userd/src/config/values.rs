//! Values that are neither names nor URLs: times, addresses, networks, paths, rates, the log's filter.

use std::{
    fmt,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use tracing_subscriber::filter::Targets;

use super::text::{Text, shown_as_written, text_traits};

text_traits!(Period, Listen, Cidr, FilePath, InputFile, Rate, LogFilter);
shown_as_written!(Period, Listen, Cidr, FilePath, InputFile, Rate, LogFilter);

/// A length of time: `500ms`, `30s`, `10m`, `1h30m`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// Whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
    /// Whole milliseconds.
    #[must_use]
    pub const fn milliseconds(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
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

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Text for Period {
    const FORMAT: &'static str = "period";
    const EXPECTED: &'static str = "a length of time such as 500ms, 30s, 10m, 1h30m or 30d";

    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let mut rest = text;
        let mut total: u64 = 0;
        let mut finest = u64::MAX;
        while !rest.is_empty() {
            let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or("the unit is missing")?);
            let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
            let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or("no such unit")?;
            if *millis >= finest {
                return Err("units go from large to small");
            }
            finest = *millis;
            let count: u64 = digits.parse().map_err(|_| "no number before the unit")?;
            total = count.checked_mul(*millis).and_then(|part| total.checked_add(part)).ok_or("too long")?;
            rest = tail;
        }
        if text.is_empty() { Err("nothing given") } else { Ok(Self(Duration::from_millis(total))) }
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
        let net = match text.parse::<std::net::IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse::<IpNet>().map_err(|_| "")?,
        };
        // Addresses are compared as IPv4 where they are that, so such a network would match nobody.
        if matches!(net.addr(), std::net::IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some()) {
            return Err("an IPv4 network is written as one: 10.0.0.0/8, not ::ffff:10.0.0.0/104");
        }
        if net.addr() == net.network() { Ok(Self(net)) } else { Err("the address has bits beyond the prefix") }
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
        if text.trim().is_empty() { Err("") } else { Ok(Self(PathBuf::from(text))) }
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
    const EXPECTED: &'static str =
        "tries at once (1 to 1000000) and the time for one to come back (1ms to 1d), such as: 20 then one per 15m";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let (burst, period) = text.split_once(" then one per ").ok_or("")?;
        let burst: u32 = whole(burst).and_then(|number| number.try_into().ok()).ok_or("")?;
        let period = Period::parse_text(period)?;
        let lawful =
            (1..=1_000_000).contains(&burst) && *period >= Duration::from_millis(1) && *period <= *Period::days(1);
        if lawful { Ok(Self { burst, period }) } else { Err("") }
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
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
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
        Self { text: "info".to_owned(), targets: Targets::new().with_default(tracing::Level::INFO) }
    }
}

impl Text for LogFilter {
    const FORMAT: &'static str = "log-filter";
    const EXPECTED: &'static str =
        "off, error, warn, info, debug or trace, or such a level per room: info,userd_storage=debug";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let lawful = |directive: &str| match directive.split_once('=') {
            Some((room, level)) => {
                let named = room.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'));
                !room.is_empty() && named && LEVELS.contains(&level)
            }
            None => LEVELS.contains(&directive),
        };
        if !text.split(',').all(lawful) {
            return Err("");
        }
        let targets = text.parse().map_err(|_| "")?;
        Ok(Self { text: text.to_owned(), targets })
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
