//! What the server answers instead of a result: a status and an issue, as YDB numbers them.

use ydb_grpc::ydb_proto::{issue::IssueMessage, status_ids::StatusCode};

/// Issue codes of YDB that callers tell apart.
pub mod issue {
    /// Somebody else wrote what the transaction had read.
    pub const LOCKS_INVALIDATED: u32 = 2001;
    /// No such table, column or index.
    pub const SCHEME_ERROR: u32 = 2003;
    /// An operation that the transaction's mode does not allow.
    pub const BAD_OPERATION: u32 = 2008;
    /// A row with this key exists.
    pub const CONSTRAINT_VIOLATION: u32 = 2012;
    /// The transaction has ended, or there never was one.
    pub const TRANSACTION_NOT_FOUND: u32 = 2015;
    /// The table was altered while the transaction used it.
    pub const SCHEME_MISMATCH: u32 = 2028;
    /// A value of another type than the column's.
    pub const BAD_COLUMN_TYPE: u32 = 2031;
    /// A column without a default is not given.
    pub const NO_COLUMN_DEFAULT_VALUE: u32 = 2032;
    /// The text does not parse or does not type-check.
    pub const TYPE_ANNOTATION: u32 = 1030;
    /// The emulator's own: the statement reads a whole table or sorts what no index orders.
    pub const FULL_SCAN: u32 = 2503;
}

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The operation status.
    pub status: StatusCode,
    /// The issue's code; zero for none.
    pub issue: u32,
    /// What went wrong, for people.
    pub message: String,
    /// The issue below the issue.
    pub inner: Option<String>,
}

/// The result of everything that can be refused.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A refusal with a status of its own.
    pub fn new(status: StatusCode, issue: u32, message: impl Into<String>) -> Self {
        Self { status, issue, message: message.into(), inner: None }
    }

    pub(crate) fn scheme(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SchemeError, issue::SCHEME_ERROR, message)
    }

    pub(crate) fn generic(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GenericError, issue::TYPE_ANNOTATION, message)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BadRequest, 0, message)
    }

    pub(crate) fn column_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BadRequest, issue::BAD_COLUMN_TYPE, message)
    }

    pub(crate) fn full_scan(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GenericError, issue::FULL_SCAN, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::Unsupported, 0, message)
    }

    pub(crate) fn locks_invalidated(table: &str) -> Self {
        let message = format!("Transaction locks invalidated. Table: `{table}`.");
        Self::new(StatusCode::Aborted, issue::LOCKS_INVALIDATED, message)
    }

    pub(crate) fn exists(table: &str) -> Self {
        let message = format!("Constraint violated. Table: `{table}`.");
        let inner = Some("Conflict with existing key.".to_owned());
        Self { inner, ..Self::new(StatusCode::PreconditionFailed, issue::CONSTRAINT_VIOLATION, message) }
    }

    pub(crate) fn no_transaction(id: &str) -> Self {
        Self::new(StatusCode::NotFound, issue::TRANSACTION_NOT_FOUND, format!("Transaction not found: {id}"))
    }

    pub(crate) fn bad_session(id: &str) -> Self {
        Self::new(StatusCode::BadSession, 0, format!("Session not found: {id}"))
    }

    /// The issues as they go over the wire.
    pub(crate) fn issues(&self) -> Vec<IssueMessage> {
        let issue = |message: &str, issues| IssueMessage {
            message: message.to_owned(),
            issue_code: self.issue,
            severity: 1,
            issues,
            ..Default::default()
        };
        let inner = self.inner.iter().map(|message| issue(message, Vec::new())).collect();
        vec![issue(&self.message, inner)]
    }
}
