//! Services: each carries out one intention of a user, an administrator or the operator. The rules themselves are
//! in the model, what lasts is in storage; a service reads, asks the rule, writes, and tells who must know.
//!
//! Deliberately absent: HTTP, SQL, cryptographic primitives, configuration files, the real clock.

pub mod access_tokens;
pub mod accounts;
mod authenticate;
mod background;
pub mod clients;
mod facts;
pub mod limits;
pub mod once;
pub mod parts;
pub mod passwords;
pub mod people;
pub mod revocations;
pub mod roles;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod signing_keys;
pub mod start;
pub mod sweeper;
pub mod testing;
pub mod users;

pub use access_tokens::Authenticated;
pub use once::Once;
pub use parts::{Origin, Parts, Services, Settings};
pub use people::UserView;
pub use sessions::{SignedIn, TokenPair};
pub use userd_storage::{Failure, StoreError};
