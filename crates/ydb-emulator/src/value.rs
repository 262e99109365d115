//! Values and types of YQL, and how they go over the wire.

use std::fmt;

use ydb_grpc::ydb_proto::{
    self as proto,
    r#type::{PrimitiveTypeId, Type as WireType},
    value::Value as WireValue,
};

use crate::failure::{Failure, Outcome};

/// The simple types.
pub(crate) type Primitive = PrimitiveTypeId;

/// The last moment that a `Timestamp` can say: the end of 2105.
const LAST_TIMESTAMP: u64 = 4_291_747_199_999_999;

/// A type of YQL, as far as the emulator knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Primitive(Primitive),
    Optional(Box<Type>),
    List(Box<Type>),
    Tuple(Vec<Type>),
    Struct(Vec<(String, Type)>),
    /// Of a bare NULL.
    Null,
}

/// A value; which simple type it has says the type beside it. The order within a variant is YDB's, NULL comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    /// The bits; floating numbers are no keys, so their order does not matter.
    Float(u64),
    Bytes(Vec<u8>),
    Text(String),
    /// In the order in which YDB keeps and compares it: Microsoft's mixed-endian one.
    Uuid([u8; 16]),
    /// Lists, tuples and structs.
    Items(Vec<Value>),
    /// Behind every other value: ends of ranges only.
    Top,
}

impl Type {
    pub(crate) fn optional(self) -> Self {
        Self::Optional(Box::new(self))
    }

