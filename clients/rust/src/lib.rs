//! The client library for services in Rust: tokens of a userd are verified here, without a call for each, with the
//! revocations of the last second. How it is used stands in its README, which is a test.
//!
//! - `verify.rs`: one token against a key set; `keys.rs`: the set; `memory.rs`: tokens that were verified before
//! - `view.rs`: what was revoked; `feed.rs`: how that is learned
//! - `calls.rs`: calls of the service, with the account's own token; `routes.rs`: what they are for
//! - `layer.rs`: in front of tower services; `extractor.rs`: in axum
//! - `events.rs`, `webhooks.rs`: what happened
//! - `outside.rs`: clock and randomness
//! - `testing.rs`: an issuer for unit tests
#![doc = include_str!("../README.md")]

mod calls;
mod error;
mod events;
#[cfg(feature = "axum")]
mod extractor;
mod feed;
mod keys;
mod layer;
mod memory;
mod options;
mod outside;
mod routes;
#[cfg(feature = "testing")]
mod testing;
mod token;
mod userd;
mod verify;
mod view;
mod webhooks;

pub use error::{Error, Reason};
pub use events::{CursorStore, Event, Events, FileCursor, MemoryCursor};
#[cfg(feature = "axum")]
pub use extractor::Caller;
pub use feed::Status;
pub use layer::{Require, Required};
pub use options::{Options, WhenStale};
pub use routes::{Check, Decision, User};
#[cfg(feature = "testing")]
pub use testing::{FakeIssuer, Wanted};
pub use token::Token;
pub use userd::Userd;
pub use webhooks::Webhook;
