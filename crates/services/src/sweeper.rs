//! The sweeper removes what has expired. Readers never depend on it: they filter by time themselves. It runs under
//! a lease, so that one replica sweeps at a time and none has to lead.

use std::time::Duration;

use userd_model::Timestamp;
use userd_storage::{
    Failure,
    repositories::expiring::{EXPIRING, Expiring},
};
use uuid::Uuid;

use crate::{Dependencies, change::Changes, faults::Faults};

/// Rows removed per table and unit of work.
const BATCH: u32 = 200;
/// Batches per table and round: a backlog is worked off over several rounds.
const ROUNDS: usize = 200;
/// The lease under which rows are removed.
pub(crate) const SWEEPER: &str = "sweeper";
const LEASE: Duration = Duration::from_secs(120);

/// Removes expired rows.
pub struct Sweeper {
    deps: Dependencies,
    changes: Changes,
    owner: Uuid,
}

impl Sweeper {
    pub(crate) fn new(deps: Dependencies, changes: Changes) -> Self {
        let owner = crate::shard_leases::owner(&deps);
        Self { deps, changes, owner }
    }

    /// One round, if this replica holds or gets the lease. IdempotencyKeys how many rows went.
    pub async fn tick(&self) -> Result<usize, Failure> {
        let now = self.deps.now();
        if !self.lead(SWEEPER, now, LEASE).await? {
            return Ok(0);
        }
        let (mut removed, mut faults) = (0, Faults::default());
        for table in EXPIRING.iter() {
            for _ in 0..ROUNDS {
                let swept = self.sweep(table, now).await;
                let Some(batch) = faults.of(swept, "removing what has expired", &table.table.name) else { break };
                removed += batch;
                if batch < BATCH as usize {
                    break;
                }
            }
        }
        if removed > 0 {
            tracing::debug!(removed, "expired rows removed");
        }
        faults.end(removed)
    }

    /// Takes or renews a lease; `false` while another replica holds it.
    pub async fn lead(&self, name: &'static str, now: Timestamp, life: Duration) -> Result<bool, Failure> {
        self.changes
            .run(&self.changes.system_context(), "lease", |mut change| async move {
                let held = change.leases().acquire(name, self.owner, now, life).await?;
                change.commit(held.is_some()).await
            })
            .await
    }

    /// Gives a lease back that this replica has, so that whoever comes next need not wait for its end.
    ///
    /// # Errors
    /// Storage faults: then it ends by itself.
    pub async fn give_back(&self, name: &'static str) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "lease", |mut change| async move {
                change.leases().release(name, self.owner).await?;
                change.commit(()).await
            })
            .await
    }

    async fn sweep(&self, table: &Expiring, now: Timestamp) -> Result<usize, Failure> {
        self.changes
            .run(&self.changes.system_context(), "sweep", |mut change| async move {
                let removed = table.remove(&mut change, now, BATCH).await?;
                change.commit(removed).await
            })
            .await
    }
}
