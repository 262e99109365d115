//! Values as JSON, CSV and databases write them.

use std::borrow::Cow;

use serde_json::{Map, Value};
use userd_model::Timestamp;

use crate::import::rows::Object;

/// Numbers beyond are milliseconds since 1970, others seconds: as seconds, it would be the year 5138.
const MOST_SECONDS: i64 = 100_000_000_000;

/// A member as text; empty ones are not there.
pub(in crate::import) fn member(object: &Object, name: &str) -> Option<String> {
    object.get(name).and_then(plain).filter(|text| !text.is_empty())
}

/// The first of these members that is there.
pub(super) fn first(object: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| member(object, name))
}

pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        other => match plain(other)?.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" => Some(true),
            "false" | "f" | "0" | "no" | "" => Some(false),
            _ => None,
        },
    }
}

pub(super) fn flag(object: &Object, name: &str, usual: bool) -> bool {
    object.get(name).and_then(truth).unwrap_or(usual)
}

pub(super) fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        other => {
            Some(plain(other)?.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
    }
}

/// The objects of a list; in CSV it is a text of JSON.
pub(super) fn list(object: &Object, name: &str) -> Result<Vec<Object>, String> {
    let list: Vec<Value> = match object.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(other) => plain(other)
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or_else(|| format!("{name} is no list of JSON"))?,
    };
    let objects = list.into_iter().map(|one| match one {
        Value::Object(one) => Ok(one),
        _ => Err(format!("{name} has something that is no object")),
    });
    objects.collect()
}

/// An object; in CSV it is a text of JSON. One that is not there is empty.
pub(super) fn inner<'a>(object: &'a Object, name: &str) -> Cow<'a, Object> {
    match object.get(name) {
        Some(Value::Object(inner)) => Cow::Borrowed(inner),
        Some(Value::String(text)) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        _ => Cow::Owned(Map::new()),
    }
}

/// The same members by one spelling: `emailVerified`, `email_verified` and `EmailVerified` are `emailverified`.
pub(in crate::import) fn by_one_spelling(object: Object) -> Object {
    let spelled = |name: String| name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    object.into_iter().map(|(name, value)| (spelled(name), value)).collect()
}

pub(super) fn full_name(given: Option<String>, family: Option<String>) -> Option<String> {
    let full: Vec<String> = [given, family].into_iter().flatten().collect();
    Some(full.join(" ")).filter(|name| !name.is_empty())
}

/// A number with its plus, which some leave out.
pub(super) fn with_plus(phone: String) -> String {
    if phone.starts_with('+') { phone } else { format!("+{phone}") }
}

/// A moment as text, or as seconds or milliseconds since 1970.
pub(super) fn when(object: &Object, name: &str) -> Option<Timestamp> {
    let text = member(object, name)?;
    let Ok(number) = text.parse::<i64>() else { return moment(&text) };
    let millis = if number > MOST_SECONDS { number } else { number.saturating_mul(1000) };
    Some(Timestamp::from_micros(millis.saturating_mul(1000)))
}

/// RFC 3339, also with the space that databases write and without an offset, which is then UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let has_offset = text.ends_with(['Z', 'z']) || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    let whole = if has_offset { text } else { format!("{text}Z") };
    // PostgreSQL writes +00 for +00:00.
    let short = whole.len() > 3 && matches!(whole.as_bytes().get(whole.len() - 3), Some(b'+' | b'-'));
    let whole = if short { format!("{whole}:00") } else { whole };
    whole.parse().ok()
}
