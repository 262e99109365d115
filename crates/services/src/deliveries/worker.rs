//! Does what is due: many messages at once, few to each destination, in the queues whose leases this replica has.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet, time::Instant};
use userd_model::{Delivery, DeliveryChannel, DeliveryId, Message, Timestamp};
use userd_storage::{
    Failure,
    repositories::deliveries::{QUEUES, queue_of},
};
use uuid::Uuid;

use super::Deliveries;
use crate::faults::Outage;

/// Messages under way at once.
const MOST: usize = 64;
/// Of these, to one destination: one that is slow leaves places for the others.
const PER_DESTINATION: usize = 8;
/// Of these, with what was sent to many at once: a notice always finds a place.
const BULK_PER_DESTINATION: usize = 6;
/// Rows read at once of one queue.
const PAGE: u32 = 100;
/// What is due is not read more often than this, while there is something to do.
const BREATH: Duration = Duration::from_millis(20);
/// Pages that are put aside before what was read is begun.
const PAGES_ASIDE: u32 = 4;
/// What another replica asked for waits this long at most; what was asked for here wakes the worker.
const LOOK: Duration = Duration::from_millis(500);

/// Where a message goes, as far as it can fail for all: the relay, the bot, one receiver of events. Inboxes are the
/// database, of which there is one.
pub(super) type Destination = (DeliveryChannel, Uuid);

fn destination(delivery: &Delivery) -> Destination {
    (delivery.channel, delivery.webhook_id.map_or(Uuid::nil(), |id| id.0))
}

/// Whose lease a piece of work is done under: the queue, and the epoch.
pub(super) type Lease = (i64, i64);

/// One thing that is due.
pub(super) enum Work {
    Deliver(Box<Delivery>),
    Expand(Box<Message>),
}

impl Work {
    fn id(&self) -> Uuid {
        match self {
            Self::Deliver(delivery) => delivery.id.0,
            Self::Expand(message) => message.id.0,
        }
    }

    pub(super) fn destination(&self) -> Destination {
        match self {
            Self::Deliver(delivery) => destination(delivery),
            Self::Expand(message) => (DeliveryChannel::Inbox, message.id.0),
        }
    }

    /// Whether it was sent to many at once, or is sent once more.
    const fn is_bulk(&self) -> bool {
        match self {
            Self::Deliver(delivery) => delivery.queue >= QUEUES,
            Self::Expand(_) => true,
        }
    }
}

/// What was read as due, and is not begun.
#[derive(Default)]
struct Due {
    work: Vec<(Work, Lease)>,
    /// Whether there was anything at all.
    is_any: bool,
    /// Whether there may be more behind what was put aside.
    is_cut: bool,
}

/// What is being done by this process.
#[derive(Default)]
pub(super) struct UnderWay {
    places: HashMap<Uuid, Destination>,
    taken: HashMap<Destination, usize>,
    /// When a place was last taken first, or given back.
    moved: HashMap<Destination, Instant>,
    /// Done since what is due was last read: there it may still stand as due.
    done: HashSet<Uuid>,
}

impl UnderWay {
    /// Whether there is a place for it, which it then has.
    fn take(&mut self, work: &Work) -> bool {
        let (id, destination) = (work.id(), work.destination());
        let is_known = self.places.contains_key(&id) || self.done.contains(&id);
        let is_free = self.places.len() < MOST && self.has_place(work) && !is_known;
        if is_free {
            self.places.insert(id, destination);
            *self.taken.entry(destination).or_default() += 1;
            self.moved.entry(destination).or_insert_with(tokio::time::Instant::now);
        }
        is_free
    }

    fn has_place(&self, work: &Work) -> bool {
        let most = if work.is_bulk() { BULK_PER_DESTINATION } else { PER_DESTINATION };
        self.taken.get(&work.destination()).copied().unwrap_or_default() < most
    }

    /// Whether its destination has had every place for a while, and given none back.
    pub(super) fn is_stuck(&self, work: &Work, now: Instant) -> bool {
        let moved = self.moved.get(&work.destination());
        !self.has_place(work) && moved.is_some_and(|moved| now.saturating_duration_since(*moved) >= LOOK)
    }

    fn leave(&mut self, id: Uuid) {
        self.done.insert(id);
        if let Some(destination) = self.places.remove(&id)
            && let Some(taken) = self.taken.get_mut(&destination)
        {
            *taken -= 1;
            if *taken == 0 {
                self.taken.remove(&destination);
                self.moved.remove(&destination);
            } else {
                self.moved.insert(destination, tokio::time::Instant::now());
            }
        }
    }

    fn is_known(&self, id: Uuid) -> bool {
        self.places.contains_key(&id) || self.done.contains(&id)
    }
}

