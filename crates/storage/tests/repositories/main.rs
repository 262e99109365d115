//! The repositories: their statements stay portable, fit the schema, run on every engine and answer what was stored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on fails by panicking, and says on what it ran"
)]

mod accounts;
mod audit;
mod copies;
mod every_statement;
mod feeds;
mod inbox;
mod keys;
mod portable;
mod refused;
mod rendered;
mod rights;
mod round_trips;
mod samples;
mod schema;
mod session_families;
mod single_winner;
mod sql;
mod stores;
mod sweeping;
