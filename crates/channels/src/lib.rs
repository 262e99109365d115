//! The channels room: the ways in which the service writes to people and to other services: e-mail through a relay,
//! Telegram's Bot API, which signing in by a message needs too, and webhooks.
//!
//! Deliberately absent: when to write and what, users, storage. An update is read here and acted upon in `services`.

mod channel;
pub mod email;
pub mod telegram;
pub mod webhook;
pub mod witness;

pub use channel::{Channel, ChannelFault};
pub use userd_outbound::{ConfigError, HttpOptions, Secret};
