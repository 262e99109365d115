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

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::Kind;

    static ANY: Statement = Statement {
        name: "users.any",
        sql: "SELECT id FROM users",
        parameters: &[],
        columns: &[Kind::Uuid],
        declared: None,
        numbered: OnceLock::new(),
    };

    fn failure(code: i32, words: &str) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), Some(words.to_owned()))
    }

    fn of(code: i32, words: &str) -> StoreError {
        statement(&failure(code, words), &ANY, "/data/userd.db")
    }

    #[test]
    fn what_stands_in_the_way_is_unavailable_and_says_what_to_do() {
        for (code, advice) in [
            (ffi::SQLITE_FULL, "free some space"),
            (ffi::SQLITE_IOERR, "input/output error"),
            (ffi::SQLITE_IOERR_WRITE, "input/output error"),
            (ffi::SQLITE_CANTOPEN, "is it there"),
            (ffi::SQLITE_PERM, "it cannot be written"),
            (ffi::SQLITE_READONLY, "it cannot be written"),
            (ffi::SQLITE_AUTH, "it cannot be written"),
            (ffi::SQLITE_NOMEM, "no memory left"),
            (ffi::SQLITE_INTERRUPT, "try again"),
            (ffi::SQLITE_ABORT, "try again"),
            (ffi::SQLITE_PROTOCOL, "cannot lock"),
            (ffi::SQLITE_NOLFS, "no file of this size"),
        ] {
            let StoreError::Unavailable(told) = of(code, "a value") else { panic!("{code}") };
            assert!(told.contains(advice), "{told}");
            assert!(told.starts_with(&format!("users.any: sqlite {code} at /data/userd.db: ")), "{told}");
            assert!(!told.contains("a value"), "{told}");
        }
    }

    #[test]
    fn who_lost_against_another_runs_again() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED] {
            assert!(matches!(of(code, ""), StoreError::Conflict), "{code}");
        }
    }

    #[test]
    fn only_a_key_that_is_there_is_a_duplicate() {
        for code in [ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_ROWID] {
            assert!(matches!(of(code, ""), StoreError::Duplicate(Duplicate::Key("users"))), "{code}");
        }
        for code in [ffi::SQLITE_CONSTRAINT, ffi::SQLITE_CONSTRAINT_CHECK, ffi::SQLITE_CONSTRAINT_NOTNULL] {
            assert!(matches!(of(code, ""), StoreError::Corrupt(_)), "{code}");
        }
    }

    #[test]
    fn a_damaged_file_and_one_that_is_none_are_told_apart() {
        let StoreError::Unusable(told) = of(ffi::SQLITE_CORRUPT, "") else { panic!("damaged") };
        assert!(told.contains("the file is damaged"), "{told}");
        let StoreError::Unusable(told) = of(ffi::SQLITE_NOTADB, "") else { panic!("no database") };
        assert!(told.contains("is the path right"), "{told}");
    }

    #[test]
    fn a_table_or_column_that_is_not_there_is_no_bug() {
        for words in ["no such table: users in \"SELECT id\"", "table users has no column named id"] {
            let StoreError::NoSchema(told) = of(ffi::SQLITE_ERROR, words) else { panic!("{words}") };
            assert!(told.contains("users") && !told.contains("SELECT"), "{told}");
        }
        assert!(matches!(of(ffi::SQLITE_ERROR, "near \"SELEC\": syntax error"), StoreError::Corrupt(_)));
        assert!(matches!(of(ffi::SQLITE_MISUSE, "no such table: users"), StoreError::Corrupt(_)));
        assert!(matches!(statement(&Error::QueryReturnedNoRows, &ANY, "here"), StoreError::Corrupt(_)));
    }
}
