//! The cache's tests: what every cache promises (`contract`), what a Redis that fails or holds nonsense costs, and the
//! ways to reach one. Deliberately absent: what only its own module can see (beside the code).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod contract;
mod faults;
mod poison;
mod support;
mod topologies;
