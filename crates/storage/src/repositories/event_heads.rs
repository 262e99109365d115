//! Where each shard of the event log ends.

use userd_model::Timestamp;

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Where each shard of the event log ends.
pub struct EventHeads<'a>(pub(super) &'a mut UnitOfWork);

/// The end of a shard. A shard without one is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHead {
    /// The shard.
    pub shard: i64,
    /// The position of its last event; the first has 1.
    pub position: i64,
    /// When that event expires: none behind it expires before.
    pub expires_at: Timestamp,
}

statements_of! { EVENT_HEADS:
    BY_SHARD = "event_heads.by_shard": Shape::Find;
    ALL_SHARDS = "event_heads.all": Shape::List(List::by_key().unlimited());
    UPSERT = "event_heads.upsert": Shape::Upsert;
}

impl EventHeads<'_> {
    /// The end of one shard.
    pub async fn find(&mut self, shard: i64) -> Result<Option<EventHead>, StoreError> {
        self.0.one(&BY_SHARD, &[shard.into()], head).await
    }

    /// The ends of all shards that have events.
    pub async fn all(&mut self) -> Result<Vec<EventHead>, StoreError> {
        self.0.many(&ALL_SHARDS, &[], head).await
    }

    /// Writes the end of a shard.
    pub async fn write(&mut self, head: &EventHead) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[head.shard.into(), head.position.into(), head.expires_at.into()]).await
    }
}

fn head(row: &mut Row) -> Result<EventHead, StoreError> {
    Ok(EventHead {
        shard: row.i64(position!(EVENT_HEADS.shard))?,
        position: row.i64(position!(EVENT_HEADS.position))?,
        expires_at: row.timestamp(position!(EVENT_HEADS.expires_at))?,
    })
}
