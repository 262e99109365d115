//! Literals take the type that is wanted, if they fit.

use crate::value::{Primitive, Type, Value};

/// An integer as a value of an integer type, if it fits.
pub(crate) fn integer(value: i128, kind: Primitive) -> Option<Value> {
    use Primitive as P;
    match kind {
        P::Int8 => i8::try_from(value).map(|value| Value::Signed(value.into())).ok(),
        P::Int16 => i16::try_from(value).map(|value| Value::Signed(value.into())).ok(),
        P::Int32 => i32::try_from(value).map(|value| Value::Signed(value.into())).ok(),
        P::Int64 => i64::try_from(value).map(Value::Signed).ok(),
        P::Uint8 => u8::try_from(value).map(|value| Value::Unsigned(value.into())).ok(),
        P::Uint16 => u16::try_from(value).map(|value| Value::Unsigned(value.into())).ok(),
        P::Uint32 => u32::try_from(value).map(|value| Value::Unsigned(value.into())).ok(),
        P::Uint64 => u64::try_from(value).map(Value::Unsigned).ok(),
        _ => None,
    }
}

/// A literal as a value of another simple type.
pub(crate) fn convert_literal(value: &Value, from: &Type, to: Primitive) -> Option<Value> {
    use Primitive as P;
    if *from == Type::Primitive(to) {
        return Some(value.clone());
    }
    let converted = match (value, to) {
        (Value::Signed(number), P::Double) if from.is_integer() => {
            Some(Value::Float(f64::from(i32::try_from(*number).ok()?).to_bits()))
        }
        (Value::Signed(number), _) if from.is_integer() => integer(i128::from(*number), to),
        (Value::Unsigned(number), _) if from.is_integer() => integer(i128::from(*number), to),
        (Value::Bytes(bytes), P::Utf8 | P::Json | P::JsonDocument) => {
            String::from_utf8(bytes.clone()).ok().map(Value::Text)
        }
        (Value::Text(text), P::String) => Some(Value::Bytes(text.clone().into_bytes())),
        _ => None,
    };
    converted.filter(|_| !matches!(from, Type::Null))
}
