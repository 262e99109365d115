//! YDB's rules as tests on the bare protocol.
//!
//! `contract` runs against the emulator, or with `YDB_CONNECTION_STRING` against a live cluster, which may then correct
//! the emulator: `YDB_CONNECTION_STRING=grpc://host:2136/local cargo nextest run -p ydb-emulator contract::`. It was
//! never run against one. `emulator` has what no cluster has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

mod client;
mod contract;
mod emulator;
