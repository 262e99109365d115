//! Does what is due: many messages at once, few to each destination, in the queues whose leases this replica has.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};
use userd_model::{Delivery, DeliveryChannel, DeliveryId, Timestamp};
use userd_storage::Failure;
use uuid::Uuid;

use super::Deliveries;

/// Messages under way at once.
const MOST: usize = 64;
/// Of these, to one destination: one that is slow leaves places for the others.
const PER_DESTINATION: usize = 8;
/// Rows read at once of one queue.
const PAGE: u32 = 100;
/// What another replica asked for waits this long at most; what was asked for here wakes the worker.
const LOOK: Duration = Duration::from_millis(500);

/// Where a message goes, as far as it can fail for all: the relay, the bot, one receiver of events. Inboxes are the
/// database, of which there is one.
pub(super) type Destination = (DeliveryChannel, Uuid);

fn destination(delivery: &Delivery) -> Destination {
    (delivery.channel, delivery.webhook_id.map_or(Uuid::nil(), |id| id.0))
}

impl Deliveries {
    /// Works until told to stop; what is under way then is finished, within the time of the channels.
    pub(crate) async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut tasks, mut failing) = (JoinSet::new(), false);
        loop {
            let started = self.start_due(&mut tasks).await;
            if let Some(failure) = started.as_ref().err().filter(|_| !failing) {
                tracing::warn!(%failure, "messages are not sent; it will be tried again until it works");
            }
            failing = started.is_err();
            let is_busy = started.is_ok_and(|started| started > 0);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.asked.notified(), if !failing => {}
                Some(_) = tasks.join_next() => {}
                () = tokio::time::sleep(LOOK), if !is_busy => {}
                () = tokio::task::yield_now(), if is_busy && tasks.len() < MOST => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Does everything that is due now, and what that asks for. Answers how many messages were taken in hand.
    ///
    /// # Errors
    /// Storage faults. What was done before stays done.
    pub async fn tick(self: &Arc<Self>) -> Result<usize, Failure> {
        let (mut tasks, mut all) = (JoinSet::new(), 0);
        loop {
            let started = self.start_due(&mut tasks).await?;
            all += started;
            if started == 0 && tasks.is_empty() {
                return Ok(all);
            }
            while tasks.join_next().await.is_some() {}
        }
    }

    /// Takes in hand what is due, as far as there are places.
    async fn start_due(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> Result<usize, Failure> {
        let now = self.deps.now();
        self.leases.take(now).await?;
        let (mut started, mut late) = (0, HashMap::new());
        for lease in self.leases.held() {
            let in_flight = self.in_flight(|in_flight| in_flight.len());
            if in_flight >= MOST {
                break;
            }
            let page = PAGE + u32::try_from(in_flight).unwrap_or(u32::MAX);
            for delivery in self.deps.store.reading().deliveries().due(lease.0, now, page).await? {
                let oldest: &mut Duration = late.entry(delivery.channel).or_default();
                *oldest = (*oldest).max(now.since(delivery.due_at));
                if self.take_in_hand(&delivery) {
                    started += 1;
                    let deliveries = Arc::clone(self);
                    tasks.spawn(async move { deliveries.carry_out(delivery, lease).await });
                }
            }
        }
        for channel in DeliveryChannel::ALL {
            let age = late.get(channel).copied().unwrap_or_default();
            metrics::gauge!("userd_deliveries_oldest_seconds", "channel" => channel.as_str()).set(age.as_secs_f64());
        }
        metrics::counter!("userd_deliveries_rounds_total").increment(1);
        Ok(started)
    }

    /// Whether there is a place for it, which it then has.
    fn take_in_hand(&self, delivery: &Delivery) -> bool {
        let destination = destination(delivery);
        self.in_flight(|in_flight| {
            let there = in_flight.values().filter(|other| **other == destination).count();
            let is_free = in_flight.len() < MOST && there < PER_DESTINATION && !in_flight.contains_key(&delivery.id);
            is_free && in_flight.insert(delivery.id, destination).is_none()
        })
    }

    async fn carry_out(self: Arc<Self>, delivery: Delivery, lease: (i64, i64)) {
        let (id, channel) = (delivery.id, delivery.channel);
        let done = if delivery.deadline <= self.deps.now() {
            self.expire(id).await
        } else if channel == DeliveryChannel::Inbox {
            self.place(&delivery, lease).await
        } else {
            self.send(&delivery, destination(&delivery)).await
        };
        if let Err(failure) = done {
            tracing::warn!(%failure, delivery_id = %id, channel = channel.as_str(), "a message could not be worked on; it will be tried again");
            // Not at once: what is wrong with one message must not turn the worker in circles.
            let later = self.deps.now().plus(LOOK * 20);
            drop(self.postpone(id, later).await);
        }
        self.in_flight(|in_flight| in_flight.remove(&id));
    }

    async fn expire(&self, id: DeliveryId) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "expire_delivery", |mut change| async move {
                if let Some(mut delivery) = Self::still_pending(&mut change, id).await? {
                    delivery.expire(change.now);
                    change.deliveries().update(&delivery).await?;
                    let channel = delivery.channel.as_str();
                    metrics::counter!("userd_deliveries_total", "channel" => channel, "outcome" => "expired")
                        .increment(1);
                }
                change.commit(()).await
            })
            .await
    }

    async fn postpone(&self, id: DeliveryId, later: Timestamp) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "postpone_delivery", |mut change| async move {
                if let Some(mut delivery) = Self::still_pending(&mut change, id).await? {
                    delivery.postpone(later, Some("an error of the service; its log says more"));
                    change.deliveries().update(&delivery).await?;
                }
                change.commit(()).await
            })
            .await
    }

    /// Something new is due.
    pub(crate) fn wake(&self) {
        self.asked.notify_one();
    }

    fn in_flight<T>(&self, act: impl FnOnce(&mut HashMap<DeliveryId, Destination>) -> T) -> T {
        act(&mut self.in_flight.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
