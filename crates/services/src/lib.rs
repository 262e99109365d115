//! Services: each carries out one intention of a user, an administrator or the operator. The rules themselves are
//! in the model, what lasts is in storage; a service reads, asks the rule, writes, and tells who must know.
//!
//! Deliberately absent: HTTP, SQL, cryptographic primitives, configuration files, the real clock.

pub mod access_requests;
pub mod access_tokens;
pub mod accounts;
mod admission;
pub mod arrivals;
pub mod audit;
mod authenticate;
mod background;
pub mod bot;
pub mod change;
pub mod clients;
pub mod cloud_event;
mod consent;
pub mod context;
pub mod deletion;
pub mod deliveries;
pub mod dependencies;
mod email_code_rows;
pub mod email_codes;
pub mod event_log;
pub mod events;
pub mod export;
pub mod fact_drafts;
pub mod factors;
mod facts;
pub mod health;
pub mod idempotency;
pub mod invitations;
pub mod limits;
mod link_tokens;
pub mod links;
mod mailbox_proofs;
mod message_contents;
pub mod messages;
pub mod notifications;
pub mod passwords;
pub mod preferences;
mod recent_proof;
pub mod recovery;
mod remembered;
pub mod restore;
pub mod revocations;
pub mod role_reader;
pub mod roles;
mod sealing;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod setup;
mod shard_leases;
pub mod sign_in;
mod sign_in_outcome;
pub mod signing_keys;
pub mod start;
pub mod sweeper;
#[cfg(feature = "testing")]
pub mod testing;
pub mod user_list;
pub mod user_reader;
pub mod users;
pub mod webhooks;
mod work_under_way;

pub use access_tokens::Authenticated;
pub use accounts::emails;
pub use context::{Context, RequestOrigin};
pub use dependencies::Dependencies;
pub use idempotency::IdempotentRequest;
pub use services::Services;
pub use sessions::{Completion, SignedIn, TokenPair};
pub use settings::{MfaSettings, RegistrationMode, Settings};
pub use user_reader::UserView;
pub use userd_storage::{Failure, StoreError};
