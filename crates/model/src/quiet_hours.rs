//! Quiet hours: times of day, where the person is, in which nothing rings.
//!
//! A day is not always 24 hours: an hour may be left out or come twice. Each night is therefore made into two moments
//! first, and only moments are compared. Where the clock skips a time, it begins or ends when the clock skips it; where
//! a time comes twice, the hours begin with the first and end with the second, so that the person's own clock never
//! shows a quiet time at which something rings.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::{InvalidField, Timestamp, text};

/// From when until when it is quiet each day; over midnight where `from` is later than `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

impl QuietHours {
    /// Of two times of day, as `22:00`.
    ///
    /// # Errors
    /// What is wrong with which of them, with pointers into the object that holds both.
    pub fn parse(from: &str, to: &str) -> Result<Self, Vec<InvalidField>> {
        let mut wrong = Vec::new();
        let mut read = |name: &str, text: &str| {
            let time = time_of_day(text);
            if time.is_none() {
                wrong.push(InvalidField::new(format!("/{name}"), "must be a time of day, such as 22:00"));
            }
            time
        };
        match (read("from", from), read("to", to)) {
            (Some(from), Some(to)) if from == to => {
                Err(vec![InvalidField::new("/to", "must be another time than the one from which it is quiet")])
            }
            (Some(from), Some(to)) => Ok(Self { from, to }),
            _ => Err(wrong),
        }
    }

    /// From when on, as `22:00`.
    #[must_use]
    pub fn from(&self) -> String {
        shown(self.from)
    }

    /// Until when, as `08:00`.
    #[must_use]
    pub fn to(&self) -> String {
        shown(self.to)
    }

    /// When the quiet hours end in which `now` is; `None` when it is in none.
    #[must_use]
    pub fn end_of_quiet(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let instant = jiff::Timestamp::from_microsecond(now.micros()).ok()?;
        let today = zone.to_datetime(instant).date();
        // Two days back: where a whole day was left out, yesterday's date is two dates ago.
        let first = today.yesterday().and_then(Date::yesterday).ok()?;
        let mut end = None;
        for (day, next) in
            first.series(jiff::ToSpan::days(1)).take(4).filter_map(|day| Some((day, day.tomorrow().ok()?)))
        {
            let begins = moment(zone, day.to_datetime(self.from), Side::Begins)?;
            let last_day = if self.from < self.to { day } else { next };
            let ends = moment(zone, last_day.to_datetime(self.to), Side::Ends)?;
            // Hours that begin the moment others end go on with them.
            let at = end.unwrap_or(instant);
            if begins <= at && at < ends {
                end = Some(ends);
            }
        }
        end.map(|end| Timestamp::from_micros(end.as_microsecond()))
    }
}

