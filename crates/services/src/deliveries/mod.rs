//! Deliveries: what happened becomes messages to people and to other services, each tried until it has arrived, or never
//! will. One file for each step: what a fact asks for (`notice`), the inbox (`place`), a message to many
//! (`expand`), the other ways (`send`), mails to addresses (`letters`), messages in chats that change with what they show
//! (`cards`), the worker
//! that does what is due (`worker`), those who look after it (`administration`), and what is sent once more (`resend`).
//!
//! A message is sent at least once. Whoever gets it twice sees the same id: only when a process dies between the sending
//! and the note of it, or when a lease changes hands meanwhile.

mod administration;
mod aside;
mod breakers;
mod cards;
mod content;
mod expand;
mod letters;
mod mailbox;
mod notice;
mod place;
mod resend;
mod send;
mod switched_off;
mod told;
mod worker;

use std::{
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};

use tokio::sync::Notify;
use userd_channels::{Channel, email::Email, telegram::ChatMessage, webhook::WebhookSender};
use userd_model::{Delivery, DeliveryChannel, DeliveryId, DeliveryState, Fact, Timestamp, UserId, WebhookId};
use userd_storage::{
    Failure,
    repositories::deliveries::{bulk_queue_of, queue_of},
};
use userd_templates::Templates;

pub(crate) use self::cards::RequestCards;
pub(crate) use self::letters::{Asked, Letter, Whose};
pub(crate) use self::switched_off::MoreOfMessage;
pub use self::{
    administration::{DeliveryPage, DeliveryView},
    mailbox::MailView,
    resend::{ResendPlace, ResendRange, Resent},
};
use self::{
    breakers::Breakers,
    content::{Content, Notice},
    worker::UnderWay,
};
use crate::{
    Dependencies,
    admission::Providers,
    change::{Change, Changes},
    limits::Limits,
    links::Links,
    message_contents::MessageContents,
    notifications::Notifications,
    shard_leases::ShardLeases,
    webhooks::{self, Webhooks},
};

/// The ways out of the service, and what messages say.
#[derive(Clone)]
pub struct Channels {
    /// The relay; without one mails lie in the development mailbox.
    pub email: Option<Arc<dyn Channel<Message = Email, Receipt = ()>>>,
    /// The messenger's bot.
    pub telegram: Option<Arc<dyn Channel<Message = ChatMessage, Receipt = i64>>>,
    /// Calls receivers of events.
    pub webhooks: Arc<WebhookSender>,
    /// What messages say.
    pub templates: Arc<Templates>,
}

/// Makes deliveries and carries them out.
pub struct Deliveries {
    pub(crate) deps: Dependencies,
    changes: Changes,
    notifications: Notifications,
    links: Links,
    limits: Limits,
    webhooks: Webhooks,
    messages: MessageContents,
    channels: Channels,
    /// What messages call them.
    providers: Providers,
    /// What messages about requests say by now. It holds these deliveries itself, so it is not held here.
    cards: OnceLock<Weak<dyn RequestCards>>,
    leases: ShardLeases,
    breakers: Breakers,
    /// What is being done by this process.
    under_way: Mutex<UnderWay>,
    /// Wakes the worker.
    asked: Arc<Notify>,
}

impl Deliveries {
    pub(crate) fn new(
        deps: Dependencies,
        changes: Changes,
        (notifications, links, limits, webhooks): (Notifications, Links, Limits, Webhooks),
        channels: Channels,
        providers: Providers,
    ) -> Self {
        let leases =
            ShardLeases::new(&deps, changes.clone(), "deliveries", userd_storage::repositories::deliveries::QUEUES);
        Self {
            messages: MessageContents::new(deps.clone()),
            deps,
            changes,
            notifications,
            links,
            limits,
            webhooks,
            channels,
            providers,
            cards: OnceLock::new(),
            leases,
            breakers: Breakers::default(),
            under_way: Mutex::default(),
            asked: Arc::default(),
        }
    }

    /// What these facts ask for, in the unit of work that passes them on: so each is asked for once.
    pub(crate) async fn ask(&self, change: &mut Change<'_>, facts: &[Fact]) -> Result<(), Failure> {
        let mut deliveries = Vec::new();
        let is_any_public = facts.iter().any(|fact| fact.public);
        let webhooks = if is_any_public { change.webhooks().all().await? } else { Vec::new() };
        for fact in facts {
            for webhook in webhooks::matching(&webhooks, &fact.kind).filter(|_| fact.public) {
                deliveries.push(self.to_webhook(webhook.id, Notice::public(fact), change.now)?);
            }
            if let Some((user, notice)) = notice::of(fact, facts) {
                let id = self.id_of(fact.id.0, DeliveryChannel::Inbox);
                let content = &Content::Notice(notice);
                deliveries.push(self.to_user(id, DeliveryChannel::Inbox, user, content, change.now)?);
            }
        }
        change.deliveries().insert_many(&deliveries).await?;
        Ok(())
    }

