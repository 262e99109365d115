//! Signing in with accounts elsewhere: the real binary, a browser, and providers on the loopback. Deliberately absent:
//! what a provider's protocol says in detail, which the providers room tests, and passwords.
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

mod browser;
mod clients;
mod fixture;
mod providers;
mod telegram_network;

mod examples;
mod hostile;
mod linking;
mod mission;
mod other_brands;
mod outages;
mod pages;
mod return_addresses;
mod secrecy;
mod telegram_bot;
mod telegram_browser;
mod telegram_payloads;
mod third_parties;
mod way_back;
mod yandex;
