//! One file per engine (with a folder of its parts beside it). An engine knows its database and nothing about users.

pub mod postgres;
pub mod sqlite;

pub use postgres::{PostgresEngine, PostgresOptions};
pub use sqlite::{SqliteEngine, SqliteLocation, SqliteOptions};
