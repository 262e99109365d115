//! What every engine promises, on YDB over the emulator: the cases of `crates/storage/tests/contract`, and what only this
//! engine promises.
//!
//! Over the emulator alone. What a live cluster can be asked are the emulator's own rules (`docs/how-to/try-ydb.md`).

#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]
#![deny(dead_code, reason = "a case that does not stand under `#[apply(case)]` would never run")]

#[macro_use]
extern crate macro_rules_attribute;

/// `#[apply(case)]` above a function makes a test of it in each fault mode: `its_name::plainly` and so on.
macro_rules! case {
    ($(#[$attribute:meta])* $visibility:vis async fn $name:ident $($rest:tt)+) => {
        $(#[$attribute])* $visibility async fn $name $($rest)+

        mod $name {
            on! { $name, plainly: Plain, run_twice: RunTwice, conflict_first: ConflictFirst }
        }
    };
}

macro_rules! on {
    ($case:ident, $($setting:ident: $mode:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $setting() {
                use crate::{gaps, fixture::FaultMode};
                gaps::run(stringify!($case), FaultMode::$mode, super::$case).await;
            }
        )+
    };
}

#[path = "../../../storage/tests/contract/batches.rs"]
mod batches;
mod faults;
mod fixture;
mod gaps;
#[path = "../../../storage/tests/contract/isolation.rs"]
mod isolation;
mod logins;
mod logs;
mod pool;
mod schema;
#[path = "../../../storage/tests/contract/undoing.rs"]
mod undoing;
#[path = "../../../storage/tests/contract/values.rs"]
mod values;
