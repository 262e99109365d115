//! What other services send to users: asked for here, made into deliveries by `deliveries/expand.rs`.
//!
//! Deliberately absent: what becomes of each delivery (`deliveries`).

use std::sync::Arc;

use url::Url;
use userd_model::{
    Act, EventKind, FactActor, InvalidField, Message, MessageId, Refusal, Timestamp,
    message::{Audience, CheckedMessage, MessageCounts, MessageInput, MessageState},
    preferences::MessageChannel,
};
use userd_storage::{Failure, UnitOfWork};

use crate::{
    Context, Dependencies, IdempotentRequest,
    change::{Change, Changes},
    deliveries::Deliveries,
    idempotency::{IdempotencyKeys, Made},
    limits::{Limited, Limits},
    message_contents::MessageContents,
    role_reader::read,
};

/// The longest `action_url`.
const MAX_URL: usize = 2048;

/// Sends messages.
#[derive(Clone)]
pub struct Messages {
    deps: Dependencies,
    changes: Changes,
    limits: Limits,
    idempotency: IdempotencyKeys,
    contents: MessageContents,
    deliveries: Arc<Deliveries>,
}

/// A message as its sender sees it: everything but what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the contract's SentNotification, documented there")]
pub struct MessageView {
    pub id: MessageId,
    pub category: String,
    pub audience: String,
    pub role: Option<String>,
    pub state: MessageState,
    /// None until everybody is found whom it is for.
    pub recipients: Option<i64>,
    pub channels: Vec<(MessageChannel, ChannelCounts)>,
    pub created_at: Timestamp,
    pub not_before: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// How many copies on one channel are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the contract's counts, documented there")]
pub struct ChannelCounts {
    pub pending: i64,
    pub delivered: i64,
    pub muted: i64,
    pub unreachable: i64,
    pub dead: i64,
    pub expired: i64,
    pub dropped: i64,
}

impl Messages {
    pub(crate) fn new(
        deps: Dependencies,
        changes: Changes,
        limits: Limits,
        idempotency: IdempotencyKeys,
        deliveries: Arc<Deliveries>,
    ) -> Self {
        let contents = MessageContents::new(deps.clone());
        Self { deps, changes, limits, idempotency, contents, deliveries }
    }

    /// Sends a message: to users named one by one at once, to others in steps.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `TooManyAttempts`. For a repeat: `IdempotencyMismatch`, `ReplayRefused`.
    pub async fn send(
        &self,
        ctx: &Context,
        input: MessageInput,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<MessageView, Failure> {
        ctx.may(&Act::SendNotifications)?;
        if let Some(made) = self.idempotency.find(&mut self.deps.store.reading(), idempotent).await? {
            return self.sent_before(&mut self.deps.store.reading(), made).await;
        }
        let wrong = input.action_url.as_deref().and_then(|text| action_url(text).err());
        let wrong = wrong.map(|detail| InvalidField::new("/action_url", detail));
        let checked = input.check(self.deps.now(), wrong.into_iter().collect())?;
        self.limits.reserve(Limited::NotificationPerSender, &ctx.actor.name()).await?;
        let is_broadcast = !matches!(checked.to, Audience::Users(_));
        if is_broadcast {
            self.limits.reserve(Limited::BroadcastPerSender, &ctx.actor.name()).await?;
        }
        let id = MessageId::mint(self.deps.random.as_ref());
        let message = &self.message(ctx, id, &checked)?;
        let sent = self
            .changes
            .run(ctx, "send_notification", |mut change| {
                let checked = &checked;
                async move {
                    if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                        let before = self.sent_before(&mut change, made).await?;
                        return change.commit(before).await;
                    }
                    let mut message = message.clone();
                    self.begin(&mut change, &mut message, &checked.to).await?;
                    change.messages().insert(&message).await?;
                    if is_broadcast {
                        let data = serde_json::json!({ "audience": message.audience, "category": message.category });
                        change.event(EventKind::NotificationSent, id, data);
                    }
                    let sender = ctx.user().ok().map(|(user, _)| user);
                    self.idempotency.save(&mut change, idempotent, Made::Message(id), sender).await?;
                    change.commit(view(&message, &MessageCounts::default())).await
                }
            })
            .await?;
        self.deliveries.wake();
        Ok(sent)
    }

