//! The real binary over real sockets, on every engine: what people and other services live through. Deliberately
//! absent: single rules, which the rooms test where they are.
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
mod support;

mod crash_storm;
mod races;
mod replicas;
mod stopping;
mod story;
