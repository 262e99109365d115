//! What JSON readers disagree about is refused before anything is read from it: duplicate members, lone surrogates,
//! numbers beyond 64 bits, depth beyond 32 (RFC 8259 sections 4, 6, 8 and 9 leave these open).

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::problem::{Problem, table};

const MAX_DEPTH: u8 = 32;
/// 2^64: whole numbers from here on, serde_json would round silently.
const FIRST_ROUNDED: f64 = 18_446_744_073_709_551_616.0;
const DUPLICATE: &str = "a member occurs twice";
const TOO_DEEP: &str = "nested more than 32 levels deep";
const TOO_BIG: &str = "a number does not fit into 64 bits";

/// Refuses bytes that are not one unambiguous JSON text.
pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the body is not UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    Unambiguous { depth: 0 }.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let words = error.to_string();
        if words.starts_with(DUPLICATE) {
            return Problem::of(&table::DUPLICATE_MEMBER).detail(format!("{DUPLICATE}, {place}"));
        }
        let known = [TOO_DEEP, TOO_BIG].into_iter().find(|known| words.starts_with(known));
        malformed(known.map_or_else(|| format!("not JSON at {place}"), |known| format!("{known}, {place}")))
    })
}

fn malformed(detail: String) -> Problem {
    Problem::of(&table::MALFORMED_JSON).detail(detail)
}

/// Walks one value and keeps nothing of it but the names of open objects.
#[derive(Clone, Copy)]
struct Unambiguous {
    depth: u8,
}

impl Unambiguous {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
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

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if number.abs() >= FIRST_ROUNDED { Err(E::custom(TOO_BIG)) } else { Ok(()) }
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
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom(DUPLICATE));
            }
            members.next_value_seed(inner)?;
        }
        Ok(())
    }
}
