//! The real binary over real sockets, on every engine: what people and other services live through. Deliberately
//! absent: single rules, which the rooms test where they are.
//!
//! `./test run cargo nextest run -p userd --test journeys` runs them with every server up. More rounds, by hand:
//! `USERD_TEST_CRASHES` (20), `USERD_TEST_RACES` (3), `USERD_TEST_REVOCATIONS` (30), `USERD_TEST_EXAMPLES` (25),
//! `USERD_TEST_DRAIN_{KILLS,MEMBERS,MESSAGES}` (20, 6, 120), `USERD_TEST_POWER_CUTS` (50, of seed `USERD_TEST_SEED`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says what it measured"
)]
#![allow(unreachable_pub, reason = "one binary; its modules share their parts")]

#[macro_use]
extern crate userd_test_support as support;

mod account_life;
mod audit;
mod behind_nginx;
mod canaries;
mod contract;
mod crash_storm;
mod edges;
mod enumeration;
mod forward_auth;
mod imports;
mod killed_while_draining;
mod load;
mod login_storm;
mod master_key;
mod metrics;
mod moving;
mod operations;
mod pages;
mod passkeys;
mod postgres_faults;
#[cfg(target_os = "linux")]
mod power_cuts;
mod process;
mod races;
mod readiness;
mod readme;
mod recipes;
mod redis_faults;
mod reload;
mod replicas;
mod restoring;
mod rights;
mod rolling_restart;
mod second_factors;
mod signals;
mod soak;
mod stopping;
mod story;
mod system_limits;
mod traces;
mod typed_clients;
mod upgrades;
mod verifiers;
#[cfg(feature = "ydb")]
mod ydb;
