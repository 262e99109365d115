//! `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date. What is not one of them says nothing.

use std::time::Duration;

use userd_model::Timestamp;

/// The longest wait that is obeyed; a receiver that asks for more is asked again after this.
const LONGEST: Duration = Duration::from_hours(24);

/// How long to wait from `now` on: a second to a day.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = if is_number {
        text.parse().unwrap_or(u64::MAX)
    } else {
        let until = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let now = u64::try_from(now.seconds()).unwrap_or(0);
        until.as_secs().saturating_sub(now)
    };
    Some(Duration::from_secs(seconds.max(1)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = Timestamp::from_seconds(1_796_000_000);
        for (text, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", Some(1)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Mon, 30 Nov 2026 00:54:20 GMT", Some(60)),
            ("Monday, 30-Nov-26 00:54:20 GMT", Some(60)),
            ("Mon, 30 Nov 2020 00:54:20 GMT", Some(1)),
            ("Fri, 30 Nov 2046 00:54:20 GMT", Some(86_400)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(parse(text, now), expected.map(Duration::from_secs), "{text:?}");
        }
    }
}
