//! The outbox: events written in the unit of work that made them true, removed once they have been delivered or
//! a week has passed. Split into shards, each worked off in order by whoever holds its lease.

use userd_model::{Event, EventId, EventKind, Timestamp, UserId};

use super::known;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, OUTBOX_SHARDS, Range, Shape, position, statements_of},
};

/// The outbox.
pub struct Outbox<'a>(pub(super) &'a mut UnitOfWork);

/// How many shards there are: 0 to 15. Changing it needs an empty outbox.
pub const SHARDS: i64 = OUTBOX_SHARDS;

/// The shard of an event: its id's first byte, which is random.
#[must_use]
pub fn shard_of(event: EventId) -> i64 {
    event.0.as_bytes().first().map_or(0, |byte| i64::from(*byte) % SHARDS)
}

statements_of! { OUTBOX:
    PUSH = "outbox.insert": Shape::Insert;
    FIRST_PAGE = "outbox.first_page": Shape::List(List::by_key().equal(1));
    NEXT_PAGE = "outbox.next_page": Shape::List(List::by_key().equal(1).range(Range::Behind));
    REMOVE = "outbox.remove": Shape::Remove;
}

impl Outbox<'_> {
    /// Adds an event to its shard.
    ///
    /// # Errors
    /// `Duplicate(Key("outbox"))` when the event is there.
    pub async fn push(&mut self, event: &Event) -> Result<(), StoreError> {
        self.push_many(std::slice::from_ref(event)).await
    }

    /// The same for many, in one round trip where the engine can.
    ///
    /// # Errors
    /// `Duplicate(Key("outbox"))` when an event is there.
    pub async fn push_many(&mut self, events: &[Event]) -> Result<(), StoreError> {
        self.0.write_many(&PUSH, events.iter().map(pushed).collect()).await
    }

    /// Up to `limit` events of one shard by (time, id), behind `after`.
    pub async fn page(
        &mut self,
        shard: i64,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_PAGE, &[shard.into(), limit], event).await,
            Some((at, id)) => self.0.many(&NEXT_PAGE, &[shard.into(), at.into(), id.into(), limit], event).await,
        }
    }

    /// Removes a delivered event.
    pub async fn remove(&mut self, shard: i64, at: Timestamp, id: EventId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[shard.into(), at.into(), id.into()]).await
    }
}

fn event(row: &mut Row) -> Result<Event, StoreError> {
    let word = row.text(position!(OUTBOX.kind))?;
    Ok(Event {
        at: row.timestamp(position!(OUTBOX.created_at))?,
        id: EventId(row.uuid(position!(OUTBOX.id))?),
        kind: known("event kind", EventKind::ALL.iter().copied().find(|kind| kind.as_str() == word))?,
        user_id: UserId(row.uuid(position!(OUTBOX.user_id))?),
        data: row.json(position!(OUTBOX.data))?,
    })
}

/// The values of PUSH.
fn pushed(event: &Event) -> Vec<Value> {
    vec![
        shard_of(event.id).into(),
        event.at.into(),
        event.id.into(),
        event.kind.as_str().into(),
        event.user_id.into(),
        event.data.clone().into(),
    ]
}
