//! The end of an account: deleted, it is gone for everybody and can come back; after the window it is erased for good.
//!
//! - `delete.rs`: by its owner or an administrator
//! - `restore.rs`: by whoever proves to be the owner, or an administrator
//! - `purge.rs`: what is erased, and how

mod delete;
mod purge;
mod restore;

pub use userd_storage::repositories::legal_holds::LegalHold;

use std::sync::Arc;

use userd_model::{Timestamp, UserId};

use crate::{
    Dependencies, change::Changes, deliveries::Deliveries, limits::Limits, passwords::PasswordProof,
    sessions::Sessions, user_reader::UserReader,
};

/// Remembers outside the database who was erased: a restored backup knows nothing of it.
pub trait PurgeLedger: Send + Sync {
    /// Writes an entry, durable when it returns.
    ///
    /// # Errors
    /// Then nobody is erased.
    fn record(&self, user: UserId, at: Timestamp) -> std::io::Result<()>;
}

/// What became of an account that the ledger names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasedAgain {
    /// There was none.
    Absent,
    /// It is erased.
    Erased,
    /// It was used or changed after it is said to have been erased, so it is left alone.
    InUse,
}

/// Deletes, restores and erases accounts.
#[derive(Clone)]
pub struct Deletions {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sessions: Sessions,
    pub(crate) user_reader: UserReader,
    pub(crate) limits: Limits,
    pub(crate) proof: PasswordProof,
    pub(crate) deliveries: Arc<Deliveries>,
}
