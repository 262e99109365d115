//! What the services promise, as cases that each run on every engine at hand and with re-runs forced. Every success
//! and every refusal of an intention is here; HTTP is not.

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

/// `#[apply(case)]` above a function makes a test of it in each setting: `its_name::in_memory` and so on. YDB is asked
/// over the emulator, in builds with the feature `ydb`; `./test` runs some of those, `./test ydb` all of them.
macro_rules! case {
    ($($case:tt)+) => {
        tests! {
            [in_memory: Memory Plain, run_twice: Memory RunTwice, conflict_first: Memory ConflictFirst,
             on_postgres: Postgres Plain, #[cfg(feature = "ydb")] on_ydb: Ydb ConflictFirst,
             #[cfg(feature = "ydb")] on_ydb_twice: Ydb RunTwice]
            $($case)+
        }
    };
}

/// The same for a case that puts a fault into each call by itself: engines alone, no other fault mode.
macro_rules! fault_case {
    ($($case:tt)+) => {
        tests! {
            [in_memory: Memory Plain, on_postgres: Postgres Plain, #[cfg(feature = "ydb")] on_ydb: Ydb Plain]
            $($case)+
        }
    };
}

macro_rules! tests {
    ([$($(#[$gate:meta])? $setting:ident: $backend:ident $mode:ident),+]
     $(#[$attribute:meta])* $visibility:vis async fn $name:ident $($rest:tt)+) => {
        $(#[$attribute])* $visibility async fn $name $($rest)+

        mod $name {
            $(
                $(#[$gate])?
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $setting() {
                    use crate::fixture::{Backend, FaultMode, run};
                    run(Backend::$backend, FaultMode::$mode, super::$name).await;
                }
            )+
        }
    };
}

mod access_tokens;
mod account_changes;
mod audit;
mod audit_checkpoints;
mod audit_cost;
mod audit_tampering;
mod browser_sessions;
mod changes;
mod clients;
mod dead_receivers;
mod defences;
mod deletion;
mod deliveries;
mod devices;
mod email_codes;
mod emails;
mod enumeration;
mod event_log;
mod event_storm;
mod events;
mod factors;
mod faults;
mod fixture;
mod for_one_use;
mod further_emails;
mod health;
mod idempotency;
mod imports;
mod inbox;
mod invitations;
mod limits;
mod links;
mod login;
mod lost;
mod master_key;
mod message_ways;
mod messages;
mod not_me;
mod outbox;
mod outstanding;
mod overview;
mod password_demanded;
mod personas;
mod policy;
mod preferences;
mod recovery;
mod refresh;
mod refresh_theft;
mod register;
mod restore;
mod revocation_feed;
mod revocations;
mod rights;
mod sealed_rows;
mod setup;
mod sign_in;
mod signing_keys;
mod simulation;
mod squatting;
mod streams;
mod sweeper;
mod terms;
mod told_to_others;
mod user_list;
mod users;
mod webhook_calls;
mod webhook_deliveries;
mod webhooks;
#[cfg(feature = "ydb")]
mod ydb;
