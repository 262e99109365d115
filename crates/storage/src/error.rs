//! What can go wrong in storage, as few kinds as callers act on.

use userd_model::Refusal;

/// Which unique thing was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// The primary key of the named table (the statement's name before the dot).
    Key(&'static str),
}

/// A fault of the database or of the way to it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The transaction lost against another one (40001, busy, lock conflict). Nothing happened; run it again.
    #[error("conflict with a concurrent transaction")]
    Conflict,
    /// A row with this key exists.
    #[error("duplicate {0:?}")]
    Duplicate(Duplicate),
    /// The database cannot be reached or refuses work now. Nothing happened.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The connection was lost during commit: it may or may not have happened. Never re-run silently.
    #[error("outcome of the commit unknown: {0}")]
    OutcomeUnknown(String),
    /// A table or column is not there: the schema was never made here, or was taken away. Nothing happened.
    #[error("the database lacks what this program needs: {0}")]
    NoSchema(String),
    /// What answers cannot serve as it is: damaged, another one than expected, closed to this role. Nothing happened, and
    /// somebody has to look; until then it is as good as away.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
    /// What was read makes no sense, or a statement is wrong: a bug, or rows that nobody here wrote.
    #[error("corrupt: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Shorthand for [`StoreError::Corrupt`].
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

/// How a unit of work ends when it does not commit: the rules said no, or storage failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A rule said no; the caller may know.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Storage failed; the caller learns only "try later".
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another fault inside (cryptography, a provider); logged once at the edge, never shown.
    #[error("internal fault: {0}")]
    Internal(String),
}
