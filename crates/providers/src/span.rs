//! Durations as the configuration writes them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A duration as text: `500ms`, `10s`, `5m`, `24h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let millis_per_unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(D::Error::custom("a duration is a number and one of ms, s, m, h, d, as in 10m")),
        };
        let number: u64 = number.parse().map_err(|_| D::Error::custom("a duration starts with a whole number"))?;
        let millis =
            number.checked_mul(millis_per_unit).ok_or_else(|| D::Error::custom("this duration is too long"))?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1000) {
            serializer.collect_str(&format_args!("{}s", millis / 1000))
        } else {
            serializer.collect_str(&format_args!("{millis}ms"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let span = |text: &str| serde_json::from_value::<Span>(text.into()).map(|s| s.0.as_millis());
        assert_eq!(span("10m").unwrap(), 600_000);
        assert_eq!(span("250ms").unwrap(), 250);
        for bad in ["10", "m", "-1s", "1.5s", "1 s", "", "99999999999999999999d"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