/// The time zone of an account; UTC where it has none, or one that is not known any more.
#[must_use]
pub fn zone_of(name: Option<&str>) -> TimeZone {
    name.and_then(|name| text::zones().get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// Which of the two moments that one time of day can be.
#[derive(Clone, Copy)]
enum Side {
    Begins,
    Ends,
}

fn moment(zone: &TimeZone, local: DateTime, side: Side) -> Option<jiff::Timestamp> {
    let at = |offset: Offset| offset.to_timestamp(local).ok();
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Fold { before, after } => match side {
            Side::Begins => at(before),
            Side::Ends => at(after),
        },
        // Read with the offset to come, a skipped time lies before the change of the clock.
        AmbiguousOffset::Gap { after, .. } => Some(zone.following(at(after)?).next()?.timestamp()),
    }
}

/// `HH:MM`, both with two digits.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i8>().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn shown(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    /// Quiet hours, a zone, and pairs of a moment and when it is quiet until (empty: it is not quiet).
    #[track_caller]
    fn check(hours: (&str, &str), zone: &str, moments: &[(&str, &str)]) {
        let (quiet, zone) = (QuietHours::parse(hours.0, hours.1).expect("quiet hours"), zone_of(Some(zone)));
        for (now, until) in moments {
            let end = quiet.end_of_quiet(at(now), &zone).map(|end| end.to_string()).unwrap_or_default();
            assert_eq!(end, *until, "{hours:?} at {now}");
        }
    }

    #[test]
    fn over_midnight_the_end_is_tomorrow_or_still_today() {
        check(
            ("22:00", "08:00"),
            "Europe/Moscow",
            &[
                ("2026-07-01T18:59:59.999999Z", ""),
                ("2026-07-01T19:00:00Z", "2026-07-02T05:00:00Z"),
                ("2026-07-01T23:00:00Z", "2026-07-02T05:00:00Z"),
                ("2026-07-02T04:59:59.999999Z", "2026-07-02T05:00:00Z"),
                ("2026-07-02T05:00:00Z", ""),
                ("2026-12-31T20:30:00Z", "2027-01-01T05:00:00Z"),
            ],
        );
    }

    #[test]
    fn within_one_day_it_is_quiet_between_the_two() {
        check(
            ("13:00", "15:30"),
            "Europe/Moscow",
            &[
                ("2026-07-01T09:59:59Z", ""),
                ("2026-07-01T10:00:00Z", "2026-07-01T12:30:00Z"),
                ("2026-07-01T12:30:00Z", ""),
                ("2026-07-01T22:00:00Z", ""),
            ],
        );
        check(
            ("00:00", "23:59"),
            "UTC",
            &[("2026-07-01T23:59:30Z", ""), ("2026-07-02T00:00:00Z", "2026-07-02T23:59:00Z")],
        );
    }

    /// The night in which Berlin's clock goes from 02:00 to 03:00 is an hour shorter, the one in which it goes back an
    /// hour longer: the end is 08:00 on the wall in both.
    #[test]
    fn the_end_is_right_over_both_changes_of_the_clock() {
        check(
            ("22:00", "08:00"),
            "Europe/Berlin",
            &[
                ("2026-03-28T20:59:59Z", ""),
                ("2026-03-28T21:00:00Z", "2026-03-29T06:00:00Z"),
                ("2026-03-29T06:00:00Z", ""),
                ("2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z"),
                ("2026-10-25T06:30:00Z", "2026-10-25T07:00:00Z"),
                ("2026-10-25T07:00:00Z", ""),
            ],
        );
    }

    /// 02:30 is no time of 29 March in Berlin: from 02:00 the clock shows 03:00 at once.
    #[test]
    fn a_time_that_the_clock_skips_is_when_it_skips_it() {
        check(
            ("22:00", "02:30"),
            "Europe/Berlin",
            &[
                ("2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
                ("2026-03-29T01:00:00Z", ""),
                ("2026-03-30T00:29:59Z", "2026-03-30T00:30:00Z"),
            ],
        );
        check(
            ("02:30", "08:00"),
            "Europe/Berlin",
            &[("2026-03-29T00:59:59Z", ""), ("2026-03-29T01:00:00Z", "2026-03-29T06:00:00Z")],
        );
        // Both are skipped: that night there are no such hours.
        check(("02:10", "02:50"), "Europe/Berlin", &[("2026-03-29T00:59:59Z", ""), ("2026-03-29T01:00:00Z", "")]);
    }

    /// 02:30 comes twice on 25 October: it is quiet from the first, and until the second.
    #[test]
    fn a_time_that_comes_twice_begins_with_the_first_and_ends_with_the_second() {
        check(
            ("02:30", "08:00"),
            "Europe/Berlin",
            &[
                ("2026-10-25T00:29:59Z", ""),
                ("2026-10-25T00:30:00Z", "2026-10-25T07:00:00Z"),
                ("2026-10-25T01:10:00Z", "2026-10-25T07:00:00Z"),
            ],
        );
        check(
            ("22:00", "02:30"),
            "Europe/Berlin",
            &[
                ("2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"),
                ("2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z"),
                ("2026-10-25T01:30:00Z", ""),
            ],
        );
    }

    /// Lord Howe's clock changes by half an hour: in October from 02:00 to 02:30, in April from 02:00 to 01:30.
    #[test]
    fn half_hours_count() {
        check(
            ("22:00", "07:00"),
            "Australia/Lord_Howe",
            &[("2026-10-03T11:30:00Z", "2026-10-03T20:00:00Z"), ("2026-04-04T11:00:00Z", "2026-04-04T20:30:00Z")],
        );
        check(
            ("22:00", "02:15"),
            "Australia/Lord_Howe",
            &[("2026-10-03T15:29:59Z", "2026-10-03T15:30:00Z"), ("2026-10-03T15:30:00Z", "")],
        );
        check(
            ("22:00", "01:45"),
            "Australia/Lord_Howe",
            &[("2026-04-04T14:50:00Z", "2026-04-04T15:15:00Z"), ("2026-04-04T15:15:00Z", "")],
        );
    }

    /// 30 December 2011 did not happen on Samoa: the night from the 29th ends with the 31st, and goes on into it.
    #[test]
    fn a_day_that_was_left_out_is_no_end() {
        check(
            ("22:00", "08:00"),
            "Pacific/Apia",
            &[
                ("2011-12-30T09:00:00Z", "2011-12-30T18:00:00Z"),
                ("2011-12-30T11:00:00Z", "2011-12-30T18:00:00Z"),
                ("2011-12-30T18:00:00Z", ""),
            ],
        );
    }

    #[test]
    fn a_zone_that_is_not_known_is_utc() {
        for zone in ["Mars/Olympus", "", "../etc/passwd"] {
            check(
                ("22:00", "08:00"),
                zone,
                &[("2026-07-01T22:00:00Z", "2026-07-02T08:00:00Z"), ("2026-07-01T21:59:59Z", "")],
            );
        }
        assert_eq!(zone_of(None), TimeZone::UTC);
    }

    #[test]
    fn times_are_read_strictly() {
        let pointers = |from: &str, to: &str| {
            let wrong = QuietHours::parse(from, to).expect_err("wrong hours");
            wrong.into_iter().map(|field| field.pointer).collect::<Vec<_>>()
        };
        for text in
            ["24:00", "7:00", "07:0", "07:60", "07:00:00", "0700", "+7:00", "-1:00", "", "٠٧:٠٠", " 07:00", "22:00Z"]
        {
            assert_eq!(pointers(text, "08:00"), ["/from"], "{text}");
            assert_eq!(pointers("08:00", text), ["/to"], "{text}");
        }
        assert_eq!(pointers("x", "y"), ["/from", "/to"]);
        assert_eq!(pointers("08:00", "08:00"), ["/to"]);
        let hours = QuietHours::parse("22:05", "00:00").expect("quiet hours");
        assert_eq!((hours.from(), hours.to()), ("22:05".to_owned(), "00:00".to_owned()));
    }
}
