//! Free text from outside, checked field by field. Escaping is not here: whoever writes HTML or mail escapes there,
//! so a name may contain `<` and `&`.
//!
//! Each function gives the text to store, or what is wrong with it (the `detail` of an `InvalidField`).

use std::sync::OnceLock;

use jiff::tz::TimeZoneDatabase;
use serde_json::{Map, Value};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Most members of `attributes`.
const MAX_ATTRIBUTES: usize = 64;
/// Longest key in `attributes`, at any depth, in characters.
const MAX_ATTRIBUTE_KEY: usize = 64;
/// Longest `attributes`, in bytes of JSON.
const MAX_ATTRIBUTES_BYTES: usize = 16 * 1024;
/// Deepest nesting in `attributes`; the object itself is the first level.
const MAX_ATTRIBUTES_DEPTH: usize = 8;
/// Most combining marks on one character: more is a stack that climbs over its neighbours.
const MAX_MARKS: usize = 8;

/// A display name: 1 to 100 visible characters on one line.
pub fn display_name(text: &str) -> Result<String, &'static str> {
    one_line(text, 100, "must have 1 to 100 characters")
}

/// As searched for: what people would take for the same is the same (NFKC, case folded).
#[must_use]
pub fn folded(text: &str) -> String {
    text.nfkc().flat_map(fold_case).nfkc().collect()
}

/// Case folding by way of upper case, character by character: ß and SS, σ and ς, ı and I meet.
pub(crate) fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// The name of a device: 1 to 100 visible characters on one line.
pub fn device_name(text: &str) -> Result<String, &'static str> {
    one_line(text, 100, "must have 1 to 100 characters")
}

/// A reason or comment: 1 to 500 characters; line breaks are kept, as `\n`.
pub fn reason(text: &str) -> Result<String, &'static str> {
    const LENGTH: &str = "must have 1 to 500 characters";
    if text.len() > 500 * 4 * 2 {
        return Err(LENGTH);
    }
    let reason: String = text.replace("\r\n", "\n").trim().nfc().collect();
    reason.lines().try_for_each(refuse_unprintable)?;
    within(reason, 500, LENGTH)
}

/// The title of a message: 1 to 200 visible characters on one line.
pub fn title(text: &str) -> Result<String, &'static str> {
    one_line(text, 200, "must have 1 to 200 characters")
}

/// What a message says: line breaks are kept, as `\n`. How long it may be is counted with the rest of the message.
pub fn message(text: &str) -> Result<String, &'static str> {
    let message: String = text.replace("\r\n", "\n").trim().nfc().collect();
    message.lines().try_for_each(refuse_unprintable)?;
    within(message, usize::MAX, "must not be empty")
}

/// A `User-Agent` as it is kept with a session: printable, at most 256 characters; `None` when nothing is left.
/// It shortens instead of refusing, because it comes with every request and nobody types it.
#[must_use]
pub fn user_agent(text: &str) -> Option<String> {
    let printable = |c: &char| !c.is_control() && !is_unprintable(*c);
    let kept: String = text.trim().chars().filter(printable).take(256).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// A line that a stranger wrote, such as a name at a provider, fit to be shown: printable, on one line, at most `max`
/// characters; `None` when nothing visible is left. Like [`user_agent`] it mends instead of refusing, because nobody is
/// there to correct it.
#[must_use]
pub fn shown(text: &str, max: usize) -> Option<String> {
    let mut marks = 0;
    let mut stacks = |c: char| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks > MAX_MARKS
    };
    let line = text.nfc().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c });
    let line: String = line.filter(|c| !is_unprintable(*c) && !stacks(*c)).collect();
    let line: String = line.trim().chars().take(max).collect();
    within(line.trim().to_owned(), max, "").ok()
}

/// A language tag in its usual spelling (`ru`, `pt-BR`, `zh-Hant-TW`): well-formed by RFC 5646 section 2.1, at most
/// 35 characters. Left out of the grammar: languages of 4 to 8 letters, of which none exists, and the irregular
/// grandfathered tags.
pub fn locale(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "must be a BCP 47 language tag, such as ru or pt-BR";
    if text.len() > 35 {
        return Err("must have at most 35 characters");
    }
    if !text.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Err(WRONG);
    }
    let tag = text.to_ascii_lowercase();
    let parts: Vec<&str> = tag.split('-').collect();
    if !is_language_tag(&parts) {
        return Err(WRONG);
    }
    Ok(in_usual_case(&parts))
}

/// A time zone by its IANA name, in the spelling of the database that is built in.
pub fn time_zone(text: &str) -> Result<String, &'static str> {
    const UNKNOWN: &str = "must be an IANA time zone, such as Europe/Moscow";
    if text.len() > 64 || !text.is_ascii() {
        return Err(UNKNOWN);
    }
    let zone = zones().get(text).map_err(|_| UNKNOWN)?;
    zone.iana_name().map(str::to_owned).ok_or(UNKNOWN)
}

