//! E-mail addresses: proving that somebody reads what is sent there, and what hangs on it. An address that nobody has
//! proven signs nobody in by itself, gets no notices, and is lost to whoever proves it (decision 0008).
//!
//! What a mail carries and the row behind it are in `mailbox_proofs.rs`.
//!
//! - `ask.rs`: asking somebody to prove an address
//! - `verify.rs`: the proof
//! - `change.rs`: another address

mod ask;
mod change;
mod further;
mod verify;

use std::sync::Arc;

use crate::{
    Dependencies, access_requests::Approvals, change::Changes, deliveries::Deliveries, idempotency::IdempotencyKeys,
    invitations::Invitations, limits::Limits, passwords::PasswordProof, sessions::Sessions,
};
pub use verify::{Code, Verified};

/// Proves and changes e-mail addresses.
#[derive(Clone)]
pub struct Emails {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Limits,
    pub(crate) proof: PasswordProof,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) invitations: Invitations,
    pub(crate) approvals: Approvals,
    pub(crate) idempotency: IdempotencyKeys,
}
