//! Once more what has arrived, for a receiver that has lost it: one delivery, or the events of a range of time. The copy has
//! the id of the first, so that whoever remembers ids does nothing twice, and asking twice is no more than asking once.
//!
//! Deliberately absent: sending. What is to be sent again waits in its queue, behind what happens meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_model::{Act, DeliveryId, DeliveryState, Event, EventKind, Refusal, Timestamp, Webhook, WebhookId};
use userd_storage::{
    Failure,
    repositories::{deliveries::bulk_queue_of, outbox::SHARDS},
};

use super::{Deliveries, administration::view, content::Notice, life_of};
use crate::{Context, change::Change, deliveries::DeliveryView, limits::Limited, recent_proof};

/// Events looked at in one request, at most; there is a place to go on.
const STEP: usize = 1_000;
/// Events read at once, and written in one unit of work.
const UNIT: u32 = 100;
/// How far an event may stand in its shard from where its time would have it: clocks differ, and some facts come late.
const DISORDER: Duration = Duration::from_hours(1);

/// Which events are sent again.
#[derive(Clone, Debug)]
pub struct ResendRange {
    /// Those that happened at this time or later.
    pub from: Timestamp,
    /// And not after this one; until now, where nothing is said.
    pub to: Option<Timestamp>,
    /// Where the request before ended.
    pub after: Option<ResendPlace>,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResendPlace {
    shard: i64,
    position: i64,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// Events that are on their way again, or were already.
    pub scheduled: usize,
    /// Where to go on, if there is more.
    pub next: Option<ResendPlace>,
}

impl Deliveries {
    /// Sends once more what a webhook was told, also where it has arrived. What waits stays as it is.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `TooManyAttempts`; `InvalidInput` where it went to a person, or the webhook is off.
    pub async fn resend(&self, ctx: &Context, id: DeliveryId) -> Result<DeliveryView, Failure> {
        ctx.may(&Act::ManageDeliveries)?;
        self.limits.reserve(Limited::Resend, &ctx.actor.name()).await?;
        let resent = self
            .changes
            .run(ctx, "resend_delivery", |mut change| async move {
                let mut delivery = change.deliveries().find(id).await?.ok_or(Refusal::NotFound)?;
                let Some(webhook) = delivery.webhook_id else {
                    return Err(
                        Refusal::field("/id", "went to a person; only webhooks are sent something again").into()
                    );
                };
                let found = change.webhooks().find(webhook).await?;
                must_be_on(found.as_ref())?;
                let before = delivery.state;
                if before != DeliveryState::Pending {
                    delivery.retry(bulk_queue_of(webhook.0), change.now, life_of(delivery.channel));
                    self.write_state(&mut change, before, &mut delivery).await?;
                    change.event(EventKind::WebhookResent, webhook, serde_json::json!({ "events": 1 }));
                }
                change.commit(view(&delivery)).await
            })
            .await?;
        self.wake();
        Ok(resent)
    }

    /// Sends a webhook the events of a range of time that it asks for, whether they arrived, failed, or were not meant for
    /// it at the time. As long as they are kept, and a thousand looked at in each request.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `TooManyAttempts`; `InvalidInput` where the range is none, or the webhook is off.
    pub async fn resend_events(&self, ctx: &Context, id: WebhookId, range: &ResendRange) -> Result<Resent, Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        self.limits.reserve(Limited::Resend, &ctx.actor.name()).await?;
        let to = range.to.unwrap_or_else(|| self.deps.now());
        if to < range.from {
            return Err(Refusal::field("/to", "must not be before `from`").into());
        }
        let webhook = self.deps.store.reading().webhooks().find(id).await?.ok_or(Refusal::NotFound)?;
        must_be_on(Some(&webhook))?;
        let (events, next) = self.events_of(&webhook, (range.from, to), range.after).await?;
        let told = &serde_json::json!({
            "events": events.len(), "from": range.from.to_string(), "to": to.to_string()
        });
        for (place, events) in events.chunks(UNIT as usize).enumerate() {
            self.changes
                .run(ctx, "resend_events", |mut change| async move {
                    self.schedule(&mut change, id, events).await?;
                    if place == 0 {
                        change.event(EventKind::WebhookResent, id, told.clone());
                    }
                    change.commit(()).await
                })
                .await?;
        }
        self.wake();
        Ok(Resent { scheduled: events.len(), next })
    }

    /// A delivery of each of these events, due now: the one that there was, or a new one.
    async fn schedule(&self, change: &mut Change<'_>, webhook: WebhookId, events: &[Event]) -> Result<(), Failure> {
        let mut new = Vec::new();
        for event in events {
            let mut delivery = self.to_webhook(webhook, Notice::of_event(event), change.now)?;
            delivery.queue = bulk_queue_of(webhook.0);
            match change.deliveries().find(delivery.id).await? {
                None => new.push(delivery),
                Some(known) if known.state == DeliveryState::Pending => {}
                Some(mut known) => {
                    let before = known.state;
                    known.retry(delivery.queue, change.now, life_of(known.channel));
                    self.write_state(change, before, &mut known).await?;
                }
            }
        }
        Ok(change.deliveries().insert_many(&new).await?)
    }

    /// The next events of a range that a webhook asks for, shard after shard, and where to go on.
    async fn events_of(
        &self,
        webhook: &Webhook,
        (from, to): (Timestamp, Timestamp),
        after: Option<ResendPlace>,
    ) -> Result<(Vec<Event>, Option<ResendPlace>), Failure> {
        let mut reading = self.deps.store.reading();
        let heads = reading.event_heads().all().await?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for shard in after.map_or(0, |place| place.shard)..SHARDS {
            let end = heads.iter().find(|head| head.shard == shard).map_or(0, |head| head.position);
            let mut position = match after.filter(|place| place.shard == shard) {
                Some(place) => place.position,
                None => self.position_before(shard, end, from.minus(DISORDER)).await?,
            };
            while position < end {
                if looked_at >= STEP {
                    return Ok((found, Some(ResendPlace { shard, position })));
                }
                let page = reading.events().behind(shard, position, UNIT).await?;
                looked_at += page.len().max(1);
                position = page.last().map_or(end, |last| last.position);
                if page.last().is_some_and(|last| to.plus(DISORDER) < last.at) {
                    position = end;
                }
                let is_asked_for = |event: &Event| (from..=to).contains(&event.at) && webhook.wants(&event.kind);
                found.extend(page.into_iter().filter(is_asked_for));
            }
        }
        Ok((found, None))
    }

    /// The last position of a shard whose event, and all before it, happened before this time: found by halves.
    async fn position_before(&self, shard: i64, end: i64, time: Timestamp) -> Result<i64, Failure> {
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let next = self.deps.store.reading().events().behind(shard, middle, 1).await?;
            match next.first() {
                Some(event) if event.at < time => low = event.position,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

fn must_be_on(webhook: Option<&Webhook>) -> Result<(), Refusal> {
    if webhook.is_some_and(Webhook::is_enabled) {
        return Ok(());
    }
    Err(Refusal::field("/id", "the webhook is gone or off, so nothing is sent to it; switch it on first"))
}
