//! What an error means. Only codes and the statement's name are told, never the server's text: it quotes keys and values.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use userd_storage::{Duplicate, Statement, StoreError};
use ydb::{YdbError, YdbIssue};

/// A key that is there already.
const CONSTRAINT_VIOLATED: u32 = 2012;
/// A table that is not there.
const NO_TABLE: u32 = 2003;

/// What an error says about what was asked, outside of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing happened; asked again it may work at once.
    Again,
    /// Nothing happened; the database has too much to do.
    Slower,
    /// The way there is gone.
    Lost,
    /// Only the database knows, or it took too long.
    Unknown,
    /// A key is taken.
    Duplicate,
    /// A table or column is not there.
    NoSchema,
    /// This login may not.
    Forbidden,
    /// A mistake of ours.
    Wrong,
}

pub(super) fn meaning(error: &YdbError) -> Meaning {
    match error {
        YdbError::YdbStatusError(status) => match status.operation_status {
            // ABORTED, UNAVAILABLE; BAD_SESSION, SESSION_EXPIRED, SESSION_BUSY; NOT_FOUND: the transaction is gone.
            400_040 | 400_050 | 400_100 | 400_150 | 400_190 | 400_140 => Meaning::Again,
            400_060 => Meaning::Slower,
            400_120 if has(&status.issues, CONSTRAINT_VIOLATED) => Meaning::Duplicate,
            // TIMEOUT, CANCELLED, UNDETERMINED
            400_090 | 400_160 | 400_170 => Meaning::Unknown,
            400_070 => Meaning::NoSchema,
            _ if has(&status.issues, NO_TABLE) => Meaning::NoSchema,
            400_020 => Meaning::Forbidden,
            _ => Meaning::Wrong,
        },
        YdbError::TransportGRPCStatus(status) => match i32::from(status.code()) {
            // PERMISSION_DENIED, UNAUTHENTICATED
            7 | 16 => Meaning::Forbidden,
            // RESOURCE_EXHAUSTED
            8 => Meaning::Slower,
            _ => Meaning::Lost,
        },
        YdbError::TransportDial(_) | YdbError::Transport(_) | YdbError::DeadlineExceeded => Meaning::Lost,
        _ => Meaning::Wrong,
    }
}

fn has(issues: &[YdbIssue], code: u32) -> bool {
    issues.iter().any(|issue| issue.issue_code == code || has(&issue.issues, code))
}

