//! The sweeper removes what has expired. Readers never depend on it: they filter by time themselves. It runs under
//! a lease, so that one replica sweeps at a time and none has to lead.

use std::time::Duration;

use userd_model::Timestamp;
use userd_storage::Failure;
use uuid::Uuid;

use crate::{Dependencies, change::Changes};

/// Rows removed per table and unit of work.
const BATCH: u32 = 200;
/// Batches per table and round: a backlog is worked off over several rounds.
const ROUNDS: usize = 200;
const LEASE: Duration = Duration::from_secs(120);
/// Expired sessions stay this long, so that a clock that was wrong does no harm.
const SESSIONS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Removes expired rows.
pub struct Sweeper {
    deps: Dependencies,
    changes: Changes,
    owner: Uuid,
}

impl Sweeper {
    pub(crate) fn new(deps: Dependencies, changes: Changes) -> Self {
        let owner = uuid::Builder::from_random_bytes(deps.random.id_bytes()).into_uuid();
        Self { deps, changes, owner }
    }

    /// One round, if this replica holds or gets the lease. IdempotencyKeys how many rows went.
    ///
    /// # Errors
    /// Storage faults; the next round goes on.
    pub async fn tick(&self) -> Result<usize, Failure> {
        let now = self.deps.now();
        if !self.lead("sweeper", now, LEASE).await? {
            return Ok(0);
        }
        let mut removed = 0;
        for table in Table::ALL {
            for _ in 0..ROUNDS {
                let batch = self.sweep(*table, now).await?;
                removed += batch;
                if batch < BATCH as usize {
                    break;
                }
            }
        }
        if removed > 0 {
            tracing::debug!(removed, "expired rows removed");
        }
        Ok(removed)
    }

    /// Takes or renews a lease; `false` while another replica holds it.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn lead(&self, name: &'static str, now: Timestamp, life: Duration) -> Result<bool, Failure> {
        self.changes
            .run(&self.changes.system_context(), "lease", |mut change| async move {
                let held = change.leases().acquire(name, self.owner, now, life).await?;
                change.commit(held.is_some()).await
            })
            .await
    }

    async fn sweep(&self, table: Table, now: Timestamp) -> Result<usize, Failure> {
        self.changes
            .run(&self.changes.system_context(), "sweep", |mut change| async move {
                let removed = match table {
                    Table::Sessions => change.sessions().remove_expired(now.minus(SESSIONS_KEPT), BATCH).await?,
                    Table::Revocations => change.revocations().remove_expired(now, BATCH).await?,
                    Table::SingleUse => change.single_use().remove_expired(now, BATCH).await?,
                    Table::Secrets => change.secrets().remove_expired(now, BATCH).await?,
                    Table::IdempotencyKeys => change.idempotency_keys().remove_expired(now, BATCH).await?,
                };
                change.commit(removed).await
            })
            .await
    }
}

#[derive(Clone, Copy)]
enum Table {
    Sessions,
    Revocations,
    SingleUse,
    Secrets,
    IdempotencyKeys,
}

impl Table {
    const ALL: &'static [Self] =
        &[Self::Sessions, Self::Revocations, Self::SingleUse, Self::Secrets, Self::IdempotencyKeys];
}
