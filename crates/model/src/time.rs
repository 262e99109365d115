//! Points in time: microseconds since the Unix epoch, UTC. Nothing here reads a clock.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, UTC, with microsecond precision: the precision every engine stores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since 1970-01-01T00:00:00Z (the unit of JWT `NumericDate`).
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment and `span` later; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(span)))
    }

    /// This moment and `span` earlier; stops at the beginning of time instead of wrapping.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(span)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|moment| Self(moment.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not in the parser's words: they repeat a part of the value.
        std::borrow::Cow::<str>::deserialize(deserializer)?
            .parse()
            .map_err(|_| de::Error::custom("expected a time as 2026-01-31T12:00:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_the_epoch() {
        for (micros, seconds) in [(0, 0), (999_999, 0), (1_000_000, 1), (-1, -1), (-1_000_000, -1), (-1_000_001, -2)] {
            assert_eq!(Timestamp::from_micros(micros).seconds(), seconds, "{micros}");
        }
        assert_eq!(Timestamp::from_seconds(7).micros(), 7_000_000);
    }

    #[test]
    fn time_ends_instead_of_wrapping() {
        let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert_eq!(Timestamp::from_seconds(i64::MAX), last);
        assert_eq!(Timestamp::from_seconds(0).plus(Duration::MAX), last);
        assert_eq!(last.plus(Duration::from_secs(1)), last);
        assert_eq!(first.minus(Duration::from_secs(1)), first);
        assert_eq!(last.since(first), Duration::from_micros(u64::try_from(i64::MAX).unwrap()));
    }

    #[test]
    fn nothing_is_before_what_comes_later() {
        let (early, late) = (Timestamp::from_seconds(10), Timestamp::from_micros(10_000_001));
        assert_eq!((late.since(early), early.since(late)), (Duration::from_micros(1), Duration::ZERO));
        let span = Duration::from_micros(1);
        assert_eq!((early.plus(span), late.minus(span)), (late, early));
    }

    #[test]
    fn a_moment_is_written_as_it_is_read() {
        let moment = Timestamp::from_micros(1_800_000_000_000_001);
        assert_eq!(moment.to_string(), "2027-01-15T08:00:00.000001Z");
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, r#""2027-01-15T08:00:00.000001Z""#);
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9223372036854775807us", "beyond the calendar");
        let refused = serde_json::from_str::<Timestamp>(r#""secret-2027""#).unwrap_err().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
