//! The channels room: the ways in which the service writes to people. The channels themselves come with notifications;
//! until then this is the client of Telegram's Bot API, which signing in by a message needs already.
//!
//! Deliberately absent: when to write and what, users, storage. An update is read here and acted upon in `services`.

pub mod telegram;

pub use userd_outbound::{ConfigError, HttpOptions, Secret};
