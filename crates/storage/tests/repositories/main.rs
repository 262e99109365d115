//! The repositories: their statements stay portable, fit the schema, run on every engine and answer what was stored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod portable;
mod refused;
mod schema;
mod sql;
