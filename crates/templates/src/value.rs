//! What is filled into a message, and for whom.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use url::Url;
use userd_model::{Timestamp, texts::Language};

use crate::Kind;

/// For whom a message is written.
#[derive(Clone, Debug)]
pub struct Reader {
    /// In which language.
    pub language: Language,
    /// Where times are told.
    pub time_zone: TimeZone,
}

impl Default for Reader {
    fn default() -> Self {
        Self { language: Language::default(), time_zone: TimeZone::UTC }
    }
}

impl Reader {
    /// A reader by the locale (BCP 47) and time zone (IANA) of their account.
    #[must_use]
    pub fn of(locale: Option<&str>, time_zone: Option<&str>) -> Self {
        let language = locale.map_or_else(Language::default, Language::of_tag);
        let zone = time_zone.and_then(|name| jiff::tz::TimeZoneDatabase::bundled().get(name).ok());
        Self { language, time_zone: zone.unwrap_or(TimeZone::UTC) }
    }
}

/// A value of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words that somebody chose: a device's name, a role, a reason. Nothing in them becomes a link.
    Words(String),
    /// The same over several lines.
    Text(String),
    /// A place of ours.
    Link(Url),
    /// A time.
    Moment(Timestamp),
    /// A code, or a network address: shown letter by letter.
    Exact(String),
    /// How many.
    Count(u64),
}

/// The values of a message, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(pub(crate) BTreeMap<&'static str, Value>);

impl Values {
    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.insert(name, value);
        self
    }

    /// With words that may be unknown.
    #[must_use]
    pub fn with_words(self, name: &'static str, words: Option<&str>) -> Self {
        match words {
            Some(words) => self.with(name, Value::Words(words.to_owned())),
            None => self,
        }
    }

    pub(crate) fn without_optional(mut self, kind: Kind) -> Self {
        self.0.retain(|name, _| !kind.optional().contains(name));
        self
    }
}

/// Words as they may be shown: on one line, read in one direction, and with a word joiner where a mail client or a
/// messenger would see an address, a command or a tag in them and make a link of it.
pub(crate) fn shown(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut before = ' ';
    let mut letters = words.chars().filter(|c| !turns_direction(*c)).map(one_line).peekable();
    while let Some(letter) = letters.next() {
        shown.push(letter);
        let mut next_is = |test: fn(char) -> bool| letters.peek().is_some_and(|next| test(*next));
        let would_link = match letter {
            // The full stops that a name of a host may be written with (UTS 46).
            '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => !before.is_whitespace() && next_is(char::is_alphabetic),
            ':' => next_is(|next| next == '/'),
            '@' => next_is(char::is_alphanumeric),
            // `/stop` would be a command to the bot, said by whoever touches it.
            '/' | '#' => !before.is_alphanumeric() && next_is(char::is_alphanumeric),
            '$' => next_is(char::is_alphabetic),
            _ => false,
        };
        if would_link {
            shown.push('\u{2060}');
        }
        before = letter;
    }
    shown.trim().to_owned()
}

/// Characters that turn what follows them around: `moc.live` would be read as an address.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line break is a space.
pub(crate) fn one_line(c: char) -> char {
    if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_words_become_a_link() {
        let joined = |text: &str| shown(text).replace('\u{2060}', "|");
        for (words, expected) in [
            ("Firefox on Linux", "Firefox on Linux"),
            ("evil.example", "evil.|example"),
            ("https://evil.example/a", "https:|//|evil.|example/a"),
            ("anna@evil.example", "anna@|evil.|example"),
            ("www.evil.рф", "www.|evil.|рф"),
            ("Version 1.2.3", "Version 1.2.3"),
            ("Done. Next", "Done. Next"),
            ("a\r\nb\u{0}c", "a  b c"),
            ("@channel", "@|channel"),
            ("evil\u{3002}example", "evil\u{3002}|example"),
            ("evil\u{200b}.example", "evil\u{200b}.|example"),
            ("a-.example", "a-.|example"),
            ("for .NET", "for .NET"),
            ("/stop", "/|stop"),
            ("stop it: /stop", "stop it: /|stop"),
            ("and/or", "and/or"),
            ("#1 $EVIL $5", "#|1 $|EVIL $5"),
            ("tg://resolve?domain=evil", "tg:|//|resolve?domain=evil"),
            ("\u{202e}moc.live\u{202c}", "moc.|live"),
            ("a\u{2028}b", "a b"),
        ] {
            assert_eq!(joined(words), expected);
        }
    }
}
