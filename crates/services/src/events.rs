//! The event feed: what other services read of the event log, page by page. A cursor is a position in every shard; since
//! positions have no gaps, it misses nothing and nothing comes twice. Deliberately absent: who appends (`event_log.rs`).

use std::{pin::pin, sync::Arc};

use serde::{Deserialize, Serialize};
use userd_model::{Act, Event, Refusal, Timestamp};
use userd_storage::{
    Failure,
    repositories::{event_heads::EventHead, outbox::SHARDS},
};

use crate::{Context, Dependencies, event_log::EventLog};

/// Reads the event log.
pub struct Events {
    deps: Dependencies,
    log: Arc<EventLog>,
}

/// How far somebody has read: the last position of each shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventCursor(Vec<i64>);

impl EventCursor {
    /// A place that was stored.
    pub(crate) const fn stored(positions: Vec<i64>) -> Self {
        Self(positions)
    }

    /// To be stored.
    pub(crate) fn into_positions(self) -> Vec<i64> {
        self.0
    }
}

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventStart {
    /// With the oldest event that is kept.
    Oldest,
    /// With the next event.
    Now,
    /// Behind what was read before.
    After(EventCursor),
}

/// A page of events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// In the order of each subject.
    pub events: Vec<Event>,
    /// Where to go on.
    pub next: EventCursor,
}

/// Why a page cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EventsFailure {
    /// Events behind the cursor are gone, or it is of another log: a backup was restored.
    #[error("the cursor has expired")]
    Expired {
        /// The time of the oldest event that is kept.
        oldest: Option<Timestamp>,
    },
    /// As everywhere.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Events {
    pub(crate) const fn new(deps: Dependencies, log: Arc<EventLog>) -> Self {
        Self { deps, log }
    }

    /// Up to `limit` events.
    ///
    /// # Errors
    /// `Forbidden`; [`EventsFailure::Expired`].
    pub async fn page(&self, ctx: &Context, start: EventStart, limit: usize) -> Result<EventPage, EventsFailure> {
        ctx.may(&Act::ReadEvents).map_err(Failure::from)?;
        self.read(start, limit).await
    }

    /// Changes when something is appended.
    pub(crate) fn news(&self) -> tokio::sync::watch::Receiver<i64> {
        self.log.news()
    }

    /// The same, but as long as there is nothing it waits: for the next event, or until `end`.
    ///
    /// # Errors
    /// Those of [`Self::page`].
    pub async fn page_or_wait(
        &self,
        ctx: &Context,
        start: EventStart,
        limit: usize,
        end: impl Future<Output = ()> + Send,
    ) -> Result<EventPage, EventsFailure> {
        // Before reading: what is appended while the database is asked wakes up at once.
        let mut news = self.log.news();
        let (mut end, mut start) = (pin!(end), start);
        loop {
            let page = self.page(ctx, start, limit).await?;
            if !page.events.is_empty() {
                return Ok(page);
            }
            tokio::select! {
                biased;
                () = &mut end => return Ok(page),
                // An error would mean that the sender is gone, and it is in here.
                _ = news.changed() => start = EventStart::After(page.next),
            }
        }
    }

    /// The same for streams, which are nobody who asks.
    pub(crate) async fn read(&self, start: EventStart, limit: usize) -> Result<EventPage, EventsFailure> {
        let mut reading = self.deps.store.reading();
        let heads = reading.event_heads().all().await.map_err(Failure::from)?;
        let ends = ends(&heads);
        let (mut positions, is_fresh) = match start {
            EventStart::Now => return Ok(EventPage { events: Vec::new(), next: EventCursor(ends) }),
            EventStart::Oldest => (vec![0; ends.len()], true),
            EventStart::After(EventCursor(positions)) => (positions, false),
        };
        if positions.len() != ends.len() || positions.iter().zip(&ends).any(|(position, end)| position > end) {
            return Err(self.expired(&heads).await?);
        }
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        let mut shards = Vec::new();
        for ((shard, position), end) in (0..).zip(&mut positions).zip(&ends) {
            if *position == *end {
                continue;
            }
            let events = reading.events().behind(shard, *position, most).await.map_err(Failure::from)?;
            match events.first() {
                Some(first) if is_fresh => *position = first.position - 1,
                Some(first) if first.position == *position + 1 => {}
                // All of them have expired.
                None if is_fresh => *position = *end,
                _ => return Err(self.expired(&heads).await?),
            }
            shards.push(events);
        }
        let events = merged(shards, limit);
        for event in &events {
            if let Some(position) = usize::try_from(event.shard).ok().and_then(|shard| positions.get_mut(shard)) {
                *position = event.position;
            }
        }
        Ok(EventPage { events, next: EventCursor(positions) })
    }

    async fn expired(&self, heads: &[EventHead]) -> Result<EventsFailure, EventsFailure> {
        let mut oldest: Option<Timestamp> = None;
        for head in heads {
            let first = self.deps.store.reading().events().behind(head.shard, 0, 1).await.map_err(Failure::from)?;
            oldest = oldest.into_iter().chain(first.first().map(|event| event.at)).min();
        }
        Ok(EventsFailure::Expired { oldest })
    }
}

impl From<EventsFailure> for Failure {
    fn from(failure: EventsFailure) -> Self {
        match failure {
            EventsFailure::Expired { .. } => Refusal::CursorExpired.into(),
            EventsFailure::Failure(failure) => failure,
        }
    }
}

/// The last position of each shard.
fn ends(heads: &[EventHead]) -> Vec<i64> {
    let end = |shard| heads.iter().find(|head| head.shard == shard).map_or(0, |head| head.position);
    (0..SHARDS).map(end).collect()
}

/// The first `limit` of all shards: each shard in its order, and among the shards by time.
fn merged(shards: Vec<Vec<Event>>, limit: usize) -> Vec<Event> {
    let mut queues: Vec<_> = shards.into_iter().map(|events| events.into_iter().peekable()).collect();
    let mut events = Vec::new();
    while events.len() < limit {
        let next = queues.iter_mut().filter_map(|queue| queue.peek().map(|event| event.at).map(|at| (at, queue)));
        let Some(event) = next.min_by_key(|(at, _)| *at).and_then(|(_, queue)| queue.next()) else { break };
        events.push(event);
    }
    events
}
