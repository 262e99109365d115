//! The channels room: the ways in which the service writes to people: e-mail through a relay, and Telegram's Bot API,
//! which signing in by a message needs too.
//!
//! Deliberately absent: when to write and what, users, storage. An update is read here and acted upon in `services`.

pub mod email;
pub mod telegram;

pub use userd_outbound::{ConfigError, HttpOptions, Secret};
