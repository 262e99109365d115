//! The engine for YDB. `yql` says declared statements and schema steps in its language and needs nothing else; with
//! the feature `sdk` there is the engine, on the official client library.
//!
//! Deliberately absent: users, and a loop that runs a unit of work again: the store has it. What the client library
//! would do by itself (run again, wait for ever, write parameters to the log) it is kept from.

#![cfg_attr(feature = "sdk", recursion_limit = "256")]

pub mod address;
#[cfg(feature = "sdk")]
pub mod engine;
pub mod yql;

#[cfg(feature = "sdk")]
pub use engine::{YdbEngine, YdbOptions};

/// Whether something may reach a log, a trace or a metric of spans: nothing of the client library and of what it is
/// made of may, because it writes the parameters of queries to its spans and the words of the server to its events.
#[must_use]
pub fn may_be_logged(metadata: &tracing::Metadata<'_>) -> bool {
    let of =
        |name: &str| metadata.target().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    !["ydb", "ydb_grpc", "tonic", "h2"].iter().any(|name| of(name))
}
