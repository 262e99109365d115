//! What it takes to be a value that is written as text: parsed once, at start, by the same parser for the file, the
//! environment, flags and the JSON Schema's `format`. The types themselves are in `values`, `names`, `urls`,
//! `connections` and `secret`.

use std::{borrow::Cow, fmt, ops::Deref, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A value written as text.
pub(crate) trait Text: Sized {
    /// Its name in the JSON Schema's `format`.
    const FORMAT: &'static str;
    /// What would be right, for messages: "expected …".
    const EXPECTED: &'static str;
    /// Whether it may hold a secret, so that it is masked and never given on a command line.
    const SECRET: bool = false;
    /// Whether it names a file that must be there to be read.
    const READABLE: bool = false;
    /// Parses the text; the error says more than [`Self::EXPECTED`] or nothing, and never quotes the text.
    fn parse_text(text: &str) -> Result<Self, &'static str>;
}

/// Gives a [`Text`] type the traits that configuration structs need.
macro_rules! text_traits {
    ($($name:ident),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::config::text::Text>::parse_text(&text)
                    .map_err(|_| serde::de::Error::custom(<Self as $crate::config::text::Text>::EXPECTED))
            }
        }
        impl std::str::FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::config::text::Text>::parse_text(text)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::text::schema_of::<Self>()
            }
        }
    )+};
}
pub(crate) use text_traits;

/// Gives a type that may be shown its `Display` form as its serialized form.
macro_rules! shown_as_written {
    ($($name:ident),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}
pub(crate) use shown_as_written;

pub(crate) fn schema_of<T: Text>() -> Schema {
    let mut schema = json_schema!({ "type": "string", "format": T::FORMAT });
    if T::SECRET {
        schema.insert("writeOnly".to_owned(), true.into());
    }
    schema
}

/// A value that may be left empty: `""` means none.
#[derive(Clone, PartialEq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Optional<T> {
    /// Nothing given.
    pub const NONE: Self = Self(None);
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T> Deref for Optional<T> {
    type Target = Option<T>;
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Optional<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for Optional<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(deserializer)?);
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse().map(|value| Self(Some(value))).map_err(|_| de::Error::custom("not a value of this key"))
    }
}

impl<T: JsonSchema> JsonSchema for Optional<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Optional{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("x-may-be-empty".to_owned(), true.into());
        schema
    }
}
