//! Leases: who may do a job that only one replica may do at a time. The epoch counts changes of hands, so that a
//! late former holder can be told from the present one.

use std::time::Duration;

use userd_model::Timestamp;
use uuid::Uuid;

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Leases.
pub struct Leases<'a>(pub(super) &'a mut UnitOfWork);

/// How far the clocks of two replicas may differ before one takes the other's lease for a mistake.
const CLOCKS_DIFFER: Duration = Duration::from_secs(10);

/// A lease as stored. It is free when `expires_at` has come, and when that is further away than a lease lasts: a clock
/// that had jumped wrote it, and nobody else would work until that time has really come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who held it last.
    pub owner: Uuid,
    /// How many times it was taken by somebody who did not hold it.
    pub epoch: i64,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Lease {
    /// Whether somebody has it at `now`, where leases of this name last `ttl`.
    fn is_held(&self, now: Timestamp, ttl: Duration) -> bool {
        self.expires_at > now && self.expires_at <= now.plus(ttl).plus(CLOCKS_DIFFER)
    }
}

/// The row that says that everything of another database is being copied into this one. Nobody takes it as a lease, and
/// leases are not copied: it is of this database alone.
const COPY: &str = "storage_copy";

/// A copy that was begun into this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copying {
    /// The installation that it comes from.
    pub source: Uuid,
    /// Whether everything came over. Until then this is no database to serve.
    pub is_finished: bool,
}

statements_of! { LEASES:
    BY_NAME = "leases.by_name": Shape::Find;
    UPSERT = "leases.upsert": Shape::Upsert;
}

impl Leases<'_> {
    /// Takes or prolongs the lease for `ttl` from `now`; answers the epoch, or `None` while somebody else holds it.
    /// Prolonging keeps the epoch; taking a free, expired or released lease raises it, also for the last owner. Whoever
    /// asks for a lease of one name asks for the same `ttl`: one that lasts longer than that is taken for a mistake.
    pub async fn acquire(
        &mut self,
        name: &str,
        owner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<i64>, StoreError> {
        let epoch = match self.find(name).await? {
            Some(held) if held.is_held(now, ttl) && held.owner == owner => held.epoch,
            Some(held) if held.is_held(now, ttl) => return Ok(None),
            Some(free) => free.epoch.saturating_add(1),
            None => 1,
        };
        self.write(name, owner, epoch, now.plus(ttl)).await?;
        Ok(Some(epoch))
    }

    /// Writes a row that nobody holds, so that whoever asks knows whether a write lasts.
    pub async fn probe(&mut self, name: &str, owner: Uuid) -> Result<(), StoreError> {
        self.write(name, owner, 0, Timestamp::from_micros(0)).await
    }

    /// Writes down that a copy was begun, or that everything came over.
    pub async fn mark_copying(&mut self, copying: Copying) -> Result<(), StoreError> {
        let unfinished = i64::from(!copying.is_finished);
        self.write(COPY, copying.source, unfinished, Timestamp::from_micros(0)).await
    }

    /// The copy that was begun into this database, if any was.
    pub async fn copying(&mut self) -> Result<Option<Copying>, StoreError> {
        let row = self.find(COPY).await?;
        Ok(row.map(|row| Copying { source: row.owner, is_finished: row.epoch == 0 }))
    }

    /// Gives the lease back if `owner` still has it. The row stays, so that the epoch goes on.
    pub async fn release(&mut self, name: &str, owner: Uuid) -> Result<(), StoreError> {
        match self.find(name).await? {
            Some(held) if held.owner == owner => self.write(name, owner, held.epoch, Timestamp::from_micros(0)).await,
            _ => Ok(()),
        }
    }

    /// The lease as it stands: a worker checks owner and epoch in the unit of work that does its job.
    pub async fn find(&mut self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.0.one(&BY_NAME, &[name.into()], lease).await
    }

    async fn write(&mut self, name: &str, owner: Uuid, epoch: i64, expires_at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[name.into(), owner.into(), epoch.into(), expires_at.into()]).await
    }
}

fn lease(row: &mut Row) -> Result<Lease, StoreError> {
    Ok(Lease {
        owner: row.uuid(position!(LEASES.owner))?,
        epoch: row.i64(position!(LEASES.epoch))?,
        expires_at: row.timestamp(position!(LEASES.expires_at))?,
    })
}
