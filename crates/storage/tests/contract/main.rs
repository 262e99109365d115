//! What every engine promises, as cases that each run on every engine, plainly and with re-runs forced. What only one
//! engine promises is in its own file.

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

/// `#[apply(case)]` above a function makes a test of it on each engine in each fault mode:
/// `its_name::in_memory::run_twice` and so on.
macro_rules! case {
    ($(#[$attribute:meta])* $visibility:vis async fn $name:ident $($rest:tt)+) => {
        $(#[$attribute])* $visibility async fn $name $($rest)+

        mod $name {
            on! { $name, in_memory: Memory, plainly: Plain, run_twice: RunTwice, conflict_first: ConflictFirst }
            on! { $name, in_a_file: File, plainly: Plain, run_twice: RunTwice, conflict_first: ConflictFirst }
            on! { $name, on_postgres: Postgres, plainly: Plain, run_twice: RunTwice, conflict_first: ConflictFirst }
            on! { $name, on_postgres_behind_a_pooler: Postgres, plainly: Pooled }
        }
    };
}

macro_rules! on {
    ($case:ident, $engine:ident: $backend:ident, $($setting:ident: $mode:ident),+) => {
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $setting() {
                    use userd_storage::testing::Backend;
                    use crate::{gaps, fixture::FaultMode};
                    let case = super::super::$case;
                    gaps::run(stringify!($case), Backend::$backend, FaultMode::$mode, case).await;
                }
            )+
        }
    };
}

mod batches;
mod faults;
mod fixture;
mod gaps;
mod identity;
mod isolation;
mod migrating;
mod postgres;
mod postgres_codes;
mod postgres_ways;
mod proxy;
mod retrying;
mod sqlite;
mod sqlite_files;
mod tls;
mod undoing;
mod values;
