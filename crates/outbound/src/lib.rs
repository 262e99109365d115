//! The outbound room: how this service calls other people's servers, and what it refuses to be sent to.
//!
//! [`HttpClient`] bounds every call in time, size and redirects, and connects to a private address only where an
//! operator wrote it. [`Secret`] is what is shown to such a server; [`ConfigError`] what is wrong with the settings.
//!
//! Deliberately absent: what the calls are for. Protocols are in `providers` and `channels`; no other room is known.

mod call;
mod client;
mod error;
mod private_address;
mod secret;

pub use call::{Answer, Call};
pub use client::{HttpClient, HttpOptions};
pub use error::{ConfigError, Unreachable, printable};
pub use private_address::names_private;
pub use secret::{Secret, read_file};
