//! One file per engine (with a folder of its parts beside it). An engine knows its database and nothing about users.

pub mod sqlite;

pub use sqlite::{SqliteEngine, SqliteLocation, SqliteOptions};
