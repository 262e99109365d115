//! Messages on their way: what is due in each queue, and what became of the others.

use userd_model::{Delivery, DeliveryChannel, DeliveryId, DeliveryState, MessageId, Timestamp, UserId, WebhookId};
use uuid::Uuid;

use super::known;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Deliveries.
pub struct Deliveries<'a>(pub(super) &'a mut UnitOfWork);

/// How many queues there are: 0 to 15, and as many for what is sent to many at once.
pub const QUEUES: i64 = 16;

/// The queue of a destination: all that goes there waits in one.
#[must_use]
pub fn queue_of(destination: Uuid) -> i64 {
    i64::try_from(destination.as_u128() % 16).unwrap_or(0) % QUEUES
}

/// The same for what was sent to many at once. It is worked off by whoever works off the other, with what places that
/// leaves: a notice does not wait for a million messages.
#[must_use]
pub fn bulk_queue_of(destination: Uuid) -> i64 {
    queue_of(destination) + QUEUES
}

/// Where a page ends.
pub type DeliveryPlace = (Timestamp, DeliveryId);

statements_of! { DELIVERIES:
    INSERT = "deliveries.insert": Shape::Insert;
    BY_ID = "deliveries.by_id": Shape::Find;
    UPDATE = "deliveries.update": Shape::Update(&[
        "queue", "due_at", "state", "attempts", "last_error", "deadline", "finished_at", "remove_at"
    ]);
    DUE = "deliveries.due": Shape::List(List::along("deliveries_by_due").equal(1).range(Range::UpTo));
    NEWEST = "deliveries.newest": Shape::List(List::along("deliveries_by_state").equal(1).descending());
    OLDER = "deliveries.older":
        Shape::List(List::along("deliveries_by_state").equal(1).range(Range::Behind).descending());
    OLDEST = "deliveries.oldest": Shape::List(List::along("deliveries_by_state").equal(1));
}

impl Deliveries<'_> {
    /// Adds deliveries.
    ///
    /// # Errors
    /// `Duplicate(Key("deliveries"))` when one is there.
    pub async fn insert_many(&mut self, deliveries: &[Delivery]) -> Result<(), StoreError> {
        self.0.write_many(&INSERT, deliveries.iter().map(values).collect()).await
    }

    /// The delivery with this id.
    pub async fn find(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], delivery).await
    }

    /// Writes how far it is.
    pub async fn update(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        let values = [
            delivery.queue.into(),
            delivery.due_at.into(),
            delivery.state.as_str().into(),
            delivery.attempts.into(),
            delivery.last_error.clone().into(),
            delivery.deadline.into(),
            delivery.finished_at.into(),
            delivery.remove_at.into(),
            delivery.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Up to `limit` of a queue that are due by `now`, the longest due first.
    pub async fn due(&mut self, queue: i64, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        self.0.many(&DUE, &[queue.into(), now.into(), i64::from(limit).into()], delivery).await
    }

    /// Up to `limit` in a state, the newest first, behind `after`.
    pub async fn in_state(
        &mut self,
        state: DeliveryState,
        after: Option<DeliveryPlace>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (state, limit) = (state.as_str().into(), i64::from(limit).into());
        match after {
            None => self.0.many(&NEWEST, &[state, limit], delivery).await,
            Some((at, id)) => self.0.many(&OLDER, &[state, at.into(), id.into(), limit], delivery).await,
        }
    }

    /// The one that has been waiting longest.
    pub async fn oldest_pending(&mut self) -> Result<Option<Delivery>, StoreError> {
        self.0.one(&OLDEST, &[DeliveryState::Pending.as_str().into(), 1_i64.into()], delivery).await
    }
}

fn delivery(row: &mut Row) -> Result<Delivery, StoreError> {
    let some = |id: Uuid| Some(id).filter(|id| !id.is_nil());
    Ok(Delivery {
        id: DeliveryId(row.uuid(position!(DELIVERIES.id))?),
        queue: row.i64(position!(DELIVERIES.queue))?,
        due_at: row.timestamp(position!(DELIVERIES.due_at))?,
        state: known("state of a delivery", DeliveryState::parse(&row.text(position!(DELIVERIES.state))?))?,
        channel: known("channel", DeliveryChannel::parse(&row.text(position!(DELIVERIES.channel))?))?,
        user_id: some(row.uuid(position!(DELIVERIES.user_id))?).map(UserId),
        webhook_id: some(row.uuid(position!(DELIVERIES.webhook_id))?).map(WebhookId),
        message_id: some(row.uuid(position!(DELIVERIES.message_id))?).map(MessageId),
        content: row.bytes(position!(DELIVERIES.content))?,
        attempts: row.i64(position!(DELIVERIES.attempts))?,
        last_error: row.text_or_null(position!(DELIVERIES.last_error))?,
        created_at: row.timestamp(position!(DELIVERIES.created_at))?,
        deadline: row.timestamp(position!(DELIVERIES.deadline))?,
        finished_at: row.timestamp_or_null(position!(DELIVERIES.finished_at))?,
        remove_at: row.timestamp(position!(DELIVERIES.remove_at))?,
    })
}

fn values(delivery: &Delivery) -> Vec<Value> {
    vec![
        delivery.id.into(),
        delivery.queue.into(),
        delivery.due_at.into(),
        delivery.state.as_str().into(),
        delivery.channel.as_str().into(),
        delivery.user_id.map_or(Uuid::nil(), |id| id.0).into(),
        delivery.webhook_id.map_or(Uuid::nil(), |id| id.0).into(),
        delivery.message_id.map_or(Uuid::nil(), |id| id.0).into(),
        delivery.content.clone().into(),
        delivery.attempts.into(),
        delivery.last_error.clone().into(),
        delivery.created_at.into(),
        delivery.deadline.into(),
        delivery.finished_at.into(),
        delivery.remove_at.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_to_many_waits_in_queues_of_its_own() {
        for number in 0..64 {
            let destination = Uuid::from_u128(number);
            assert!((0..QUEUES).contains(&queue_of(destination)));
            assert_eq!(bulk_queue_of(destination), queue_of(destination) + QUEUES);
        }
    }
}