/// The time zones that are built in.
pub(crate) fn zones() -> &'static TimeZoneDatabase {
    static BUNDLED: OnceLock<TimeZoneDatabase> = OnceLock::new();
    BUNDLED.get_or_init(TimeZoneDatabase::bundled)
}

/// The application's own facts about a user: at most 64 members, 16 KiB of JSON, 8 levels, keys of 1 to 64
/// characters. NUL is refused at every depth, because one of the databases cannot hold it.
pub fn attributes(object: &Map<String, Value>) -> Result<(), &'static str> {
    if object.len() > MAX_ATTRIBUTES {
        return Err("must have at most 64 members");
    }
    check_members(object, 1)?;
    match serde_json::to_vec(object) {
        Ok(json) if json.len() <= MAX_ATTRIBUTES_BYTES => Ok(()),
        _ => Err("must be at most 16 KiB of JSON"),
    }
}

/// RFC 5646 section 2.1, on lower-cased subtags of 1 to 8 letters and digits.
fn is_language_tag(parts: &[&str]) -> bool {
    let letters = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let mut rest = parts.iter().copied().peekable();
    if !rest.next().is_some_and(|language| letters(language, 2..=3)) {
        return false;
    }
    for _ in 0..3 {
        rest.next_if(|part| letters(part, 3..=3));
    }
    rest.next_if(|part| letters(part, 4..=4));
    rest.next_if(|part| letters(part, 2..=2) || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())));
    let mut seen = Vec::new();
    while let Some(variant) =
        rest.next_if(|part| part.len() >= 5 || (part.len() == 4 && part.starts_with(|c: char| c.is_ascii_digit())))
    {
        if seen.contains(&variant) {
            return false;
        }
        seen.push(variant);
    }
    while let Some(singleton) = rest.next_if(|part| part.len() == 1) {
        let private = singleton == "x";
        let mut subtags = 0;
        while rest.next_if(|part| private || part.len() >= 2).is_some() {
            subtags += 1;
        }
        if subtags == 0 || seen.contains(&singleton) {
            return false;
        }
        seen.push(singleton);
    }
    rest.next().is_none()
}

/// RFC 5646 section 2.1.1: regions in capitals and scripts with a capital, up to the first single-letter subtag.
fn in_usual_case(parts: &[&str]) -> String {
    let mut tag = String::new();
    let mut extended = false;
    for (index, part) in parts.iter().enumerate() {
        extended |= part.len() == 1;
        if index > 0 {
            tag.push('-');
        }
        match part.len() {
            2 if index > 0 && !extended => tag.push_str(&part.to_ascii_uppercase()),
            4 if index > 0 && !extended => {
                let mut letters = part.chars();
                tag.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                tag.extend(letters);
            }
            _ => tag.push_str(part),
        }
    }
    tag
}

fn check_members(object: &Map<String, Value>, depth: usize) -> Result<(), &'static str> {
    for (key, value) in object {
        if key.is_empty() || key.chars().count() > MAX_ATTRIBUTE_KEY {
            return Err("must have keys of 1 to 64 characters");
        }
        if key.chars().any(char::is_control) {
            return Err("must not have control characters in keys");
        }
        check_value(value, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize) -> Result<(), &'static str> {
    if matches!(value, Value::Array(_) | Value::Object(_)) && depth >= MAX_ATTRIBUTES_DEPTH {
        return Err("must be nested at most 8 levels deep");
    }
    match value {
        Value::String(text) if text.contains('\0') => Err("must not contain the character NUL"),
        Value::Array(values) => values.iter().try_for_each(|value| check_value(value, depth + 1)),
        Value::Object(members) => check_members(members, depth + 1),
        _ => Ok(()),
    }
}

fn one_line(text: &str, max: usize, length: &'static str) -> Result<String, &'static str> {
    if text.len() > max * 4 * 2 {
        return Err(length);
    }
    let line: String = text.trim().nfc().collect();
    refuse_unprintable(&line)?;
    within(line, max, length)
}

fn within(text: String, max: usize, length: &'static str) -> Result<String, &'static str> {
    if text.is_empty() || text.chars().count() > max {
        return Err(length);
    }
    if !text.chars().any(is_visible) {
        return Err("must have a visible character");
    }
    Ok(text)
}

fn refuse_unprintable(text: &str) -> Result<(), &'static str> {
    let mut marks = 0;
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            return Err("must not contain line breaks or control characters");
        }
        if is_unprintable(c) {
            return Err("must not contain characters that hide or turn text");
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err("must not stack combining marks");
        }
    }
    Ok(())
}

/// What people put between the digits and letters of a code, as mails, apps and phones show them: a blank or any dash.
#[must_use]
pub fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Characters that change the direction of what follows (UAX 9 section 2).
pub(crate) const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters without a shape of their own (the default ignorable ones that text can do without, and the fillers).
pub(crate) const fn is_zero_width(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// What no line of text needs. Joiners and variation selectors stay: Persian, Indic scripts and emoji use them.
const fn is_unprintable(c: char) -> bool {
    is_bidi_control(c) || (is_zero_width(c) && !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}'))
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !is_zero_width(c) && !is_combining_mark(c) && c != '\u{2800}'
}
