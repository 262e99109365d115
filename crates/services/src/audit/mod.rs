//! The audit log: what happened that matters to security, in one order, in a hash tree from which nothing can be taken and
//! in which nothing can be changed without its being noticed (RFC 6962). Deliberately absent: what happened; that is
//! told by facts, and whoever passes them on (`event_log.rs`) appends them here in the same unit of work.
//!
//! - `append.rs`, `entry.rs`: entries, from facts
//! - `checkpoints.rs`, `witness.rs`: what is signed and leaves the database, and who cosigns it
//! - `list.rs`, `proofs.rs`, `verify.rs`: what auditors ask
//! - `of_user.rs`: what the export of an account shows of it
//! - `openings.rs`: the names of the log, after backups were restored
//! - `prune.rs`: the end of entries

mod append;
mod checkpoints;
mod entry;
mod list;
mod of_user;
mod openings;
mod proofs;
mod prune;
mod tree;
mod verify;
mod walk;
mod witness;

use std::sync::{Arc, Mutex};

pub use append::AuditLog;
pub use checkpoints::{CheckpointLedger, Signed};
pub use entry::{NOT_AUDITED, is_audited};
pub use list::{AuditFilter, AuditPage, AuditParty, AuditView};
pub use of_user::Happened;
pub use openings::names;
pub use proofs::{Consistency, Inclusion};
use userd_crypto::transparency::Checkpoint;
pub use verify::{Scope, Verified};
pub use walk::{Fault, Opening};
pub use witness::CheckpointWitness;

use crate::{Dependencies, change::Changes, limits::Limits};

/// The audit log, for those who look after it and those who distrust it.
#[derive(Clone)]
pub struct Audit {
    deps: Dependencies,
    changes: Changes,
    limits: Limits,
    log: AuditLog,
    /// The last checkpoint that this process has signed or seen: no later one contradicts it.
    seen: Arc<Mutex<Option<Checkpoint>>>,
    /// The size of the last checkpoint that the witness has cosigned, as far as this process knows.
    witnessed: Arc<Mutex<u64>>,
    /// Something was signed that the witness has not seen.
    unseen: Arc<tokio::sync::Notify>,
    /// Verifying reads the whole log: once at a time.
    verifying: Arc<tokio::sync::Semaphore>,
}

impl Audit {
    pub(crate) fn new(deps: Dependencies, changes: Changes, limits: Limits) -> Self {
        Self {
            log: AuditLog::new(deps.clone()),
            deps,
            changes,
            limits,
            seen: Arc::default(),
            witnessed: Arc::default(),
            unseen: Arc::default(),
            verifying: Arc::new(tokio::sync::Semaphore::new(1)),
        }
    }
}
