//! Values as the client library takes them.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use userd_model::Timestamp;
use userd_storage::{Kind, NEVER, StoreError, Value};

use crate::yql::{
    Type,
    batch::{Argument, Given},
};

/// The last moment that YDB has: the end of 2105. It has none before 1970 either. It stands for all that is later, which is
/// mostly what does not end.
const LAST: u64 = 4_291_747_199_999_999;

/// What a text is given.
pub(super) fn parameters(given: &[Given]) -> Result<HashMap<String, ydb::Value>, StoreError> {
    given.iter().map(|given| Ok((given.name.clone(), argument(&given.of, &given.argument)?))).collect()
}

fn argument(of: &Type, argument: &Argument) -> Result<ydb::Value, StoreError> {
    match (of, argument) {
        (of, Argument::One(value)) => one(of, value),
        (Type::Keys(kind), Argument::Keys(keys)) => {
            list(keys.iter().map(|key| one(&Type::Of(*kind), key)).collect::<Result<_, _>>()?)
        }
        (Type::Rows(columns), Argument::Rows(rows)) => {
            let row = |values: &Vec<Value>| {
                let field = |((name, of), value): (&(&str, Type), &Value)| Ok(((*name).to_owned(), one(of, value)?));
                let fields = columns.iter().zip(values).map(field).collect::<Result<Vec<_>, StoreError>>()?;
                Ok(ydb::Value::struct_from_fields(fields))
            };
            list(rows.iter().map(row).collect::<Result<_, StoreError>>()?)
        }
        _ => Err(StoreError::corrupt("a list where a value is expected, or the other way round")),
    }
}

/// The first one tells the type; there is always one.
fn list(values: Vec<ydb::Value>) -> Result<ydb::Value, StoreError> {
    let example = values.first().cloned().ok_or_else(|| StoreError::corrupt("an empty list"))?;
    ydb::Value::list_from(example, values).map_err(|_| StoreError::corrupt("a list of values of several kinds"))
}

fn one(of: &Type, value: &Value) -> Result<ydb::Value, StoreError> {
    match (of, value) {
        (Type::Limit, Value::I64(number)) => Ok(ydb::Value::Uint64(u64::try_from(*number).unwrap_or(0))),
        (Type::Of(kind), value) if value.kind() == *kind => plain(value),
        (Type::OrNull(kind), value) if value.kind() == *kind => Ok(or_null(value)),
        _ => Err(StoreError::corrupt(format!("a value of the kind {:?} where {of} is expected", value.kind()))),
    }
}

fn plain(value: &Value) -> Result<ydb::Value, StoreError> {
    or_null(value).to_option().ok_or_else(|| StoreError::corrupt("nothing where a value is expected"))
}

fn or_null(value: &Value) -> ydb::Value {
    match value {
        Value::Text(text) => Some(text.clone()).into(),
        Value::Bytes(bytes) => Some(ydb::Bytes::from(bytes.clone())).into(),
        Value::I64(number) => Some(*number).into(),
        Value::Bool(truth) => Some(*truth).into(),
        Value::Timestamp(moment) => Some(Moment::from(*moment)).into(),
        Value::Uuid(id) => Some(ydb::Bytes::from(id.as_bytes().to_vec())).into(),
        Value::Json(document) => Some(Json(document.to_string())).into(),
        Value::Null(kind) => nothing(*kind),
    }
}

/// Nothing, of a kind.
fn nothing(kind: Kind) -> ydb::Value {
    match kind {
        Kind::Text => None::<String>.into(),
        Kind::Bytes | Kind::Uuid => None::<ydb::Bytes>.into(),
        Kind::I64 => None::<i64>.into(),
        Kind::Bool => None::<bool>.into(),
        Kind::Timestamp => None::<Moment>.into(),
        Kind::Json => None::<Json>.into(),
    }
}

/// A value that came back.
pub(super) fn read(kind: Kind, value: ydb::Value) -> Result<Value, StoreError> {
    let Some(value) = value.to_option() else { return Ok(Value::Null(kind)) };
    Ok(match (kind, value) {
        (Kind::Text, ydb::Value::Text(text)) => text.into(),
        (Kind::Bytes, ydb::Value::Bytes(bytes)) => Vec::from(bytes).into(),
        (Kind::I64, ydb::Value::Int64(number)) => number.into(),
        (Kind::Bool, ydb::Value::Bool(truth)) => truth.into(),
        (Kind::Timestamp, ydb::Value::Timestamp(moment)) => Timestamp::from(Moment(moment)).into(),
        (Kind::Uuid, ydb::Value::Bytes(bytes)) => {
            let id = uuid::Uuid::from_slice(&Vec::from(bytes)).map_err(|_| StoreError::corrupt("an id is no id"))?;
            id.into()
        }
        (Kind::Json, ydb::Value::Json(text)) => {
            let parsed: serde_json::Value = serde_json::from_str(&text).map_err(|_| StoreError::corrupt("no JSON"))?;
            parsed.into()
        }
        _ => return Err(StoreError::corrupt(format!("a column is of another type than {kind:?}"))),
    })
}

/// A moment. Those that YDB does not have become the first or the last that it has, and the last one comes back as
/// [`NEVER`].
#[derive(Clone, Copy)]
struct Moment(SystemTime);

impl Default for Moment {
    fn default() -> Self {
        Self(SystemTime::UNIX_EPOCH)
    }
}

impl From<Timestamp> for Moment {
    fn from(moment: Timestamp) -> Self {
        let micros = u64::try_from(moment.micros()).unwrap_or(0).min(LAST);
        Self(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
    }
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        let since = moment.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match i64::try_from(since.as_micros()) {
            Ok(micros) if since.as_micros() < u128::from(LAST) => Self::from_micros(micros),
            _ => NEVER,
        }
    }
}

impl From<Moment> for ydb::Value {
    fn from(moment: Moment) -> Self {
        Self::Timestamp(moment.0)
    }
}

#[derive(Default)]
struct Json(String);

impl From<Json> for ydb::Value {
    fn from(document: Json) -> Self {
        // The empty text stands for the type alone; it is never sent.
        Self::Json(document.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_comes_back_so() {
        let there_and_back = |moment: Timestamp| Timestamp::from(Moment::from(moment));
        assert_eq!(there_and_back(NEVER), NEVER);
        let before = Timestamp::from_micros(4_291_747_199_999_998);
        assert_eq!(there_and_back(before), before);
        assert_eq!(there_and_back(before.plus(Duration::from_micros(1))), NEVER);
        assert_eq!(there_and_back(Timestamp::from_micros(-1)), Timestamp::from_micros(0));
    }
}