    /// A delivery to another service, due now.
    fn to_webhook(&self, webhook: WebhookId, event: Notice, now: Timestamp) -> Result<Delivery, Failure> {
        let parts: [&[u8]; 2] = [event.fact.as_bytes(), webhook.0.as_bytes()];
        let id = self.derived(&parts);
        let content = self.seal(id, &Content::Event(event))?;
        let base = Self::delivery(id, DeliveryChannel::Webhook, queue_of(webhook.0), content, now);
        Ok(Delivery { webhook_id: Some(webhook), ..base })
    }

    /// A delivery to a person, due now.
    fn to_user(
        &self,
        id: DeliveryId,
        channel: DeliveryChannel,
        user: UserId,
        content: &Content,
        now: Timestamp,
    ) -> Result<Delivery, Failure> {
        let (queue, content) = match content {
            Content::Message(_) => (bulk_queue_of(user.0), Vec::new()),
            other => (queue_of(user.0), self.seal(id, other)?),
        };
        Ok(Delivery { user_id: Some(user), ..Self::delivery(id, channel, queue, content, now) })
    }

    fn delivery(id: DeliveryId, channel: DeliveryChannel, queue: i64, content: Vec<u8>, now: Timestamp) -> Delivery {
        let deadline = now.plus(life_of(channel));
        Delivery {
            id,
            queue,
            due_at: now,
            state: DeliveryState::Pending,
            channel,
            user_id: None,
            webhook_id: None,
            message_id: None,
            content,
            attempts: 0,
            last_error: None,
            created_at: now,
            deadline,
            finished_at: None,
            remove_at: Delivery::kept_while_pending(deadline),
        }
    }

    /// The same cause always makes the same delivery.
    fn id_of(&self, cause: uuid::Uuid, channel: DeliveryChannel) -> DeliveryId {
        self.derived(&[cause.as_bytes(), channel.as_str().as_bytes()])
    }

    fn derived(&self, parts: &[&[u8]]) -> DeliveryId {
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            self.deps.crypto.index.keyed_hash("id of a delivery", parts);
        DeliveryId::from_random(bytes)
    }

    /// Gives the queues back, so that another replica goes on at once.
    ///
    /// # Errors
    /// Storage faults: then the leases end by themselves.
    pub async fn give_back(&self) -> Result<(), Failure> {
        self.leases.give_back().await
    }
}

/// In which queue it waits.
fn queue_for(delivery: &Delivery) -> i64 {
    let destination = delivery.webhook_id.map(|id| id.0).or(delivery.user_id.map(|id| id.0)).unwrap_or_default();
    if delivery.message_id.is_some() { bulk_queue_of(destination) } else { queue_of(destination) }
}

/// How long a message is worth sending.
const fn life_of(channel: DeliveryChannel) -> Duration {
    const HOUR: u64 = 3600;
    Duration::from_secs(match channel {
        DeliveryChannel::Inbox => 30 * 24 * HOUR,
        DeliveryChannel::Email => 72 * HOUR,
        DeliveryChannel::Telegram => 24 * HOUR,
        DeliveryChannel::Webhook => 80 * HOUR,
    })
}

#[cfg(test)]
mod tests {
    use userd_model::MessageId;
    use userd_storage::repositories::deliveries::QUEUES;

    use super::*;

    /// The three days of a mail are promised in `docs/notifications.md`.
    #[test]
    fn each_way_is_tried_for_as_long_as_it_is_worth_it() {
        let hours = [(720, DeliveryChannel::Inbox), (72, DeliveryChannel::Email), (24, DeliveryChannel::Telegram)];
        for (hours, channel) in hours.into_iter().chain([(80, DeliveryChannel::Webhook)]) {
            assert_eq!(life_of(channel), Duration::from_secs(hours * 3600), "{channel:?}");
            let now = Timestamp::from_seconds(1_800_000_000);
            let made = Deliveries::delivery(DeliveryId::from_random([1; 16]), channel, 0, Vec::new(), now);
            assert_eq!((made.due_at, made.deadline), (now, now.plus(life_of(channel))), "{channel:?}");
        }
    }

    /// What is tried once more waits where all that goes there does: with what was sent to many, if it was.
    #[test]
    fn a_delivery_waits_in_the_queue_of_where_it_goes() {
        for number in 0..32 {
            let at = uuid::Uuid::from_u128(number);
            let (user, webhook) = (Some(UserId(at)), Some(WebhookId(at)));
            let now = Timestamp::from_seconds(1_800_000_000);
            let id = DeliveryId::from_random([1; 16]);
            let one = Deliveries::delivery(id, DeliveryChannel::Inbox, 0, Vec::new(), now);
            let to_user = Delivery { user_id: user, ..one.clone() };
            let to_webhook = Delivery { webhook_id: webhook, ..one };
            let copy = Delivery { message_id: Some(MessageId::from_random([2; 16])), ..to_user.clone() };
            let queue = i64::try_from(number).expect("a small number") % QUEUES;
            let queues = [&to_user, &to_webhook, &copy].map(queue_for);
            assert_eq!(queues, [queue, queue, queue + QUEUES]);
        }
    }
}
