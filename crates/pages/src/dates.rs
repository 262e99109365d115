//! Days and times as people read them, in their language and time zone.

use jiff::{Timestamp as Moment, Zoned, civil::DateTime, tz::TimeZone};
use maud::{Markup, html};
use userd_model::{Refusal, Timestamp};
use userd_web::problem::Language;

use crate::visit::Visit;

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const RUSSIAN: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// A moment, in the visitor's time zone; programs read it in `datetime`.
pub(crate) fn moment(visit: &Visit, at: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) { (told(at, zone_of(visit), visit.language)) } }
}

/// The same without markup, for a script that puts it in as text.
pub(crate) fn moment_text(visit: &Visit, at: Timestamp) -> String {
    told(at, zone_of(visit), visit.language)
}

/// A day, or a day and a time, as a field of a form has it, in the visitor's time zone; nothing where it is empty.
///
/// # Errors
/// `Malformed`: browsers send no such thing.
pub(crate) fn read(visit: &Visit, text: &str) -> Result<Option<Timestamp>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let at = text.trim().parse::<DateTime>().and_then(|at| at.to_zoned(zone_of(visit).unwrap_or(TimeZone::UTC)));
    let at = at.map_err(|_| Refusal::Malformed("not a day and a time"))?;
    Ok(Some(Timestamp::from_micros(at.timestamp().as_microsecond())))
}

/// The name of the time zone in which the visitor reads and writes times.
pub(crate) fn zone_name(visit: &Visit) -> String {
    zone_of(visit).and_then(|zone| zone.iana_name().map(str::to_owned)).unwrap_or_else(|| "UTC".to_owned())
}

fn zone_of(visit: &Visit) -> Option<TimeZone> {
    let zone = visit.account.as_ref().and_then(|account| account.time_zone.as_deref());
    zone.and_then(|name| TimeZone::get(name).ok())
}

fn told(at: Timestamp, zone: Option<TimeZone>, language: Language) -> String {
    let Ok(moment) = Moment::from_microsecond(at.micros()) else { return at.to_string() };
    // Whoever has named no time zone is told which one it is.
    let suffix = if zone.is_some() { "" } else { " UTC" };
    let at: Zoned = moment.to_zoned(zone.unwrap_or(TimeZone::UTC));
    let month = usize::try_from(at.month() - 1).unwrap_or_default();
    let (day, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
    match language {
        Language::English => {
            let month = ENGLISH.get(month).copied().unwrap_or_default();
            format!("{day} {month} {year}, {hour:02}:{minute:02}{suffix}")
        }
        Language::Russian => {
            let month = RUSSIAN.get(month).copied().unwrap_or_default();
            format!("{day} {month} {year} г., {hour:02}:{minute:02}{suffix}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_language_and_the_time_zone_of_its_reader() {
        let at = Timestamp::from_seconds(1_767_225_600);
        let moscow = TimeZone::get("Europe/Moscow").ok();
        assert_eq!(told(at, None, Language::English), "1 January 2026, 00:00 UTC");
        assert_eq!(told(at, moscow.clone(), Language::English), "1 January 2026, 03:00");
        assert_eq!(told(at, moscow, Language::Russian), "1 января 2026 г., 03:00");
    }
}
