//! For those who look after messages: what waits, what is dead and why, and trying again.

use userd_model::{Act, Delivery, DeliveryChannel, DeliveryId, DeliveryState, Refusal, Timestamp, UserId, WebhookId};
use userd_storage::{Failure, repositories::deliveries::DeliveryPlace};

use super::{Deliveries, life_of, queue_for};
use crate::Context;

/// A delivery as administrators see it: everything but what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the contract's Delivery, documented there")]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub channel: DeliveryChannel,
    pub state: DeliveryState,
    pub user_id: Option<UserId>,
    pub webhook_id: Option<WebhookId>,
    pub attempts: i64,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// A page of deliveries.
#[derive(Debug)]
pub struct DeliveryPage {
    /// Newest first.
    pub items: Vec<DeliveryView>,
    /// Where to go on, if there is more.
    pub next: Option<DeliveryPlace>,
}

impl Deliveries {
    /// A page of those in a state, newest first.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn list(
        &self,
        ctx: &Context,
        state: DeliveryState,
        after: Option<DeliveryPlace>,
        limit: usize,
    ) -> Result<DeliveryPage, Failure> {
        ctx.may(&Act::ReadDeliveries)?;
        let most = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
        let mut found = self.deps.store.reading().deliveries().in_state(state, after, most).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|last| (last.created_at, last.id));
        Ok(DeliveryPage { items: found.iter().map(view).collect(), next })
    }

    /// One delivery.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn find(&self, ctx: &Context, id: DeliveryId) -> Result<DeliveryView, Failure> {
        ctx.may(&Act::ReadDeliveries)?;
        let found = self.deps.store.reading().deliveries().find(id).await?;
        Ok(view(&found.ok_or(Refusal::NotFound)?))
    }

    /// Tries it again from the beginning, also what is dead or expired. What has arrived stays as it is.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn retry(&self, ctx: &Context, id: DeliveryId) -> Result<DeliveryView, Failure> {
        ctx.may(&Act::ManageDeliveries)?;
        let retried = self
            .decide(ctx, "retry_delivery", id, |delivery, now| {
                if delivery.state != DeliveryState::Delivered {
                    delivery.retry(queue_for(delivery), now, life_of(delivery.channel));
                }
            })
            .await?;
        self.wake();
        Ok(retried)
    }

    /// Gives one up that waits. What is done stays as it is.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn give_up(&self, ctx: &Context, id: DeliveryId) -> Result<DeliveryView, Failure> {
        ctx.may(&Act::ManageDeliveries)?;
        self.decide(ctx, "drop_delivery", id, |delivery, now| {
            if delivery.state == DeliveryState::Pending {
                delivery.give_up(now);
            }
        })
        .await
    }

    async fn decide(
        &self,
        ctx: &Context,
        name: &'static str,
        id: DeliveryId,
        rule: fn(&mut Delivery, Timestamp),
    ) -> Result<DeliveryView, Failure> {
        self.changes
            .run(ctx, name, |mut change| async move {
                let mut delivery = change.deliveries().find(id).await?.ok_or(Refusal::NotFound)?;
                let before = delivery.state;
                rule(&mut delivery, change.now);
                self.write_state(&mut change, before, &mut delivery).await?;
                change.commit(view(&delivery)).await
            })
            .await
    }
}

pub(super) fn view(delivery: &Delivery) -> DeliveryView {
    DeliveryView {
        id: delivery.id,
        channel: delivery.channel,
        state: delivery.state,
        user_id: delivery.user_id,
        webhook_id: delivery.webhook_id,
        attempts: delivery.attempts,
        last_error: delivery.last_error.clone(),
        created_at: delivery.created_at,
        due_at: Some(delivery.due_at).filter(|_| delivery.state == DeliveryState::Pending),
        finished_at: delivery.finished_at,
    }
}
