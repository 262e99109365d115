//! What an error means. Only SQLSTATEs and the statement's name are told, never the server's text: its details quote
//! keys and values.

use std::error::Error as _;

use tokio_postgres::Error;

use crate::{Duplicate, Statement, StoreError};

/// Where a statement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The connection is gone or the server is going; nothing was committed.
    Lost,
    /// The server has forgotten a prepared statement or the shape it had: another connection, another try.
    Forgotten,
    /// What the SQLSTATE says.
    Said,
}

pub(super) fn meaning(error: &Error) -> Meaning {
    match error.code().map(tokio_postgres::error::SqlState::code) {
        None => {
            // No SQLSTATE: the connection, or a value that does not fit its parameter.
            if is_ours(error) { Meaning::Said } else { Meaning::Lost }
        }
        Some("57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25006") => Meaning::Lost,
        Some(code) if code.starts_with("08") => Meaning::Lost,
        Some("26000" | "0A000" | "42P05") => Meaning::Forgotten,
        Some(_) => Meaning::Said,
    }
}

/// An error made on this side, before anything was sent.
fn is_ours(error: &Error) -> bool {
    let text = error.to_string();
    text.starts_with("error serializing parameter")
        || text.starts_with("error deserializing column")
        || text.starts_with("invalid column")
        || text.starts_with("expected ")
}

/// A statement in a transaction or outside of one.
pub(super) fn statement(error: &Error, statement: &'static Statement) -> StoreError {
    match (meaning(error), code(error)) {
        (Meaning::Lost, _) => connection(error),
        (Meaning::Forgotten, code) => {
            tracing::warn!(
                code,
                statement = statement.name,
                "postgres: a prepared statement is gone; behind a pooler in transaction mode set database.statement_cache: false"
            );
            StoreError::Conflict
        }
        (Meaning::Said, "40001" | "40P01" | "55P03") => StoreError::Conflict,
        (Meaning::Said, "23505") => StoreError::Duplicate(Duplicate::Key(statement.table())),
        (Meaning::Said, code) if is_trouble(code) => {
            StoreError::Unavailable(format!("{}: postgres {code}", statement.name))
        }
        (Meaning::Said, code) => StoreError::corrupt(format!("{}: postgres {code}", statement.name)),
    }
}

/// A commit. What is lost here may have happened.
pub(super) fn commit(error: &Error) -> StoreError {
    let code = code(error);
    match (meaning(error), code) {
        (Meaning::Lost, _) | (_, "40003") => StoreError::OutcomeUnknown(format!("postgres {code} while committing")),
        (_, "40001" | "40P01" | "55P03") => StoreError::Conflict,
        (_, code) if is_trouble(code) => StoreError::Unavailable(format!("commit: postgres {code}")),
        (_, code) => StoreError::corrupt(format!("commit: postgres {code}")),
    }
}

/// A schema step. Two processes that make the same thing at once: the loser tries again and finds it there.
pub(super) fn schema(error: &Error) -> StoreError {
    match (meaning(error), code(error)) {
        (Meaning::Lost, _) => connection(error),
        (_, "40001" | "40P01" | "55P03" | "23505" | "42P07" | "42710" | "42P06" | "XX000") => StoreError::Conflict,
        (_, code) if is_trouble(code) => StoreError::Unavailable(format!("schema: postgres {code}")),
        // The text of a schema step holds no values, so the server's words may be told.
        (_, code) => {
            let words = error.as_db_error().map_or("", |said| said.message());
            StoreError::corrupt(format!("schema: postgres {code}: {words}"))
        }
    }
}

/// The way to the server. The server's own words here name the database or the role, which the operator needs.
pub(super) fn connection(error: &Error) -> StoreError {
    let words = match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    };
    StoreError::Unavailable(format!("postgres {}: {words}", code(error)))
}

fn code(error: &Error) -> &str {
    error.code().map_or("-", tokio_postgres::error::SqlState::code)
}

/// Not enough of something, cancelled, or standing in the way: nothing happened, later it may work.
fn is_trouble(code: &str) -> bool {
    code.starts_with("53") || code.starts_with("58") || matches!(code, "57014" | "55006" | "57000")
}