/// Statements of a transaction that has not been told to commit: nothing lasts. `attempt` is that of the unit of work,
/// which is not run again for ever where the way there is gone or the database has too much to do.
pub(super) fn statements(error: &YdbError, of: &[&'static Statement], attempt: u32) -> StoreError {
    let name = name(of);
    match meaning(error) {
        Meaning::Again => StoreError::Conflict,
        Meaning::Slower | Meaning::Lost if attempt < PATIENCE => StoreError::Conflict,
        // Without its commit it has certainly not happened.
        Meaning::Unknown if code(error) == "400170" => StoreError::Conflict,
        Meaning::Duplicate => StoreError::Duplicate(Duplicate::Key(taken(error, of))),
        meaning => said(error, meaning, name),
    }
}

/// Attempts of a unit of work that go on after the way there was lost or the database was overloaded.
pub(super) const PATIENCE: u32 = 3;

/// A commit, alone or with the last writes.
pub(super) fn commit(error: &YdbError, of: &[&'static Statement]) -> StoreError {
    match meaning(error) {
        Meaning::Again | Meaning::Slower => StoreError::Conflict,
        Meaning::Unknown | Meaning::Lost => {
            StoreError::OutcomeUnknown(format!("ydb {}: no answer to the commit", code(error)))
        }
        Meaning::Duplicate => StoreError::Duplicate(Duplicate::Key(taken(error, of))),
        meaning => said(error, meaning, name(of)),
    }
}

/// A read outside of transactions, asked often enough.
pub(super) fn read(error: &YdbError, name: &'static str) -> StoreError {
    said(error, meaning(error), name)
}

/// The way to the database. No value is in such an error, so the library's words may be told.
pub(super) fn connection(error: &YdbError) -> StoreError {
    match (meaning(error), error) {
        (Meaning::Forbidden, _) => said(error, Meaning::Forbidden, "connecting"),
        (_, YdbError::YdbStatusError(_)) => StoreError::Unavailable(format!("ydb {}", code(error))),
        (_, YdbError::TransportGRPCStatus(status)) => {
            StoreError::Unavailable(format!("ydb {}: {}", code(error), status.message()))
        }
        (_, YdbError::Custom(words) | YdbError::Transport(words)) => StoreError::Unavailable(format!("ydb: {words}")),
        _ => StoreError::Unavailable(format!("ydb {}: the database cannot be reached", code(error))),
    }
}

/// A schema step. The text of a step holds no values, so the server's words may be told.
pub(super) fn schema(error: &YdbError) -> StoreError {
    match (meaning(error), error) {
        (Meaning::Again | Meaning::Slower | Meaning::Unknown, _) => StoreError::Conflict,
        (Meaning::Lost, _) => connection(error),
        (Meaning::Forbidden, _) => said(error, Meaning::Forbidden, "schema"),
        (_, YdbError::YdbStatusError(status)) => {
            let mut words = Vec::new();
            gather(&status.issues, &mut words);
            StoreError::corrupt(format!("schema: ydb {}: {}", code(error), words.join("; ")))
        }
        _ => StoreError::corrupt(format!("schema: ydb {}", code(error))),
    }
}

fn gather(issues: &[YdbIssue], words: &mut Vec<String>) {
    for issue in issues {
        words.push(issue.message.clone());
        gather(&issue.issues, words);
    }
}

fn said(error: &YdbError, meaning: Meaning, what: &str) -> StoreError {
    let told = |meaning: &str| format!("{what}: ydb {}: {meaning}", code(error));
    match meaning {
        Meaning::NoSchema => StoreError::NoSchema(told(
            "a table or column is not there; `userd migrate status` tells what the schema lacks",
        )),
        Meaning::Forbidden => StoreError::Unusable(told("the login may not do this; look at its token and its rights")),
        Meaning::Slower => StoreError::Unavailable(told("the database has too much to do")),
        Meaning::Lost => StoreError::Unavailable(told("the way to the database is gone")),
        Meaning::Again | Meaning::Unknown => StoreError::Unavailable(told("the database did not come to an answer")),
        Meaning::Duplicate | Meaning::Wrong => {
            StoreError::corrupt(told("an error of the program or of its tables; please report it"))
        }
    }
}

fn name(of: &[&'static Statement]) -> &'static str {
    of.first().map_or("commit", |statement| statement.name)
}

/// Whose key it is. The server names the table; where it does not, it is the only one that rows were added to, or the first.
fn taken(error: &YdbError, of: &[&'static Statement]) -> &'static str {
    let mut words = Vec::new();
    if let YdbError::YdbStatusError(status) = error {
        gather(&status.issues, &mut words);
    }
    let adding = || of.iter().filter(|statement| statement.sql.trim_start().starts_with("INSERT"));
    let named = |table: &str| words.iter().any(|word| word.contains(&format!("/{table}`")));
    let found = adding().find(|statement| named(statement.table())).or_else(|| adding().next());
    found.or(of.first()).map_or("", |statement| statement.table())
}

/// The code of the database or of gRPC; `-` where there is none.
pub(super) fn code(error: &YdbError) -> String {
    match error {
        YdbError::YdbStatusError(status) => status.operation_status.to_string(),
        YdbError::TransportGRPCStatus(status) => format!("grpc {}", i32::from(status.code())),
        _ => "-".to_owned(),
    }
}

/// Anything between nothing and `bound`, so that two that were refused together do not come back together.
pub(super) fn spread(bound: Duration) -> Duration {
    let drawn = RandomState::new().hash_one(0_u8);
    bound.mul_f64(f64::from(u32::try_from(drawn >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX))
}
