//! YDB's rules as tests against a connection string: the emulator's own, or with `YDB_CONNECTION_STRING` a live
//! cluster's, which may then correct the emulator. They were never run against one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod client;
mod keys;
mod reading;
mod tables;
mod transactions;
mod types;
