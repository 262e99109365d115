//! Statements and values of SQLite.

use rusqlite::{
    Connection, ErrorCode, ToSql,
    types::{ToSqlOutput, Value as Owned, ValueRef},
};
use userd_model::Timestamp;
use uuid::Uuid;

use super::classify::{self, place};
use crate::{Kind, Row, Rows, Statement, StoreError, Value};

/// What a batch's COMMIT came to. `Copy`, because each member of the batch gets it.
pub(super) type Verdict = Result<(), CommitFault>;

/// Why a batch was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitFault {
    Conflict,
    Unavailable,
    /// The fsync failed: the commit may or may not be in the log after a crash.
    Unknown,
}

impl From<CommitFault> for StoreError {
    fn from(fault: CommitFault) -> Self {
        match fault {
            CommitFault::Conflict => Self::Conflict,
            CommitFault::Unavailable => {
                Self::Unavailable("sqlite: the batch was rolled back; the log says why".to_owned())
            }
            CommitFault::Unknown => Self::OutcomeUnknown("sqlite: input/output error while committing".to_owned()),
        }
    }
}

/// Runs one statement.
pub(super) fn run(
    connection: &Connection,
    statement: &'static Statement,
    values: &[Value],
) -> Result<Rows, StoreError> {
    let fault = |error| classify::statement(&error, statement, place(connection));
    let mut prepared = connection.prepare_cached(statement.numbered_text()).map_err(fault)?;
    for (index, value) in values.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, value).map_err(fault)?;
    }
    let mut answer = Rows::new();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(fault)? {
        let mut read = Vec::with_capacity(statement.columns.len());
        for (index, kind) in statement.columns.iter().enumerate() {
            let cell = row.get_ref(index).map_err(fault)?;
            read.push(
                value_of(cell, *kind).ok_or_else(|| {
                    StoreError::corrupt(format!("{}: column {index} is not {kind:?}", statement.name))
                })?,
            );
        }
        answer.push(Row(read));
    }
    Ok(answer)
}

/// Runs one of the constant statements that steer transactions.
pub(super) fn control(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    let run = || connection.prepare_cached(sql)?.raw_execute();
    run().map(drop).map_err(|error| classify::code(&error, sql, place(connection)))
}

/// COMMIT, with what its failure means for everybody in the batch.
pub(super) fn commit(connection: &Connection) -> Verdict {
    let run = || connection.prepare_cached("COMMIT")?.raw_execute();
    run().map(drop).map_err(|error| {
        tracing::error!(cause = %classify::code(&error, "COMMIT", place(connection)), "sqlite: nothing was committed");
        fault_of(error.sqlite_error_code())
    })
}

/// What the code of a COMMIT that failed means.
const fn fault_of(code: Option<ErrorCode>) -> CommitFault {
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => CommitFault::Conflict,
        Some(ErrorCode::SystemIoFailure) => CommitFault::Unknown,
        _ => CommitFault::Unavailable,
    }
}

/// One schema statement. A column that is there already is one that the step added before it could be recorded: SQLite has
/// no `ADD COLUMN IF NOT EXISTS`.
pub(super) fn schema(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let done = connection.execute_batch(sql);
    if sql.starts_with("ALTER TABLE") && done.as_ref().is_err_and(is_duplicate_column) {
        return Ok(());
    }
    done.map_err(|error| {
        // The text of a schema step holds no values, so SQLite's message may be told.
        match classify::code(&error, "schema", place(connection)) {
            StoreError::Corrupt(_) => StoreError::corrupt(format!("schema: {error}")),
            other => other,
        }
    })
}

fn is_duplicate_column(error: &rusqlite::Error) -> bool {
    error.to_string().contains("duplicate column name")
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::I64(number) => ToSqlOutput::Owned(Owned::Integer(*number)),
            Self::Bool(truth) => ToSqlOutput::Owned(Owned::Integer(i64::from(*truth))),
            Self::Timestamp(moment) => ToSqlOutput::Owned(Owned::Integer(moment.micros())),
            Self::Uuid(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Self::Json(document) => ToSqlOutput::Owned(Owned::Text(document.to_string())),
            Self::Null(_) => ToSqlOutput::Owned(Owned::Null),
        })
    }
}

