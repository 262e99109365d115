//! From the checked tree into the structs. Type-directed: a text stays the text that was written, whatever it looks
//! like. An error says where it happened and repeats no value.

use std::{fmt, slice};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor},
    forward_to_deserialize_any,
};

use super::{
    report::Origin,
    tree::{Entry, Node, Value},
};

/// Why a value is not one of its key's type: what its own parser says, if it says something.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) message: String,
    /// The innermost node that it happened in.
    pub(crate) origin: Option<Origin>,
}

impl Misfit {
    fn bare(message: String) -> Self {
        Self { message, origin: None }
    }

    fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::bare(message.to_string())
    }
    // Serde's own words repeat the value.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::bare(format!("expected {expected}"))
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::bare(format!("expected {expected}"))
    }
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::bare(format!("expected one of {}", expected.join(", ")))
    }
}

impl Node {
    /// A plain scalar as the type that its key wants.
    fn parsed<T: std::str::FromStr>(&self, expected: &str) -> Result<T, Misfit> {
        match &self.value {
            Value::Scalar { text, plain: true } => {
                text.parse().map_err(|_| Misfit::bare(format!("expected {expected}")))
            }
            _ => Err(Misfit::bare(format!("expected {expected}"))),
        }
        .map_err(|misfit| misfit.at(&self.origin))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visitor.$visit(self.parsed("a whole number")?).map_err(|misfit: Misfit| misfit.at(&self.origin))
        }
    )+};
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Pairs { entries: entries.iter(), node: None }),
        }
        .map_err(|misfit: Misfit| misfit.at(&self.origin))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let empty = match &self.value {
            Value::Scalar { text, .. } => text.is_empty() || self.is_nothing(),
            Value::List(items) => items.is_empty(),
            Value::Map(_) => false,
        };
        if empty { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_bool(self.parsed("true or false")?)
    }

    numbers!(deserialize_u32 visit_u32, deserialize_u64 visit_u64);

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Scalar { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(Misfit::bare("expected a word".to_owned())),
        }
        .map_err(|misfit: Misfit| misfit.at(&self.origin))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The keys of a section. What a value's own parser says is put down to that value.
struct Pairs<'de> {
    entries: slice::Iter<'de, Entry>,
    node: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.node = Some(&entry.node);
        seed.deserialize(entry.key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self.node.take().ok_or_else(|| Misfit::bare("a value was asked for before its key".to_owned()))?;
        seed.deserialize(node).map_err(|misfit| misfit.at(&node.origin))
    }
}

struct Items<'de>(slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|misfit| misfit.at(&node.origin))
    }
}