    /// What became of a message.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn read(&self, ctx: &Context, id: MessageId) -> Result<MessageView, Failure> {
        ctx.may(&Act::ReadSentNotifications)?;
        self.look_up(&mut self.deps.store.reading(), id).await
    }

    async fn look_up(&self, uow: &mut UnitOfWork, id: MessageId) -> Result<MessageView, Failure> {
        let message = uow.messages().find(id).await?.ok_or(Refusal::NotFound)?;
        let counts = uow.message_counts().all(id).await?;
        Ok(view(&message, &counts))
    }

    async fn sent_before(&self, uow: &mut UnitOfWork, made: Made) -> Result<MessageView, Failure> {
        let Made::Message(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
        self.look_up(uow, id).await
    }

    fn message(&self, ctx: &Context, id: MessageId, checked: &CheckedMessage) -> Result<Message, Failure> {
        let sender = FactActor::from(&ctx.actor);
        let role = if let Audience::Role(role) = &checked.to { Some(role.clone()) } else { None };
        Ok(Message {
            id,
            state: MessageState::Pending,
            due_at: checked.due_at,
            category: checked.category.clone(),
            audience: checked.to.as_str().to_owned(),
            role,
            channels: checked.channels.clone(),
            content: self.contents.seal(id, &checked.content)?,
            sent_by: (sender.kind, sender.id),
            created_at: self.deps.now(),
            expires_at: checked.expires_at,
            cursor: None,
            recipients: 0,
            remove_at: checked.due_at.plus(if matches!(checked.to, Audience::Users(_)) {
                Message::KEPT_NAMED
            } else {
                Message::KEPT
            }),
        })
    }

    /// What can be done at once: a copy for each user that is named. A role must be there.
    async fn begin(&self, change: &mut Change<'_>, message: &mut Message, to: &Audience) -> Result<(), Failure> {
        match to {
            Audience::Users(users) => {
                self.deliveries.copies(change, message, users).await?;
                message.step(i64::try_from(users.len()).unwrap_or(i64::MAX), None);
            }
            Audience::Role(role) => {
                if !role_exists(change, role).await? {
                    return Err(Refusal::field("/to/role", "must be the name of a role").into());
                }
            }
            Audience::All => {}
        }
        Ok(())
    }
}

async fn role_exists(change: &mut Change<'_>, name: &str) -> Result<bool, Failure> {
    Ok(read(change, name).await?.is_some())
}

/// A place that a browser may be sent to: nothing that runs, and nobody's password.
fn action_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "must be a URL")?;
    if text.len() > MAX_URL {
        Err("must have at most 2048 characters")
    } else if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        Err("must begin with https:// or http://")
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("must have no user name and password")
    } else {
        Ok(())
    }
}

fn view(message: &Message, counts: &MessageCounts) -> MessageView {
    let of = |channel: MessageChannel| {
        let count = |state: &str| counts.get(channel.as_str(), state);
        // A copy that waits for its place in the inbox is counted with the message, not by itself.
        let waiting = if channel == MessageChannel::Inbox { message.recipients } else { 0 };
        let counts = ChannelCounts {
            pending: waiting + count("pending"),
            delivered: count("delivered"),
            muted: count(MessageCounts::MUTED),
            unreachable: count(MessageCounts::UNREACHABLE),
            dead: count("dead"),
            expired: count("expired"),
            dropped: count("dropped"),
        };
        (channel, counts)
    };
    MessageView {
        id: message.id,
        category: message.category.as_str().to_owned(),
        audience: message.audience.clone(),
        role: message.role.clone(),
        state: message.state,
        recipients: Some(message.recipients).filter(|_| message.state != MessageState::Pending),
        channels: message.channels.iter().copied().map(of).collect(),
        created_at: message.created_at,
        not_before: message.due_at,
        expires_at: message.expires_at,
    }
}
