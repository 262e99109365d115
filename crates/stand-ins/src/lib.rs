//! Stand-ins: servers that behave like the sign-in providers, on the loopback, for tests and for trying by hand.
//!
//! Each is started by its module's `start`, which fails only when the port is taken, and stops when the value is
//! dropped. Its pages are plain forms; a scripted flow adds `person=<key>&auto=1` to the authorize URL (`person=deny`
//! declines), which is what a click does too. [`StandIn::turn`] changes how it behaves, [`StandIn::fail`] breaks one of
//! its paths, [`StandIn::requests`] tells what it was asked.
//!
//! ```no_run
//! # async fn story() -> std::io::Result<()> {
//! use userd_stand_ins::{Options, yandex};
//!
//! let yandex = yandex::start(Options::default()).await?;
//! // providers: [{id: yandex, kind: yandex, client_id: …, endpoints: {authorize: "{base_url}/authorize", …}}]
//! yandex.turn(|knobs| knobs.client_id_in_info = Some("another-app".into()));
//! assert!(yandex.requests_to("/info").is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Deliberately absent: our own code. A stand-in shares the signature primitives with the service and nothing else,
//! so that a misreading of a protocol is not made twice by the same lines. No password, no real account, no network
//! beyond the loopback.

#![expect(
    clippy::indexing_slicing,
    reason = "members of JSON values alone: reading an absent one gives null, and only objects made here are written"
)]

pub mod apple;
mod ask;
pub mod authenticator;
pub mod bot_api;
mod consent;
mod credentials;
pub mod generic;
pub mod github;
mod grants;
pub mod mailbox;
pub mod network;
pub mod oidc;
mod outside;
mod page;
mod reply;
mod server;
pub mod telegram;
mod test_users;
pub mod vk;
pub mod webhook_receiver;
pub mod yandex;

pub use ask::Ask;
pub use reply::Fault;
pub use server::{Options, StandIn};
pub use test_users::{TestUser, test_users};
