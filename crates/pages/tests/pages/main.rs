//! The pages from outside, over an in-process router: as a browser without JavaScript uses them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod account;
mod admin;
mod attacks;
mod browser;
mod browser_side;
mod every_page;
mod flows;
mod forms;
mod front;
mod head_requests;
mod in_chromium;
mod linked;
mod live;
mod looked_at;
mod passkeys;
mod refused;
mod second_factors;
mod sign_in;
mod ways;
