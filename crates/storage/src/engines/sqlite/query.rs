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
#[derive(Clone, Copy, Debug)]
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
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => CommitFault::Conflict,
            Some(ErrorCode::SystemIoFailure) => CommitFault::Unknown,
            _ => CommitFault::Unavailable,
        }
    })
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
