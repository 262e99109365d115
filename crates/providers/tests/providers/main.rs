//! The providers against upstreams on the loopback: what each must do, and what it must never accept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod back_channel;
mod contract;
mod openid;
mod presets;
mod support;
mod telegram;
mod yandex;
