//! What templates can do with a value beside showing it: times as people write them, and the right plural.

use jiff::{civil::DateTime, tz::TimeZone};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};
use userd_model::{Timestamp, texts::Language};

/// An environment without access to anything but the values.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("plural", plural);
    environment.add_test("defined", |value: &minijinja::Value| !value.is_undefined());
    environment.set_auto_escape_callback(|name| {
        if name == "layout.html" { minijinja::AutoEscape::Html } else { minijinja::AutoEscape::None }
    });
    environment
}

/// `{{ count | plural("request", "requests") }}`, `{{ count | plural("запрос", "запроса", "запросов") }}`: the form that
/// goes with the number, by the rules of CLDR for the language.
fn plural(state: &State<'_, '_>, count: u64, one: &str, few: &str, many: Option<&str>) -> Result<String, Error> {
    let language = state.lookup("language").and_then(|value| value.as_str().map(str::to_owned));
    let form = match language.as_deref() {
        Some("ru") => {
            let many =
                many.ok_or_else(|| Error::new(ErrorKind::MissingArgument, "Russian has three forms: one, few, many"))?;
            match (count % 10, count % 100) {
                (1, rest) if rest != 11 => one,
                (2..=4, rest) if !(12..=14).contains(&rest) => few,
                _ => many,
            }
        }
        _ if count == 1 => one,
        _ => few,
    };
    Ok(form.to_owned())
}

const MONTHS: [(&str, &str); 12] = [
    ("January", "января"),
    ("February", "февраля"),
    ("March", "марта"),
    ("April", "апреля"),
    ("May", "мая"),
    ("June", "июня"),
    ("July", "июля"),
    ("August", "августа"),
    ("September", "сентября"),
    ("October", "октября"),
    ("November", "ноября"),
    ("December", "декабря"),
];

/// `29 November 2026, 17:03 (Europe/Moscow)`, `29 ноября 2026 г., 17:03 (Europe/Moscow)`.
pub(crate) fn moment(at: Timestamp, language: Language, zone: &TimeZone) -> String {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default();
    let local: DateTime = zone.to_datetime(instant);
    let month = usize::try_from(local.month() - 1).ok().and_then(|month| MONTHS.get(month));
    let (english, russian) = month.copied().unwrap_or_default();
    let place = zone.iana_name().unwrap_or("UTC");
    let (day, year, hour, minute) = (local.day(), local.year(), local.hour(), local.minute());
    match language {
        Language::English => format!("{day} {english} {year}, {hour:02}:{minute:02} ({place})"),
        Language::Russian => format!("{day} {russian} {year} г., {hour:02}:{minute:02} ({place})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_where_the_reader_is_and_in_their_words() {
        let at = Timestamp::from_seconds(1_772_323_200);
        let moscow = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Moscow").expect("a zone");
        assert_eq!(moment(at, Language::English, &TimeZone::UTC), "1 March 2026, 00:00 (UTC)");
        assert_eq!(moment(at, Language::Russian, &moscow), "1 марта 2026 г., 03:00 (Europe/Moscow)");
        // The clock in Berlin goes from 2 to 3.
        let berlin = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").expect("a zone");
        let (before, after) = (1_774_745_999, 1_774_746_000);
        let told = |seconds| moment(Timestamp::from_seconds(seconds), Language::English, &berlin);
        assert_eq!(told(before), "29 March 2026, 01:59 (Europe/Berlin)");
        assert_eq!(told(after), "29 March 2026, 03:00 (Europe/Berlin)");
    }

    #[test]
    fn the_form_goes_with_the_number() {
        let environment = environment();
        let told = |language: &str, count: u64| {
            let forms = if language == "ru" {
                r#""запрос", "запроса", "запросов""#
            } else {
                r#""request", "requests""#
            };
            let text = format!("{{{{ count }}}} {{{{ count | plural({forms}) }}}}");
            environment.render_str(&text, minijinja::context! { language, count }).expect("a text")
        };
        for (count, expected) in [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (11, "11 requests")] {
            assert_eq!(told("en", count), expected);
        }
        for (count, word) in [
            (0, "запросов"),
            (1, "запрос"),
            (2, "запроса"),
            (4, "запроса"),
            (5, "запросов"),
            (11, "запросов"),
            (12, "запросов"),
            (14, "запросов"),
            (21, "запрос"),
            (22, "запроса"),
            (111, "запросов"),
            (121, "запрос"),
        ] {
            assert_eq!(told("ru", count), format!("{count} {word}"));
        }
        let two_forms = environment.render_str(
            r#"{{ count | plural("запрос", "запросы") }}"#,
            minijinja::context! { language => "ru", count => 1 },
        );
        assert!(two_forms.is_err());
    }
}
