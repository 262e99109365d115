//! Typed values between repositories and engines. No floats, no unsigned: neither survives every engine unchanged.

use userd_model::Timestamp;
use uuid::Uuid;

/// The end of what does not end: 9999-12-31. Indexes hold no nothing. An engine whose moments end before it says this of its
/// last one.
pub const NEVER: Timestamp = Timestamp::from_seconds(253_402_214_400);

/// What a column or a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text, compared bytewise.
    Text,
    /// Opaque bytes.
    Bytes,
    /// A signed 64-bit integer.
    I64,
    /// A truth value.
    Bool,
    /// Microseconds since the Unix epoch, UTC.
    Timestamp,
    /// 16 bytes.
    Uuid,
    /// A JSON document.
    Json,
}

/// One value, given to a statement or read from a row.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// See [`Kind::Text`].
    Text(String),
    /// See [`Kind::Bytes`].
    Bytes(Vec<u8>),
    /// See [`Kind::I64`].
    I64(i64),
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Timestamp`].
    Timestamp(Timestamp),
    /// See [`Kind::Uuid`].
    Uuid(Uuid),
    /// See [`Kind::Json`].
    Json(serde_json::Value),
    /// No value, of a known kind (YDB needs the kind even for nothing).
    Null(Kind),
}

impl Value {
    /// The kind of this value; a null has one too.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::I64(_) => Kind::I64,
            Self::Bool(_) => Kind::Bool,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Uuid(_) => Kind::Uuid,
            Self::Json(_) => Kind::Json,
            Self::Null(kind) => *kind,
        }
    }
}

/// Values are personal data or secrets more often than not: only the kind is ever printed.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null(kind) => write!(f, "Null({kind:?})"),
            other => write!(f, "{:?}(…)", other.kind()),
        }
    }
}

macro_rules! values {
    ($($from:ty => $variant:ident, $kind:ident, |$v:ident| $make:expr);+ $(;)?) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                Self::$variant($make)
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                value.map_or(Self::Null(Kind::$kind), Self::from)
            }
        }
    )+};
}

values! {
    &str => Text, Text, |v| v.to_owned();
    String => Text, Text, |v| v;
    &[u8] => Bytes, Bytes, |v| v.to_vec();
    Vec<u8> => Bytes, Bytes, |v| v;
    [u8; 32] => Bytes, Bytes, |v| v.to_vec();
    i64 => I64, I64, |v| v;
    bool => Bool, Bool, |v| v;
    Timestamp => Timestamp, Timestamp, |v| v;
    Uuid => Uuid, Uuid, |v| v;
    serde_json::Value => Json, Json, |v| v;
    userd_model::UserId => Uuid, Uuid, |v| v.0;
    userd_model::SessionId => Uuid, Uuid, |v| v.0;
    userd_model::TokenId => Uuid, Uuid, |v| v.0;
    userd_model::IdentityId => Uuid, Uuid, |v| v.0;
    userd_model::FactorId => Uuid, Uuid, |v| v.0;
    userd_model::GrantId => Uuid, Uuid, |v| v.0;
    userd_model::AccessRequestId => Uuid, Uuid, |v| v.0;
    userd_model::ClientId => Uuid, Uuid, |v| v.0;
    userd_model::EventId => Uuid, Uuid, |v| v.0;
    userd_model::RevocationId => Uuid, Uuid, |v| v.0;
    userd_model::NotificationId => Uuid, Uuid, |v| v.0;
    userd_model::DeliveryId => Uuid, Uuid, |v| v.0;
    userd_model::MessageId => Uuid, Uuid, |v| v.0;
    userd_model::FurtherEmailId => Uuid, Uuid, |v| v.0;
    userd_model::InvitationId => Uuid, Uuid, |v| v.0;
    userd_model::WebhookId => Uuid, Uuid, |v| v.0;
    userd_model::StreamId => Uuid, Uuid, |v| v.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_its_kind_and_nothing_of_itself() {
        for (value, kind) in [
            (Value::from("secret"), Kind::Text),
            (Value::from(b"secret".to_vec()), Kind::Bytes),
            (Value::from(7_777_777_i64), Kind::I64),
            (Value::from(true), Kind::Bool),
            (Value::from(NEVER), Kind::Timestamp),
            (Value::from(Uuid::nil()), Kind::Uuid),
            (Value::from(serde_json::json!("secret")), Kind::Json),
        ] {
            assert_eq!(value.kind(), kind);
            assert_eq!(format!("{value:?}"), format!("{kind:?}(…)"));
            assert_eq!(
                (Value::Null(kind).kind(), format!("{:?}", Value::Null(kind))),
                (kind, format!("Null({kind:?})"))
            );
        }
        assert_eq!(Value::from(None::<i64>), Value::Null(Kind::I64));
        assert_eq!(Value::from(Some(7_i64)), Value::I64(7));
    }
}
