//! What waits to be taken from streams of shared signals, in the order in which it was queued.

use userd_model::{QueuedSignal, StreamId, UserId};
use uuid::Uuid;

use super::MOST;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Queued signals.
pub struct StreamSignals<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { STREAM_SIGNALS:
    UPSERT = "stream_signals.upsert": Shape::Upsert;
    BY_ID = "stream_signals.by_id": Shape::Find;
    OF_STREAM = "stream_signals.of_stream": Shape::List(List::along("stream_signals_by_number").equal(1));
    REMOVE = "stream_signals.remove": Shape::Remove;
}

impl StreamSignals<'_> {
    /// Queues signals; one that is there already takes its new place.
    pub async fn write_many(&mut self, signals: &[QueuedSignal]) -> Result<(), StoreError> {
        self.0.write_many(&UPSERT, signals.iter().map(values).collect()).await
    }

    /// The signal with this id, if it waits still.
    pub async fn find(&mut self, stream: StreamId, id: Uuid) -> Result<Option<QueuedSignal>, StoreError> {
        let found = self.0.one(&BY_ID, &[id.into()], signal).await?;
        Ok(found.filter(|signal| signal.stream_id == stream))
    }

    /// The first `limit` of a stream, at most a thousand.
    pub async fn of_stream(&mut self, stream: StreamId, limit: u32) -> Result<Vec<QueuedSignal>, StoreError> {
        self.0.many(&OF_STREAM, &[stream.into(), i64::from(limit.min(MOST)).into()], signal).await
    }

    /// Removes signals that are done.
    pub async fn remove_many(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, ids.iter().map(|id| vec![(*id).into()]).collect()).await
    }
}

fn values(signal: &QueuedSignal) -> Vec<Value> {
    vec![
        signal.id.into(),
        signal.stream_id.into(),
        signal.number.into(),
        signal.user_id.map_or(Uuid::nil(), |id| id.0).into(),
        signal.payload.clone().into(),
        signal.created_at.into(),
        signal.expires_at.into(),
    ]
}

fn signal(row: &mut Row) -> Result<QueuedSignal, StoreError> {
    let user = row.uuid(position!(STREAM_SIGNALS.user_id))?;
    Ok(QueuedSignal {
        stream_id: StreamId(row.uuid(position!(STREAM_SIGNALS.stream_id))?),
        id: row.uuid(position!(STREAM_SIGNALS.id))?,
        number: row.i64(position!(STREAM_SIGNALS.number))?,
        user_id: Some(user).filter(|id| !id.is_nil()).map(UserId),
        payload: row.json(position!(STREAM_SIGNALS.payload))?,
        created_at: row.timestamp(position!(STREAM_SIGNALS.created_at))?,
        expires_at: row.timestamp(position!(STREAM_SIGNALS.expires_at))?,
    })
}