impl Deliveries {
    /// Works until told to stop; what is under way then is finished, within the time of the channels.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut tasks, mut outage) = (JoinSet::new(), Outage::default());
        let mut due = Due::default();
        let mut read_at = tokio::time::Instant::now();
        let mut is_asked = true;
        loop {
            let age = read_at.elapsed();
            if age >= LOOK || (age >= BREATH || tasks.is_empty()) && (is_asked || due.is_any && due.work.is_empty()) {
                (read_at, is_asked) = (tokio::time::Instant::now(), false);
                let read = self.read_due().await;
                if let Some(failure) = outage.begins(&read) {
                    tracing::warn!(%failure, "messages are not sent; it will be tried again until it works");
                }
                due = read.unwrap_or_default();
            }
            self.start(&mut due, &mut tasks);
            let is_pressing = is_asked || due.is_any && due.work.is_empty();
            let failing = outage.lasts();
            let rest = (if is_pressing && !failing { BREATH } else { LOOK }).saturating_sub(read_at.elapsed());
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.asked.notified(), if !is_asked && !failing => is_asked = true,
                Some(_) = tasks.join_next() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Does everything that is due now, and what that asks for. Answers how much was taken in hand.
    ///
    /// # Errors
    /// Storage faults. What was done before stays done.
    pub async fn tick(self: &Arc<Self>) -> Result<usize, Failure> {
        let (mut tasks, mut all) = (JoinSet::new(), 0);
        loop {
            let mut due = self.read_due().await?;
            let started = self.start(&mut due, &mut tasks);
            all += started;
            if started == 0 && tasks.is_empty() && !due.is_cut {
                return Ok(all);
            }
            while tasks.join_next().await.is_some() {
                all += self.start(&mut due, &mut tasks);
            }
        }
    }

    /// What is due in the queues of this replica, without what goes where nothing can be sent now: that is put aside, and
    /// what is behind it is read.
    async fn read_due(&self) -> Result<Due, Failure> {
        let mut due = Due::default();
        for _ in 0..PAGES_ASIDE {
            due = self.read_page().await?;
            if self.put_aside(&mut due.work).await? == 0 {
                return Ok(due);
            }
        }
        Ok(Due { is_any: true, is_cut: true, ..due })
    }

    /// A page of each queue: first what concerns one, then what was sent to many.
    async fn read_page(&self) -> Result<Due, Failure> {
        let now = self.deps.now();
        self.leases.take(now).await?;
        let in_flight = self.under_way(|under_way| {
            under_way.done.clear();
            under_way.places.len()
        });
        let page = PAGE + u32::try_from(in_flight).unwrap_or(u32::MAX);
        let (mut work, mut late) = (Vec::new(), HashMap::new());
        let held = self.leases.held();
        for bulk in [0, QUEUES] {
            for lease in &held {
                for delivery in self.deps.store.reading().deliveries().due(lease.0 + bulk, now, page).await? {
                    let oldest: &mut Duration = late.entry(delivery.channel).or_default();
                    *oldest = (*oldest).max(now.since(delivery.due_at));
                    work.push((Work::Deliver(Box::new(delivery)), *lease));
                }
            }
        }
        for message in self.to_be_expanded().await? {
            let lease = held.iter().find(|lease| lease.0 == queue_of(message.id.0));
            work.extend(lease.map(|lease| (Work::Expand(Box::new(message)), *lease)));
        }
        for channel in DeliveryChannel::ALL {
            let age = late.get(channel).copied().unwrap_or_default().max(self.longest_failing(*channel));
            metrics::gauge!("userd_deliveries_oldest_seconds", "channel" => channel.as_str()).set(age.as_secs_f64());
        }
        metrics::counter!("userd_deliveries_rounds_total").increment(1);
        self.under_way(|under_way| work.retain(|(work, _)| !under_way.is_known(work.id())));
        Ok(Due { is_any: !work.is_empty(), is_cut: false, work })
    }

    /// How long a destination of this channel has taken nothing. What waits for it is put off, and never due for long.
    #[must_use]
    pub fn longest_failing(&self, channel: DeliveryChannel) -> Duration {
        let now = self.deps.now();
        self.breakers.failing_since(channel, now).map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Takes in hand what is due, as far as there are places. What is left waits for one; what goes where nothing can be sent
    /// any more is read again, and put aside.
    fn start(self: &Arc<Self>, due: &mut Due, tasks: &mut JoinSet<()>) -> usize {
        let (mut started, now) = (0, self.deps.now());
        let mut waiting = Vec::with_capacity(due.work.len());
        for (work, lease) in due.work.drain(..) {
            let is_left_alone = self.left_alone_until(&work, now).is_some();
            if !is_left_alone && self.under_way(|under_way| under_way.take(&work)) {
                started += 1;
                let deliveries = Arc::clone(self);
                tasks.spawn(async move { deliveries.carry_out(work, lease).await });
            } else if !is_left_alone {
                waiting.push((work, lease));
            }
        }
        due.work = waiting;
        started
    }

    async fn carry_out(self: Arc<Self>, work: Work, lease: Lease) {
        let id = work.id();
        match work {
            Work::Deliver(delivery) => self.deliver(&delivery, lease).await,
            Work::Expand(message) => {
                if let Err(failure) = self.expand(&message, lease).await {
                    tracing::warn!(%failure, message_id = %id, "a notification could not be made into deliveries; it will be tried again");
                }
            }
        }
        self.under_way(|under_way| under_way.leave(id));
    }

    async fn deliver(&self, delivery: &Delivery, lease: Lease) {
        let (id, channel) = (delivery.id, delivery.channel);
        let done = if delivery.deadline <= self.deps.now() {
            self.expire(id).await
        } else if channel == DeliveryChannel::Inbox {
            self.place(delivery, lease).await
        } else {
            self.send(delivery, destination(delivery)).await
        };
        if let Err(failure) = done {
            tracing::warn!(%failure, delivery_id = %id, channel = channel.as_str(), "a message could not be worked on; it will be tried again");
            // Not at once: what is wrong with one message must not turn the worker in circles.
            let later = self.deps.now().plus(LOOK * 20);
            drop(self.postpone(id, later).await);
        }
    }

    async fn expire(&self, id: DeliveryId) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "expire_delivery", |mut change| async move {
                if let Some(mut delivery) = Self::still_pending(&mut change, id).await? {
                    let before = delivery.state;
                    delivery.expire(change.now);
                    self.write_state(&mut change, before, &mut delivery).await?;
                    // A mailbox that answered "later" for all its time was never reached either.
                    self.fall_back(&mut change, &delivery).await?;
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

    pub(super) fn under_way<T>(&self, act: impl FnOnce(&mut UnderWay) -> T) -> T {
        act(&mut self.under_way.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use userd_model::{DeliveryState, MessageId, UserId, WebhookId};

    use super::*;

    fn work(id: u8, channel: DeliveryChannel, is_bulk: bool) -> Work {
        let now = Timestamp::from_seconds(1_800_000_000);
        Work::Deliver(Box::new(Delivery {
            id: DeliveryId::from_random([id; 16]),
            queue: if is_bulk { QUEUES } else { 0 },
            due_at: now,
            state: DeliveryState::Pending,
            channel,
            user_id: Some(UserId::from_random([1; 16])),
            webhook_id: None,
            message_id: is_bulk.then(|| MessageId::from_random([2; 16])),
            content: Vec::new(),
            attempts: 0,
            last_error: None,
            created_at: now,
            deadline: now,
            finished_at: None,
            remove_at: now,
        }))
    }

    /// A million messages wait for the relay, and somebody else signs in at an account.
    #[test]
    fn a_notice_finds_a_place_among_what_was_sent_to_many() {
        for channel in [DeliveryChannel::Inbox, DeliveryChannel::Email, DeliveryChannel::Telegram] {
            let mut under_way = UnderWay::default();
            let bulk = (0..100).filter(|id| under_way.take(&work(*id, channel, true))).count();
            assert_eq!(bulk, BULK_PER_DESTINATION);
            assert!(under_way.take(&work(200, channel, false)), "{channel:?}");
        }
    }

    /// A receiver that answers now and then is slow, not stuck; one that takes every call and answers none is.
    #[test]
    fn a_destination_that_gives_no_place_back_is_stuck_after_a_while() {
        let mut under_way = UnderWay::default();
        let (mail, other) = (work(100, DeliveryChannel::Email, false), work(101, DeliveryChannel::Telegram, false));
        let later = || tokio::time::Instant::now() + LOOK;
        for id in 0..8 {
            assert!(!under_way.is_stuck(&mail, later()), "it has a place");
            assert!(under_way.take(&work(id, DeliveryChannel::Email, false)));
        }
        assert!(!under_way.is_stuck(&mail, tokio::time::Instant::now()), "it has had no time to answer");
        assert!(under_way.is_stuck(&mail, later()) && !under_way.is_stuck(&other, later()));
        let was = later();
        under_way.leave(work(0, DeliveryChannel::Email, false).id());
        assert!(
            under_way.take(&work(9, DeliveryChannel::Email, false)) && !under_way.is_stuck(&mail, was),
            "it answers"
        );
        assert!(under_way.is_stuck(&mail, later()));
    }

    /// It was read as due while it was being sent; when that is done it still stands in what was read.
    #[test]
    fn what_was_done_since_it_was_read_is_not_done_again() {
        let mut under_way = UnderWay::default();
        let mail = work(1, DeliveryChannel::Email, false);
        assert!(under_way.take(&mail) && !under_way.take(&mail));
        under_way.leave(mail.id());
        assert!(!under_way.take(&mail), "done");
        under_way.done.clear();
        assert!(under_way.take(&mail), "read anew: it is to be tried again");
    }

    /// However many destinations there are.
    #[test]
    fn no_more_than_sixty_four_are_under_way_at_once() {
        let mut under_way = UnderWay::default();
        let call = |number: u8| match work(number, DeliveryChannel::Webhook, false) {
            Work::Deliver(delivery) => {
                let webhook_id = Some(WebhookId::from_random([number / 5; 16]));
                Work::Deliver(Box::new(Delivery { webhook_id, ..*delivery }))
            }
            other => other,
        };
        assert_eq!((0..100).filter(|number| under_way.take(&call(*number))).count(), 64);
        under_way.leave(call(0).id());
        assert!(under_way.take(&call(100)) && !under_way.take(&call(105)), "one place, for one");
    }
}
