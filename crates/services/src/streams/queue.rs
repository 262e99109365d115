//! The queue of a stream: filled from the event log when its receiver comes or can be called, emptied as signals are taken.

use std::time::Duration;

use userd_model::{EventId, QueuedSignal, Stream, StreamId, Timestamp};
use userd_storage::Failure;
use uuid::Uuid;

use super::{Streams, signals};
use crate::{
    change::Change,
    events::{EventCursor, EventPage, EventStart, EventsFailure},
};

/// Events that are looked at in one go, and so the most signals that are queued in one.
const BATCH: usize = 200;
/// What a stream says of itself is of no use to anybody later.
const CONTROL_KEPT: Duration = Duration::from_hours(24);
/// Rows that are looked at where most of them are held.
const EVERY: u32 = 1_000;

/// The front of a queue.
pub(super) struct Front {
    pub(super) signals: Vec<QueuedSignal>,
    pub(super) has_more: bool,
}

impl Streams {
    /// The first signals that may be sent now, at most `limit`; the queue is filled where that is more than it has.
    pub(super) async fn front(&self, stream: &Stream, limit: usize) -> Result<Front, Failure> {
        let wanted = if stream.is_enabled() { u32::try_from(limit + 1).unwrap_or(EVERY) } else { EVERY };
        let mut signals = self.waiting(stream, wanted).await?;
        if signals.len() <= limit && stream.is_enabled() && self.fill(stream.id).await? {
            signals = self.waiting(stream, wanted).await?;
        }
        let has_more = signals.len() > limit;
        signals.truncate(limit);
        Ok(Front { signals, has_more })
    }

    async fn waiting(&self, stream: &Stream, limit: u32) -> Result<Vec<QueuedSignal>, Failure> {
        let (id, now) = (stream.id, self.deps.now());
        let mut signals = self.deps.store.reading().stream_signals().of_stream(id, limit).await?;
        // Of a stream that is not on, only what it says of itself is sent.
        signals.retain(|signal| signal.expires_at > now && (stream.is_enabled() || signal.user_id.is_none()));
        Ok(signals)
    }

    /// Queues what has happened since, until there is something or nothing is left. Answers whether there is something.
    async fn fill(&self, id: StreamId) -> Result<bool, Failure> {
        loop {
            let Some(stream) = self.deps.store.reading().streams().find(id).await? else { return Ok(false) };
            if !stream.is_enabled() {
                return Ok(false);
            }
            let known = EventCursor::stored(stream.cursor.clone());
            let page = self.behind(&stream, known.clone()).await?;
            if page.next == known {
                return Ok(false);
            }
            let (is_last, next) = (page.events.len() < BATCH, page.next.into_positions());
            let signals = signals::of(self, &stream, &page.events).await?;
            let is_some = !signals.is_empty();
            self.advance(&stream, next, signals).await?;
            if is_some || is_last {
                return Ok(is_some);
            }
        }
    }

    async fn behind(&self, stream: &Stream, known: EventCursor) -> Result<EventPage, Failure> {
        match self.events.read(EventStart::After(known), BATCH).await {
            Err(EventsFailure::Expired { .. }) => {
                tracing::warn!(stream = %stream.id, "a stream of shared signals was behind for longer than events are kept");
                Ok(self.events.read(EventStart::Oldest, BATCH).await?)
            }
            page => Ok(page?),
        }
    }

    /// Queues signals and goes on in the log, unless somebody else has meanwhile.
    async fn advance(&self, seen: &Stream, next: Vec<i64>, signals: Vec<QueuedSignal>) -> Result<(), Failure> {
        let (next, signals) = (&next, &signals);
        self.changes
            .run(&self.changes.system_context(), "queue_signals", |mut change| async move {
                let stream = change.streams().find(seen.id).await?;
                let same = stream.filter(|stream| stream.cursor == seen.cursor && stream.is_enabled());
                let Some(mut stream) = same else { return change.commit(()).await };
                stream.cursor.clone_from(next);
                write(&mut change, stream, signals.clone()).await?;
                change.commit(()).await
            })
            .await
    }

    /// Something that the stream says of itself.
    pub(super) async fn say(
        &self,
        change: &mut Change<'_>,
        stream: Stream,
        kind: &'static str,
        body: serde_json::Value,
    ) -> Result<(), Failure> {
        let id: Uuid = change.id::<EventId>().0;
        let payload = signals::control(&self.deps.settings.issuer, &stream, id, (kind, body), change.now);
        let (created_at, expires_at) = (change.now, change.now.plus(CONTROL_KEPT));
        let signal =
            QueuedSignal { stream_id: stream.id, id, number: 0, user_id: None, payload, created_at, expires_at };
        write(change, stream, vec![signal]).await
    }

    /// Removes what was taken; answers which of it waited here.
    pub(super) async fn take(&self, id: StreamId, taken: &[Uuid]) -> Result<Vec<Uuid>, Failure> {
        self.changes
            .run(&self.changes.system_context(), "take_signals", |mut change| async move {
                // What is another stream's is nobody's to acknowledge here.
                let waiting = change.stream_signals().of_stream(id, EVERY).await?;
                let own: Vec<Uuid> = waiting.iter().map(|signal| signal.id).filter(|id| taken.contains(id)).collect();
                change.stream_signals().remove_many(&own).await?;
                change.commit(own).await
            })
            .await
    }

    /// The stream changes by how pushes go.
    pub(super) async fn record(
        &self,
        id: StreamId,
        taken: Option<Uuid>,
        act: impl Fn(&mut Stream, Timestamp) + Send + Sync,
    ) -> Result<(), Failure> {
        let act = &act;
        self.changes
            .run(&self.changes.system_context(), "record_push", |mut change| async move {
                let Some(mut stream) = change.streams().find(id).await? else { return change.commit(()).await };
                act(&mut stream, change.now);
                change.stream_signals().remove_many(taken.as_slice()).await?;
                change.streams().update(&stream).await?;
                change.commit(()).await
            })
            .await
    }
}

/// Queues signals behind those that are there, and writes the stream.
async fn write(change: &mut Change<'_>, mut stream: Stream, mut signals: Vec<QueuedSignal>) -> Result<(), Failure> {
    for signal in &mut signals {
        stream.queued += 1;
        signal.number = stream.queued;
    }
    change.stream_signals().write_many(&signals).await?;
    Ok(change.streams().update(&stream).await?)
}

/// Removes what waits.
pub(super) async fn empty(change: &mut Change<'_>, id: StreamId) -> Result<(), Failure> {
    let waiting = change.stream_signals().of_stream(id, EVERY).await?;
    let ids: Vec<Uuid> = waiting.iter().map(|signal| signal.id).collect();
    Ok(change.stream_signals().remove_many(&ids).await?)
}