    /// Without the outermost `Optional`.
    pub(crate) fn bare(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }

    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_) | Self::Null)
    }

    pub(crate) fn is_integer(&self) -> bool {
        use PrimitiveTypeId as P;
        matches!(
            self,
            Self::Primitive(P::Int8 | P::Int16 | P::Int32 | P::Int64 | P::Uint8 | P::Uint16 | P::Uint32 | P::Uint64)
        )
    }

    /// Whether both are one type; the order of a struct's fields says nothing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Optional(one), Self::Optional(other)) | (Self::List(one), Self::List(other)) => one.is_same(other),
            (Self::Tuple(ours), Self::Tuple(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| one.is_same(other))
            }
            (Self::Struct(ours), Self::Struct(theirs)) => {
                let there = |(name, one): &(String, Self)| {
                    theirs.iter().any(|(other_name, other)| name == other_name && one.is_same(other))
                };
                ours.len() == theirs.len() && ours.iter().all(there)
            }
            (one, other) => one == other,
        }
    }

    pub(crate) fn from_wire(wire: Option<&proto::Type>) -> Outcome<Self> {
        let Some(kind) = wire.and_then(|wire| wire.r#type.as_ref()) else {
            return Err(Failure::bad_request("a value without a type"));
        };
        Ok(match kind {
            WireType::TypeId(id) => Self::Primitive(
                PrimitiveTypeId::try_from(*id).map_err(|_| Failure::bad_request(format!("unknown type {id}")))?,
            ),
            WireType::OptionalType(inner) => Self::from_wire(inner.item.as_deref())?.optional(),
            WireType::ListType(inner) => Self::List(Box::new(Self::from_wire(inner.item.as_deref())?)),
            WireType::TupleType(tuple) => {
                Self::Tuple(tuple.elements.iter().map(|item| Self::from_wire(Some(item))).collect::<Outcome<_>>()?)
            }
            WireType::StructType(fields) => Self::Struct(
                fields
                    .members
                    .iter()
                    .map(|member| Ok((member.name.clone(), Self::from_wire(member.r#type.as_ref())?)))
                    .collect::<Outcome<_>>()?,
            ),
            WireType::NullType(_) => Self::Null,
            other => return Err(Failure::unsupported(format!("the emulator knows no type {other:?}"))),
        })
    }

    pub(crate) fn to_wire(&self) -> proto::Type {
        let boxed = |inner: &Type| Some(Box::new(inner.to_wire()));
        let kind = match self {
            Self::Primitive(id) => WireType::TypeId(*id as i32),
            Self::Optional(inner) => WireType::OptionalType(Box::new(proto::OptionalType { item: boxed(inner) })),
            Self::List(inner) => WireType::ListType(Box::new(proto::ListType { item: boxed(inner) })),
            Self::Tuple(items) => {
                WireType::TupleType(proto::TupleType { elements: items.iter().map(Self::to_wire).collect() })
            }
            Self::Struct(fields) => WireType::StructType(proto::StructType {
                members: fields
                    .iter()
                    .map(|(name, inner)| proto::StructMember { name: name.clone(), r#type: Some(inner.to_wire()) })
                    .collect(),
            }),
            Self::Null => WireType::NullType(0),
        };
        proto::Type { r#type: Some(kind) }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(id) => write!(f, "{id:?}"),
            Self::Optional(inner) => write!(f, "Optional<{inner}>"),
            Self::List(inner) => write!(f, "List<{inner}>"),
            Self::Tuple(items) => {
                write!(f, "Tuple<{}>", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
            Self::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, inner)| format!("'{name}':{inner}")).collect();
                write!(f, "Struct<{}>", fields.join(","))
            }
            Self::Null => f.write_str("Null"),
        }
    }
}

impl Value {
    pub(crate) fn from_wire(of: &Type, wire: Option<&proto::Value>) -> Outcome<Self> {
        let wrong = || Failure::bad_request(format!("a value that is not of its type {of}"));
        let wire = wire.ok_or_else(wrong)?;
        match of {
            Type::Null => Ok(Self::Null),
            Type::Optional(inner) => match &wire.value {
                Some(WireValue::NullFlagValue(_)) => Ok(Self::Null),
                Some(WireValue::NestedValue(nested)) => Self::from_wire(inner, Some(nested)),
                _ => Self::from_wire(inner, Some(wire)),
            },
            Type::List(inner) => wire
                .items
                .iter()
                .map(|item| Self::from_wire(inner, Some(item)))
                .collect::<Outcome<_>>()
                .map(Self::Items),
            Type::Tuple(types) if types.len() == wire.items.len() => {
                let items = types.iter().zip(&wire.items).map(|(inner, item)| Self::from_wire(inner, Some(item)));
                items.collect::<Outcome<_>>().map(Self::Items)
            }
            Type::Struct(fields) if fields.len() == wire.items.len() => {
                let items = fields.iter().zip(&wire.items).map(|((_, inner), item)| Self::from_wire(inner, Some(item)));
                items.collect::<Outcome<_>>().map(Self::Items)
            }
            Type::Tuple(_) | Type::Struct(_) => Err(wrong()),
            Type::Primitive(id) => Self::simple_from_wire(*id, wire).ok_or_else(wrong),
        }
    }

    fn simple_from_wire(id: Primitive, wire: &proto::Value) -> Option<Self> {
        use PrimitiveTypeId as P;
        Some(match (id, wire.value.as_ref()?) {
            (P::Bool, WireValue::BoolValue(value)) => Self::Bool(*value),
            (P::Int8 | P::Int16 | P::Int32, WireValue::Int32Value(value)) => Self::Signed((*value).into()),
            (P::Int64 | P::Interval, WireValue::Int64Value(value)) => Self::Signed(*value),
            (P::Uint8 | P::Uint16 | P::Uint32 | P::Date | P::Datetime, WireValue::Uint32Value(value)) => {
                Self::Unsigned((*value).into())
            }
            (P::Uint64, WireValue::Uint64Value(value)) => Self::Unsigned(*value),
            (P::Timestamp, WireValue::Uint64Value(value)) if *value <= LAST_TIMESTAMP => Self::Unsigned(*value),
            (P::Float, WireValue::FloatValue(value)) => Self::Float(f64::from(*value).to_bits()),
            (P::Double, WireValue::DoubleValue(value)) => Self::Float(value.to_bits()),
            (P::String | P::Yson, WireValue::BytesValue(value)) => Self::Bytes(value.clone()),
            (P::Utf8, WireValue::TextValue(value)) => Self::Text(value.clone()),
            (P::Json | P::JsonDocument, WireValue::TextValue(value)) => {
                serde_json::from_str::<serde_json::Value>(value).ok()?;
                Self::Text(value.clone())
            }
            (P::Uuid, WireValue::Low128(low)) => {
                let mut bytes = [0; 16];
                let halves = low.to_le_bytes().into_iter().chain(wire.high_128.to_le_bytes());
                bytes.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
                Self::Uuid(bytes)
            }
            _ => return None,
        })
    }

    pub(crate) fn to_wire(&self, of: &Type) -> proto::Value {
        let simple = |value| proto::Value { value: Some(value), ..Default::default() };
        match (self, of) {
            (Self::Null | Self::Top, _) => simple(WireValue::NullFlagValue(0)),
            (_, Type::Optional(inner)) => self.to_wire(inner),
            (Self::Items(items), Type::List(inner)) => {
                proto::Value { items: items.iter().map(|item| item.to_wire(inner)).collect(), ..Default::default() }
            }
            (Self::Items(items), Type::Tuple(types)) => proto::Value {
                items: items.iter().zip(types).map(|(item, inner)| item.to_wire(inner)).collect(),
                ..Default::default()
            },
            (Self::Items(items), Type::Struct(fields)) => proto::Value {
                items: items.iter().zip(fields).map(|(item, (_, inner))| item.to_wire(inner)).collect(),
                ..Default::default()
            },
            (Self::Items(items), _) => proto::Value {
                items: items.iter().map(|item| item.to_wire(&Type::Null)).collect(),
                ..Default::default()
            },
            (Self::Bool(value), _) => simple(WireValue::BoolValue(*value)),
            (Self::Signed(value), Type::Primitive(Primitive::Int64 | Primitive::Interval)) => {
                simple(WireValue::Int64Value(*value))
            }
            (Self::Signed(value), _) => simple(WireValue::Int32Value(i32::try_from(*value).unwrap_or_default())),
            (Self::Unsigned(value), Type::Primitive(Primitive::Uint64 | Primitive::Timestamp)) => {
                simple(WireValue::Uint64Value(*value))
            }
            (Self::Unsigned(value), _) => simple(WireValue::Uint32Value(u32::try_from(*value).unwrap_or_default())),
            (Self::Float(bits), Type::Primitive(Primitive::Float)) => {
                simple(WireValue::FloatValue(f64::from_bits(*bits) as f32))
            }
            (Self::Float(bits), _) => simple(WireValue::DoubleValue(f64::from_bits(*bits))),
            (Self::Bytes(value), _) => simple(WireValue::BytesValue(value.clone())),
            (Self::Text(value), _) => simple(WireValue::TextValue(value.clone())),
            (Self::Uuid(bytes), _) => {
                let halves = u128::from_le_bytes(*bytes);
                let (low, high) = (halves as u64, (halves >> 64) as u64);
                proto::Value { high_128: high, value: Some(WireValue::Low128(low)), ..Default::default() }
            }
        }
    }

    /// Bytes that it takes: what the limits of keys and cells count.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Top => 0,
            Self::Bool(_) => 1,
            Self::Signed(_) | Self::Unsigned(_) | Self::Float(_) => 8,
            Self::Uuid(_) => 16,
            Self::Bytes(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
            Self::Items(items) => items.iter().map(Self::size).sum(),
        }
    }
}
