//! Every `format` that the schema names, with the parser of its type.

use serde_json::Value as Schema;

use super::{
    audit::VerifierKey,
    connections::{CacheUrl, DatabaseUrl, MailUrl, ProxyUrl},
    names::{BotName, HexColour, Mailbox},
    secret::Secret,
    text::Text,
    urls::{ReturnUrl, SecureUrl, WebOrigin},
    values::{Cidr, FilePath, InputFile, Listen, LogFilter, Period, Rate},
};

/// A `format` of the schema and the parser behind it.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) readable: bool,
    pub(super) parse: fn(&str) -> Result<(), &'static str>,
}

const fn format<T: Text>() -> Format {
    Format {
        name: T::FORMAT,
        expected: T::EXPECTED,
        readable: T::READABLE,
        parse: |text| T::parse_text(text).map(drop),
    }
}

/// Every `format` of the schema, with the parser of its type.
const FORMATS: &[Format] = &[
    format::<Period>(),
    format::<Listen>(),
    format::<Cidr>(),
    format::<FilePath>(),
    format::<InputFile>(),
    format::<Rate>(),
    format::<LogFilter>(),
    format::<Mailbox>(),
    format::<BotName>(),
    format::<HexColour>(),
    format::<Secret>(),
    format::<WebOrigin>(),
    format::<SecureUrl>(),
    format::<ReturnUrl>(),
    format::<VerifierKey>(),
    format::<DatabaseUrl>(),
    format::<CacheUrl>(),
    format::<MailUrl>(),
    format::<ProxyUrl>(),
];

pub(super) fn format_of(schema: &Schema) -> Option<&'static Format> {
    let name = schema.get("format")?.as_str()?;
    FORMATS.iter().find(|format| format.name == name)
}