fn value_of(cell: ValueRef<'_>, kind: Kind) -> Option<Value> {
    Some(match (kind, cell) {
        (kind, ValueRef::Null) => Value::Null(kind),
        (Kind::Text, ValueRef::Text(text)) => Value::Text(std::str::from_utf8(text).ok()?.to_owned()),
        (Kind::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Kind::I64, ValueRef::Integer(number)) => Value::I64(number),
        (Kind::Bool, ValueRef::Integer(number @ 0..=1)) => Value::Bool(number == 1),
        (Kind::Timestamp, ValueRef::Integer(micros)) => Value::Timestamp(Timestamp::from_micros(micros)),
        (Kind::Uuid, ValueRef::Blob(bytes)) => Value::Uuid(Uuid::from_slice(bytes).ok()?),
        (Kind::Json, ValueRef::Text(text)) => Value::Json(serde_json::from_slice(text).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only of an input/output error nobody knows what it left.
    #[test]
    fn a_commit_that_failed_happened_not_or_perhaps() {
        for (code, fault) in [
            (Some(ErrorCode::DatabaseBusy), CommitFault::Conflict),
            (Some(ErrorCode::DatabaseLocked), CommitFault::Conflict),
            (Some(ErrorCode::SystemIoFailure), CommitFault::Unknown),
            (Some(ErrorCode::DiskFull), CommitFault::Unavailable),
            (Some(ErrorCode::ConstraintViolation), CommitFault::Unavailable),
            (None, CommitFault::Unavailable),
        ] {
            assert_eq!(fault_of(code), fault, "{code:?}");
        }
        assert!(matches!(CommitFault::Conflict.into(), StoreError::Conflict));
        assert!(matches!(CommitFault::Unavailable.into(), StoreError::Unavailable(_)));
        assert!(matches!(CommitFault::Unknown.into(), StoreError::OutcomeUnknown(_)));
    }

    #[test]
    fn a_cell_is_of_its_kind_or_none() {
        let moment = Timestamp::from_micros(7);
        for (kind, cell, value) in [
            (Kind::Text, ValueRef::Text(b"a"), Some(Value::Text("a".to_owned()))),
            (Kind::Text, ValueRef::Text(b"\xff"), None),
            (Kind::Text, ValueRef::Blob(b"a"), None),
            (Kind::Bytes, ValueRef::Blob(b"a"), Some(Value::Bytes(vec![b'a']))),
            (Kind::Bytes, ValueRef::Text(b"a"), None),
            (Kind::I64, ValueRef::Integer(-7), Some(Value::I64(-7))),
            (Kind::I64, ValueRef::Real(7.0), None),
            (Kind::Bool, ValueRef::Integer(0), Some(Value::Bool(false))),
            (Kind::Bool, ValueRef::Integer(1), Some(Value::Bool(true))),
            (Kind::Bool, ValueRef::Integer(2), None),
            (Kind::Bool, ValueRef::Integer(-1), None),
            (Kind::Timestamp, ValueRef::Integer(7), Some(Value::Timestamp(moment))),
            (Kind::Uuid, ValueRef::Blob(&[0; 16]), Some(Value::Uuid(Uuid::nil()))),
            (Kind::Uuid, ValueRef::Blob(&[0; 15]), None),
            (Kind::Json, ValueRef::Text(b"[1]"), Some(Value::Json(serde_json::json!([1])))),
            (Kind::Json, ValueRef::Text(b"[1"), None),
            (Kind::Json, ValueRef::Null, Some(Value::Null(Kind::Json))),
        ] {
            assert!(value_of(cell, kind) == value, "{kind:?} of {cell:?}");
        }
    }

    /// SQLite has no `ADD COLUMN IF NOT EXISTS`; of everything else that is there already it is told.
    #[test]
    fn only_a_column_that_is_there_already_is_no_failure() {
        let connection = Connection::open_in_memory().unwrap();
        schema(&connection, "CREATE TABLE t (a INTEGER)").unwrap();
        for _ in 0..2 {
            schema(&connection, "ALTER TABLE t ADD COLUMN b INTEGER").unwrap();
        }
        for wrong in ["CREATE TABLE t (a INTEGER)", "ALTER TABLE t ADD COLUMN", "CREATE TABLE u (a, a)"] {
            let refused = schema(&connection, wrong);
            assert!(
                matches!(&refused, Err(StoreError::Corrupt(words)) if words.starts_with("schema: ")),
                "{refused:?}"
            );
        }
        let gone = schema(&connection, "ALTER TABLE nowhere ADD COLUMN b INTEGER");
        assert!(matches!(gone, Err(StoreError::NoSchema(_))), "{gone:?}");
    }
}
