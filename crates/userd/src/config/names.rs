//! Names that others read: of providers, domains, senders, bots, scopes.

use std::{fmt, ops::Deref};

use super::text::{Text, shown_as_written, text_traits};

text_traits!(Slug, Domain, Mailbox, BotName, Scope);
shown_as_written!(Slug, Domain, Mailbox, BotName, Scope);

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
deref_to_str!(Slug, Domain, Mailbox, BotName, Scope);

/// A short name that may stand in a URL: `[a-z0-9-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Text for Slug {
    const FORMAT: &'static str = "slug";
    const EXPECTED: &'static str = "1 to 32 lower-case letters, digits and hyphens";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}

/// A DNS name in lower case, such as `example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

impl Text for Domain {
    const FORMAT: &'static str = "domain";
    const EXPECTED: &'static str = "a domain in lower case, such as example.org";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let lawful = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}

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

/// One OAuth scope (RFC 6749, appendix A.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Text for Scope {
    const FORMAT: &'static str = "scope";
    const EXPECTED: &'static str = "one scope per item, without blanks and quotes";
    fn parse_text(text: &str) -> Result<Self, &'static str> {
        let lawful = (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if lawful { Ok(Self(text.to_owned())) } else { Err("") }
    }
}
