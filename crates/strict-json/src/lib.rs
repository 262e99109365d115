//! JSON where one text has one meaning. Parsers disagree about duplicate members (serde_json alone keeps the last,
//! another the first), lone surrogates, numbers beyond 64 bits and endless depth: RFC 8259 leaves them open in sections
//! 4, 6, 8 and 9, and attackers live in between. All are refused before anything is read.
//!
//! Deliberately absent: which members a text should have, and any answer to the sender (callers know both).

use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// The deepest nesting that is read.
pub const MAX_DEPTH: u8 = 32;
/// 2^64: whole numbers from here on, serde_json would round silently.
const FIRST_ROUNDED: f64 = 18_446_744_073_709_551_616.0;

/// A refused text. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at line {line} column {column}")]
pub struct Refused {
    /// What is wrong.
    pub fault: Fault,
    /// Where reading ended, from 1; 0 when the text was not read at all.
    pub line: usize,
    /// As `line`.
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not one JSON value with nothing after it; a lone surrogate and a number beyond all floats are none either.
    #[error("not JSON")]
    NotJson,
    /// JSON, but not an object where one was asked for.
    #[error("not a JSON object")]
    NotAnObject,
    /// An object has two members of one name.
    #[error("a member occurs twice")]
    Duplicate,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested more than 32 levels deep")]
    TooDeep,
    /// A number from 2^64 on.
    #[error("a number does not fit into 64 bits")]
    TooBig,
}

/// Reads one JSON object and nothing after it.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    match value(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err(Refused { fault: Fault::NotAnObject, line: 1, column: 1 }),
    }
}

/// Reads one JSON value and nothing after it.
pub fn value(bytes: &[u8]) -> Result<Value, Refused> {
    check(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| refused(Fault::NotJson, &error))
}

/// Refuses bytes that are not one unambiguous JSON text. Keeps no copy of its values, which may be secrets.
pub fn check(bytes: &[u8]) -> Result<(), Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused { fault: Fault::NotUtf8, line: 0, column: 0 })?;
    let (mut reader, fault) = (serde_json::Deserializer::from_str(text), Cell::new(Fault::NotJson));
    let walk = Walk { depth: 0, fault: &fault };
    walk.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| refused(fault.get(), &error))
}

fn refused(fault: Fault, error: &serde_json::Error) -> Refused {
    Refused { fault, line: error.line(), column: error.column() }
}

/// Walks one value and keeps nothing of it but the names of open objects.
#[derive(Clone, Copy)]
struct Walk<'a> {
    depth: u8,
    /// What is wrong, beside serde's own error, which knows only texts.
    fault: &'a Cell<Fault>,
}

/// `serde_json` reads an object with a member of such a name as something else than an object: a text in a text, which nobody has
/// looked at.
const OF_THE_PARSER: &str = "$serde_json::private::";

/// A member's name, borrowed where it holds no escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Walk<'_> {
    fn fail<E: serde::de::Error>(self, fault: Fault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH { Ok(Self { depth: self.depth + 1, ..self }) } else { Err(self.fail(Fault::TooDeep)) }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        if number.abs() < FIRST_ROUNDED { Ok(()) } else { Err(self.fail(Fault::TooBig)) }
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<Name<'de>>()? {
            if name.0.starts_with(OF_THE_PARSER) {
                return Err(self.fail(Fault::NotJson));
            }
            if !names.insert(name) {
                return Err(self.fail(Fault::Duplicate));
            }
            members.next_value_seed(inner)?;
        }
        Ok(())
    }
}
