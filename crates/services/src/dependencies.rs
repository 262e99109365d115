//! What services are made from: the rooms below, the clock and the random source, and the settings to obey.

use std::sync::Arc;

use userd_cache::Cache;
use userd_crypto::{CryptoManager, Vault};
use userd_model::{Clock, Random, Timestamp};
use userd_storage::Store;

use crate::{Context, Settings};

/// What every service may use. Cloning is cheap.
#[derive(Clone)]
pub struct Dependencies {
    /// What is remembered.
    pub store: Arc<Store>,
    /// Keys, tokens, hashes, sealed fields.
    pub crypto: Arc<CryptoManager>,
    /// Seals what belongs to no single user and lives briefly: successors, saved answers, login flows.
    pub vault: Arc<Vault>,
    /// Hot reads, limits, fan-out.
    pub cache: Arc<dyn Cache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// Remembers outside the database who was erased; none in tests and where nothing is kept.
    pub purge_ledger: Option<Arc<dyn crate::deletion::PurgeLedger>>,
    /// Keeps checkpoints of the audit log outside the database; none where that is not configured.
    pub checkpoint_ledger: Option<Arc<dyn crate::audit::CheckpointLedger>>,
    /// Cosigns checkpoints of the audit log; none where that is not configured.
    pub checkpoint_witness: Option<Arc<dyn crate::audit::CheckpointWitness>>,
    /// Passkeys; none where they are switched off or not built in.
    pub passkeys: Option<Arc<dyn userd_passkeys::Passkeys>>,
    /// Where addresses are; none where no file is configured.
    pub places: Option<Arc<dyn crate::places::Places>>,
    /// What to obey.
    pub settings: Arc<Settings>,
}

impl Dependencies {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A context that begins now, of nobody from nowhere.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.now())
    }
}
