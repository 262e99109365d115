//! Values on the wire, in PostgreSQL's binary format. Nothing is left to the driver's guesses: kinds and types are
//! one to one.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use futures_util::TryStreamExt;
use tokio_postgres::{
    RowStream,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};
use userd_model::Timestamp;
use uuid::Uuid;

use crate::{Kind, Row, Rows, Statement, StoreError, Value};

/// 2000-01-01T00:00:00Z, PostgreSQL's epoch, in microseconds of ours.
const EPOCH: i64 = 946_684_800_000_000;

pub(super) const fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::I64 => Type::INT8,
        Kind::Bool => Type::BOOL,
        Kind::Timestamp => Type::TIMESTAMPTZ,
        Kind::Uuid => Type::UUID,
        Kind::Json => Type::JSONB,
    }
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        if *ty != type_of(self.kind()) {
            return Err(format!("a {:?} where the statement wants {ty}", self.kind()).into());
        }
        match self {
            Self::Null(_) => return Ok(IsNull::Yes),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Bytes(bytes) => out.put_slice(bytes),
            Self::I64(number) => out.put_i64(*number),
            Self::Bool(truth) => out.put_u8(u8::from(*truth)),
            Self::Timestamp(moment) => {
                out.put_i64(moment.micros().checked_sub(EPOCH).ok_or("a moment before all of PostgreSQL's")?);
            }
            Self::Uuid(id) => out.put_slice(id.as_bytes()),
            Self::Json(document) => {
                // The format's version; the text follows.
                out.put_u8(1);
                serde_json::to_writer(out.writer(), document)?;
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A cell as it came.
struct Cell<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// All rows of an answer.
pub(super) async fn collect(
    stream: RowStream,
    statement: &'static Statement,
) -> Result<Result<Rows, StoreError>, tokio_postgres::Error> {
    let mut stream = std::pin::pin!(stream);
    let mut rows = Rows::new();
    while let Some(row) = stream.try_next().await? {
        match read(&row, statement) {
            Ok(row) => rows.push(row),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(rows))
}

fn read(row: &tokio_postgres::Row, statement: &'static Statement) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(statement.columns.len());
    for (index, kind) in statement.columns.iter().enumerate() {
        let cell = row.columns().get(index).and_then(|column| {
            let Cell(raw) = row.try_get(index).ok()?;
            raw.map_or(Some(Value::Null(*kind)), |raw| value_of(*kind, column.type_(), raw))
        });
        values.push(
            cell.ok_or_else(|| StoreError::corrupt(format!("{}: column {index} is not {kind:?}", statement.name)))?,
        );
    }
    Ok(Row(values))
}

fn value_of(kind: Kind, ty: &Type, raw: &[u8]) -> Option<Value> {
    Some(match kind {
        Kind::Text if matches!(*ty, Type::TEXT | Type::VARCHAR) => {
            Value::Text(std::str::from_utf8(raw).ok()?.to_owned())
        }
        Kind::Bytes if *ty == Type::BYTEA => Value::Bytes(raw.to_vec()),
        Kind::I64 if *ty == Type::INT8 => Value::I64(i64::from_be_bytes(raw.try_into().ok()?)),
        Kind::Bool if *ty == Type::BOOL => Value::Bool(*raw.first()? != 0),
        Kind::Timestamp if *ty == Type::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(raw.try_into().ok()?);
            Value::Timestamp(Timestamp::from_micros(micros.checked_add(EPOCH)?))
        }
        Kind::Uuid if *ty == Type::UUID => Value::Uuid(Uuid::from_slice(raw).ok()?),
        Kind::Json if *ty == Type::JSONB => {
            let (version, text) = raw.split_first()?;
            (*version == 1).then(|| serde_json::from_slice(text).ok()).flatten().map(Value::Json)?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_of_its_kind_and_type_or_none() {
        let moment = Timestamp::from_seconds(946_684_801);
        let second = 1_000_000_i64.to_be_bytes();
        for (kind, ty, raw, value) in [
            (Kind::Text, Type::TEXT, &b"a"[..], Some(Value::Text("a".to_owned()))),
            (Kind::Text, Type::VARCHAR, b"a", Some(Value::Text("a".to_owned()))),
            (Kind::Text, Type::NAME, b"a", None),
            (Kind::Text, Type::TEXT, b"\xff", None),
            (Kind::Bytes, Type::BYTEA, b"a", Some(Value::Bytes(vec![b'a']))),
            (Kind::Bytes, Type::TEXT, b"a", None),
            (Kind::I64, Type::INT8, &second, Some(Value::I64(1_000_000))),
            (Kind::I64, Type::INT4, &second[..4], None),
            (Kind::I64, Type::INT8, &second[..4], None),
            (Kind::I64, Type::TIMESTAMPTZ, &second, None),
            (Kind::Bool, Type::BOOL, &[0], Some(Value::Bool(false))),
            (Kind::Bool, Type::BOOL, &[1], Some(Value::Bool(true))),
            (Kind::Bool, Type::BOOL, &[], None),
            (Kind::Bool, Type::INT8, &[1], None),
            (Kind::Timestamp, Type::TIMESTAMPTZ, &second, Some(Value::Timestamp(moment))),
            (Kind::Timestamp, Type::TIMESTAMP, &second, None),
            (Kind::Timestamp, Type::TIMESTAMPTZ, &i64::MAX.to_be_bytes(), None),
            (Kind::Uuid, Type::UUID, &[0; 16], Some(Value::Uuid(Uuid::nil()))),
            (Kind::Uuid, Type::BYTEA, &[0; 16], None),
            (Kind::Json, Type::JSONB, b"\x01[1]", Some(Value::Json(serde_json::json!([1])))),
            (Kind::Json, Type::JSONB, b"\x02[1]", None),
            (Kind::Json, Type::JSON, b"\x01[1]", None),
        ] {
            assert!(value_of(kind, &ty, raw) == value, "{kind:?} of {ty} {raw:?}");
        }
    }

    #[test]
    fn a_value_goes_where_the_statement_wants_its_kind_and_nowhere_else() {
        let mut out = BytesMut::new();
        assert!(Value::from(7_i64).to_sql(&Type::TEXT, &mut out).is_err());
        assert!(Value::Null(Kind::Uuid).to_sql(&Type::TEXT, &mut out).is_err());
        assert!(Value::from(Timestamp::from_micros(i64::MIN)).to_sql(&Type::TIMESTAMPTZ, &mut out).is_err());
        assert!(out.is_empty(), "nothing is sent");
        assert!(matches!(Value::Null(Kind::Text).to_sql(&Type::TEXT, &mut out), Ok(IsNull::Yes)));
        assert!(matches!(Value::from(EPOCH_PLUS_ONE).to_sql(&Type::TIMESTAMPTZ, &mut out), Ok(IsNull::No)));
        assert_eq!(out[..], 1_i64.to_be_bytes());
    }

    const EPOCH_PLUS_ONE: Timestamp = Timestamp::from_micros(EPOCH + 1);
}
