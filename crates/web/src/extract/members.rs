//! Bodies as they are read into structs: an object where one is asked for. Of itself serde takes an array for any struct, member
//! by member in the order of the source, so that one body would have two forms.

use serde::{
    Deserialize,
    de::{
        DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Value};
use zeroize::Zeroize;

/// A value that is read.
#[derive(Clone, Copy)]
pub(super) struct Members<'de>(pub(super) &'de Value);

/// What was sent, between its bytes and the struct that it becomes. Passwords and tokens are among it, so its texts are wiped
/// when it goes, whether it became anything or not.
pub(super) struct Passing(pub(super) Value);

impl Drop for Passing {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Nested as deep as strict JSON may be, and no deeper.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads an object where serde keeps what it reads for later (an enum without a tag, or with one inside) and would take an array
/// for it again. For `#[serde(deserialize_with)]`.
///
/// # Errors
/// Those of the deserializer.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let members = Passing(Value::Object(Map::deserialize(deserializer)?));
    T::deserialize(Members(&members.0)).map_err(D::Error::custom)
}

const AN_OBJECT: &str = "expected an object";

/// As the value itself does it: it refuses whatever else it is.
macro_rules! scalars {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.$name(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Members<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => {
                let mut items = SeqDeserializer::<_, Error>::new(items.iter().map(Members));
                let read = visitor.visit_seq(&mut items)?;
                items.end().map(|()| read)
            }
            Value::Object(members) => read(members, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(members) => read(members, visitor),
            _ => Err(Error::custom(AN_OBJECT)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::<Error>::new(text)),
            Value::Object(members) if members.len() == 1 && members.values().all(|member| !member.is_null()) => {
                visitor.visit_enum(MapAccessDeserializer::new(each(members)))
            }
            Value::Object(_) => Err(Error::custom("expected an object of one member")),
            _ => Err(Error::custom("expected a string")),
        }
    }

    // Whoever asks for one of these gets no array and no object: an id would be taken as the sixteen bytes that it is.
    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_identifier deserialize_unit
    }

    forward_to_deserialize_any! { bytes byte_buf unit_struct seq tuple tuple_struct ignored_any }
}

impl<'de> IntoDeserializer<'de, Error> for Members<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn read<'de, V: Visitor<'de>>(members: &'de Map<String, Value>, visitor: V) -> Result<V::Value, Error> {
    let mut members = each(members);
    let read = visitor.visit_map(&mut members)?;
    members.end().map(|()| read)
}

/// The members one by one.
fn each<'de>(
    members: &'de Map<String, Value>,
) -> MapDeserializer<'de, impl Iterator<Item = (&'de str, Members<'de>)>, Error> {
    MapDeserializer::new(members.iter().map(|(name, value)| (name.as_str(), Members(value))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_passed_leaves_no_text_behind() {
        let mut sent = json!({
            "password": "hunter2", "code": 7, "in": {"tokens": ["a", {"b": "c"}, null, true]}, "none": null
        });
        wipe(&mut sent);
        let left = json!({"password": "", "code": 7, "in": {"tokens": ["", {"b": ""}, null, true]}, "none": null});
        assert_eq!(sent, left);
    }
}
