//! Names that others read: of the sender of mails, of the bot, of a colour.

use std::{fmt, ops::Deref};

use super::text::{Text, shown_as_written, text_traits};

text_traits!(Mailbox, BotName, HexColour);
shown_as_written!(Mailbox, BotName, HexColour);

/// Gives a one-field text type its field's text.
macro_rules! deref_to_str {
    ($($name:ident),+) => {$(
        impl $name {
            /// As written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
deref_to_str!(Mailbox, BotName, HexColour);

/// The sender of mails: `no-reply@example.org` or `Example <no-reply@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox(String);

impl Text for Mailbox {
    const FORMAT: &'static str = "mailbox";
    const EXPECTED: &'static str = "a mail address, such as no-reply@example.org or Example <no-reply@example.org>";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let address = match text.split_once('<') {
            Some((name, rest)) if !name.trim().is_empty() => rest.strip_suffix('>').ok_or("")?,
            Some(_) => return Err(""),
            None => text,
        };
        let (local, domain) = address.rsplit_once('@').ok_or("")?;
        let unquoted =
            |text: &str| !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\@".contains(c));
        let lawful = (1..=64).contains(&local.len())
            && (1..=253).contains(&domain.len())
            && unquoted(local)
            && unquoted(domain)
            && !domain.starts_with('.')
            && !domain.ends_with('.');
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}

/// The name of a Telegram bot, without @.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotName(String);

impl Text for BotName {
    const FORMAT: &'static str = "bot-name";
    const EXPECTED: &'static str = "the bot's name without @: 3 to 32 letters, digits and underscores";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful =
            (3..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}

/// A colour: `#2f5da8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexColour(String);

impl Text for HexColour {
    const FORMAT: &'static str = "colour";
    const EXPECTED: &'static str = "a colour such as #2f5da8";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('#').ok_or("")?;
        let lawful = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}
