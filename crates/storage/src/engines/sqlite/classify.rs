//! What SQLite's result codes mean, in words for whoever has to act. Errors never carry values, only the statement's name,
//! the file, and what to do.

use rusqlite::{
    Connection, Error, ErrorCode,
    ffi::{self, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE},
};

use crate::{Duplicate, Statement, StoreError};

/// Where a connection's data is.
pub(super) fn place(connection: &Connection) -> &str {
    connection.path().filter(|path| !path.is_empty()).unwrap_or("the database in memory")
}

/// A statement's failure.
pub(super) fn statement(error: &Error, statement: &'static Statement, place: &str) -> StoreError {
    match said(error) {
        Some((code, _))
            if matches!(
                code.extended_code,
                SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_ROWID
            ) =>
        {
            StoreError::Duplicate(Duplicate::Key(statement.table()))
        }
        _ => code(error, statement.name, place),
    }
}

/// What a result code means, for the statement or step called `what`.
pub(super) fn code(error: &Error, what: &str, place: &str) -> StoreError {
    let Some((code, words)) = said(error) else {
        return StoreError::corrupt(format!("{what}: wrong use of sqlite"));
    };
    let number = code.extended_code;
    let told = |meaning: &str| format!("{what}: sqlite {number} at {place}: {meaning}");
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Conflict,
        ErrorCode::DatabaseCorrupt => StoreError::Unusable(told(
            "the file is damaged; stop the service and put a backup in its place with `userd restore`, which keeps the file",
        )),
        ErrorCode::NotADatabase => StoreError::Unusable(told(
            "this is no SQLite database, or its first page is damaged; is the path right? If so, `userd restore` puts a \
             backup in its place",
        )),
        // The words name a table or a column of ours.
        ErrorCode::Unknown if words.starts_with("no such ") || words.contains("has no column") => {
            let table = words.split(" in ").next().unwrap_or_default();
            StoreError::NoSchema(told(&format!("{table}; `userd migrate status` tells what the schema lacks")))
        }
        other => match trouble(other) {
            Some(meaning) => StoreError::Unavailable(told(meaning)),
            None => StoreError::corrupt(told("an error of the program or of its tables; please report it")),
        },
    }
}

/// What stands in the way of everything, and what to do about it.
const fn trouble(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::DiskFull => "the disk is full; free some space",
        ErrorCode::SystemIoFailure => {
            "the disk does not read or write (input/output error); the system's log tells more"
        }
        ErrorCode::CannotOpen => "the file cannot be opened; is it there, and may this user use it and its folder?",
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied => {
            "it cannot be written; may this user write the file and its folder, and is the disk mounted for writing?"
        }
        ErrorCode::OutOfMemory => "there is no memory left; give the process more",
        ErrorCode::OperationInterrupted | ErrorCode::OperationAborted => "it was broken off; try again",
        ErrorCode::FileLockingProtocolFailed => "the file system cannot lock; put the file on a local disk",
        ErrorCode::NoLargeFileSupport => "the file system takes no file of this size; put the file on another one",
        _ => return None,
    })
}

/// SQLite's own code and words.
fn said(error: &Error) -> Option<(ffi::Error, &str)> {
    match error {
        Error::SqliteFailure(code, words) => Some((*code, words.as_deref().unwrap_or_default())),
        Error::SqlInputError { error, msg, .. } => Some((*error, msg)),
        _ => None,
    }
}
