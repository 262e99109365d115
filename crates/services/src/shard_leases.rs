//! The shards of one job that this replica works on: a lease for each, taken and prolonged together.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;
use userd_storage::Failure;
use uuid::Uuid;

use crate::{
    Dependencies,
    change::{Change, Changes},
};

/// How long a shard belongs to whoever does not work on it any more.
const LEASE: Duration = Duration::from_secs(30);
/// How often leases are taken and prolonged.
const RENEW: Duration = Duration::from_secs(10);

/// Whoever serves a database alone has the leases of whoever did before: a process that was killed costs no wait.
const ALONE: Uuid = Uuid::max();

/// Whose leases are those that this process takes.
pub(crate) fn owner(deps: &Dependencies) -> Uuid {
    let drawn = || uuid::Builder::from_random_bytes(deps.random.id_bytes()).into_uuid();
    if deps.settings.serves_alone { ALONE } else { drawn() }
}

/// The leases of one job.
pub(crate) struct ShardLeases {
    changes: Changes,
    job: &'static str,
    shards: i64,
    owner: Uuid,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The shards, and the epoch of each lease.
    held: Vec<(i64, i64)>,
    renewed: Option<Timestamp>,
}

impl ShardLeases {
    pub(crate) fn new(deps: &Dependencies, changes: Changes, job: &'static str, shards: i64) -> Self {
        let owner = owner(deps);
        Self { changes, job, shards, owner, state: Mutex::default() }
    }

    /// Takes the leases that are free and prolongs those that this replica has: all in one unit of work, now and then.
    pub(crate) async fn take(&self, now: Timestamp) -> Result<(), Failure> {
        let is_recent = |at: Timestamp| at <= now && now.since(at) < RENEW;
        if self.state(|state| state.renewed.is_some_and(is_recent)) {
            return Ok(());
        }
        let held = self
            .changes
            .run(&self.changes.system_context(), "take_leases", |mut change| async move {
                let mut held = Vec::new();
                for shard in 0..self.shards {
                    if let Some(epoch) = change.leases().acquire(&self.name(shard), self.owner, now, LEASE).await? {
                        held.push((shard, epoch));
                    }
                }
                change.commit(held).await
            })
            .await?;
        self.state(|state| (state.held, state.renewed) = (held, Some(now)));
        Ok(())
    }

    /// The shards that this replica works on, with their epochs, as remembered.
    pub(crate) fn held(&self) -> Vec<(i64, i64)> {
        self.state(|state| state.held.clone())
    }

    /// Whether the lease is still this replica's, of this epoch: asked in the unit of work that does the job.
    pub(crate) async fn is_held(&self, change: &mut Change<'_>, shard: i64, epoch: i64) -> Result<bool, Failure> {
        let lease = change.leases().find(&self.name(shard)).await?;
        Ok(lease.is_some_and(|lease| lease.owner == self.owner && lease.epoch == epoch))
    }

    /// What is remembered is wrong: the next round asks again.
    pub(crate) fn doubt(&self) {
        self.state(|state| state.renewed = None);
    }

    /// Gives the shards back, so that another replica goes on at once.
    pub(crate) async fn give_back(&self) -> Result<(), Failure> {
        self.state(|state| *state = State::default());
        self.changes
            .run(&self.changes.system_context(), "release_leases", |mut change| async move {
                for shard in 0..self.shards {
                    change.leases().release(&self.name(shard), self.owner).await?;
                }
                change.commit(()).await
            })
            .await
    }

    fn name(&self, shard: i64) -> String {
        format!("{}:{shard}", self.job)
    }

    fn state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
