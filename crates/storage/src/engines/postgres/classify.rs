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
        (Meaning::Said, code) => said(code, statement.name),
    }
}

/// A commit. What is lost here may have happened.
pub(super) fn commit(error: &Error) -> StoreError {
    let code = code(error);
    match (meaning(error), code) {
        (Meaning::Lost, _) | (_, "40003") => {
            StoreError::OutcomeUnknown(format!("postgres {code}: the connection was lost while committing"))
        }
        (_, "40001" | "40P01" | "55P03") => StoreError::Conflict,
        (_, code) => said(code, "commit"),
    }
}

/// A schema step. Two processes that make the same thing at once: the loser tries again and finds it there.
pub(super) fn schema(error: &Error) -> StoreError {
    match (meaning(error), code(error)) {
        (Meaning::Lost, _) => connection(error),
        (_, "40001" | "40P01" | "55P03" | "23505" | "42P07" | "42710" | "42P06" | "XX000") => StoreError::Conflict,
        (_, code) if trouble(code).is_some() => said(code, "schema"),
        (_, code @ "42501") => {
            let words = error.as_db_error().map_or("", |said| said.message());
            StoreError::Unusable(format!(
                "schema: postgres {code}: {words}; the role may not make tables: GRANT CREATE ON SCHEMA public to it, or let \
                 `userd migrate up` run as the owner of the tables"
            ))
        }
        // The text of a schema step holds no values, so the server's words may be told.
        (_, code) => {
            let words = error.as_db_error().map_or("", |said| said.message());
            StoreError::corrupt(format!("schema: postgres {code}: {words}"))
        }
    }
}

/// Why the server lets nobody in, however often it is asked, and what to do.
const NOT_MENDED_BY_TIME: [(&str, &str); 4] = [
    ("28000", "look at the user in database.url and at the server's pg_hba.conf"),
    ("28P01", "look at user and password in database.url"),
    ("3D000", "make the database, CREATE DATABASE … ENCODING 'UTF8', or look at its name in database.url"),
    ("42501", "the role may not connect to this database; GRANT CONNECT"),
];

/// The way to the server. The server's own words here name the database or the role, which the operator needs.
pub(super) fn connection(error: &Error) -> StoreError {
    let words = match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    };
    let code = code(error);
    match NOT_MENDED_BY_TIME.iter().find(|(of, _)| *of == code) {
        Some((_, advice)) => StoreError::Unusable(format!("postgres {code}: {words}; {advice}")),
        None => StoreError::Unavailable(format!("postgres {code}: {words}")),
    }
}

fn code(error: &Error) -> &str {
    error.code().map_or("-", tokio_postgres::error::SqlState::code)
}

/// What the server said about `what`, with what it means and what to do.
fn said(code: &str, what: &str) -> StoreError {
    let told = |meaning: &str| format!("{what}: postgres {code}: {meaning}");
    match code {
        "42P01" | "42703" | "3F000" => StoreError::NoSchema(told(
            "a table or column is not there; `userd migrate status` tells what the schema lacks",
        )),
        "42501" => StoreError::Unusable(told("the role may not do this; grant it SELECT, INSERT, UPDATE and DELETE")),
        "XX001" | "XX002" => {
            StoreError::Unusable(told("the server says that its data is damaged; its log tells where"))
        }
        _ => match trouble(code) {
            Some(meaning) => StoreError::Unavailable(told(meaning)),
            None => StoreError::corrupt(told("an error of the program or of its tables; please report it")),
        },
    }
}

/// Not enough of something, cancelled, or standing in the way: nothing happened, later it may work.
fn trouble(code: &str) -> Option<&'static str> {
    Some(match code {
        "53100" => "the server's disk is full; free some space",
        "53200" => "the server has no memory left",
        "53300" => "too many connections; raise the server's max_connections or lower database.pool_size",
        "57014" => "the server was told to stop this statement (statement_timeout, or an administrator)",
        "57000" | "55006" => "something stands in the way; try again",
        code if code.starts_with("53") => "the server has not enough of something; its log tells more",
        code if code.starts_with("58") => "the server's disk does not read or write; its log tells more",
        _ => return None,
    })
}
