//! The event log. Only whoever holds the lease of a shard appends to it, and gives each event the position behind the
//! last one: positions have no gaps, and whoever has read up to one has missed none before it.

use userd_model::{Event, EventId, Subject};

use super::fact_numbers::owner;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// The event log.
pub struct Events<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { EVENTS:
    APPEND = "events.append": Shape::Insert;
    BEHIND = "events.behind": Shape::List(List::by_key().equal(1).range(Range::Behind));
}

impl Events<'_> {
    /// Appends events.
    ///
    /// # Errors
    /// `Duplicate(Key("events"))` when a position is taken.
    pub async fn append_many(&mut self, events: &[Event]) -> Result<(), StoreError> {
        self.0.write_many(&APPEND, events.iter().map(appended).collect()).await
    }

    /// Up to `limit` events of a shard behind a position, in order. With 0 for the position: the oldest that are kept.
    pub async fn behind(&mut self, shard: i64, position: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.0.many(&BEHIND, &[shard.into(), position.into(), i64::from(limit).into()], event).await
    }
}

fn event(row: &mut Row) -> Result<Event, StoreError> {
    Ok(Event {
        shard: row.i64(position!(EVENTS.shard))?,
        position: row.i64(position!(EVENTS.position))?,
        id: EventId(row.uuid(position!(EVENTS.id))?),
        kind: row.text(position!(EVENTS.kind))?,
        subject: Subject {
            kind: row.text(position!(EVENTS.subject_kind))?,
            id: row.text(position!(EVENTS.subject_id))?,
        },
        number: row.i64(position!(EVENTS.number))?,
        at: row.timestamp(position!(EVENTS.occurred_at))?,
        expires_at: row.timestamp(position!(EVENTS.expires_at))?,
        data: row.json(position!(EVENTS.data))?,
    })
}

/// The values of APPEND.
fn appended(event: &Event) -> Vec<Value> {
    vec![
        event.shard.into(),
        event.position.into(),
        event.id.into(),
        event.kind.as_str().into(),
        event.subject.kind.as_str().into(),
        event.subject.id.as_str().into(),
        owner(&event.subject),
        event.number.into(),
        event.at.into(),
        event.expires_at.into(),
        event.data.clone().into(),
    ]
}
