//! What whoever delivers events asks about webhooks: which want an event, how its call looks, and what follows from how it
//! went. And the call that somebody makes by hand, to see whether the receiver understands.

use serde::Serialize;
use userd_channels::{
    ChannelFault,
    webhook::{ContentType, WebhookCall, WebhookFault, WebhookUrl},
};
use userd_model::{
    Act, Event, EventId, EventKind, Message, Refusal, Timestamp, Webhook, WebhookId,
    webhook::{Delivered, DisabledReason},
};
use userd_storage::Failure;

use super::{URL, Webhooks};
use crate::{Context, cloud_event::CloudEvent, limits::Limited, recent_proof, user_reader::internal};

/// The type of what a test sends. No such event is in the log.
pub const TEST_TYPE: &str = "webhook.test";

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookTest {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// `taken`, `gone`, `throttled`, `unavailable`, `refused`, `aborted` or `unsendable`.
    pub outcome: &'static str,
    /// What went wrong: the host and its status, or why it was not reached.
    pub detail: Option<String>,
}

/// A webhook that was switched off.
pub(crate) struct SwitchedOff<'a> {
    pub(crate) url: &'a str,
    /// Since when every call failed; none where the receiver wants no more.
    pub(crate) failing_since: Option<Timestamp>,
    pub(crate) fault: Option<&'a ChannelFault>,
    pub(crate) at: Timestamp,
}

/// Those of the webhooks that are called for events of this type.
pub fn matching<'a>(webhooks: &'a [Webhook], kind: &'a str) -> impl Iterator<Item = &'a Webhook> {
    webhooks.iter().filter(move |webhook| webhook.wants(kind))
}

impl Webhooks {
    /// The call that tells a webhook of an event; none where the webhook is gone or off.
    ///
    /// # Errors
    /// Storage faults; `Internal` when its row does not open.
    pub async fn call_for(&self, id: WebhookId, event: &Event, now: Timestamp) -> Result<Option<WebhookCall>, Failure> {
        let webhook = self.deps.store.reading().webhooks().find(id).await?;
        let Some(webhook) = webhook.filter(Webhook::is_enabled) else { return Ok(None) };
        let event = CloudEvent::of(event.clone(), &self.deps.settings.issuer);
        self.call(&webhook, &event, now).map(Some)
    }

    /// What follows from how a call went. After days of nothing but failures, or when the receiver wants no more, the
    /// webhook is switched off, which is told. Waits and faults of ours are not the receiver's.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn record(&self, id: WebhookId, outcome: Result<(), &ChannelFault>) -> Result<(), Failure> {
        self.record_and_tell(id, outcome, &|_| Ok(None)).await
    }

    /// The same, with the message that tells of a webhook that is switched off.
    pub(crate) async fn record_and_tell(
        &self,
        id: WebhookId,
        outcome: Result<(), &ChannelFault>,
        notice: &(dyn Fn(&SwitchedOff<'_>) -> Result<Option<Message>, Failure> + Sync),
    ) -> Result<(), Failure> {
        let delivered = match outcome {
            Ok(()) => Delivered::Yes,
            Err(ChannelFault::Gone(_)) => Delivered::Gone,
            Err(ChannelFault::Later { .. } | ChannelFault::Deferred(_)) => Delivered::No,
            // It answered, and meant this one event.
            Err(ChannelFault::Undeliverable(_)) => Delivered::Yes,
            Err(ChannelFault::Wait(_) | ChannelFault::OurFault(_)) => return Ok(()),
        };
        let patience = self.deps.settings.webhooks.disable_after;
        // Nearly always nothing follows, and that is no change.
        let webhook = self.deps.store.reading().webhooks().find(id).await?;
        if !webhook.is_some_and(|mut webhook| webhook.called(delivered, self.deps.now(), patience)) {
            return Ok(());
        }
        let context = self.changes.system_context();
        let disabled = self
            .changes
            .run(&context, "record_webhook_call", |mut change| async move {
                let Some(mut webhook) = change.webhooks().find(id).await? else { return change.commit(None).await };
                if !webhook.called(delivered, change.now, patience) {
                    return change.commit(None).await;
                }
                let disabled = webhook.disabled_reason;
                if let Some(reason) = disabled {
                    webhook.touch(change.now);
                    let data = serde_json::json!({ "reason": reason.as_str() });
                    change.event(EventKind::WebhookDisabled, id, data);
                    let url = self.open(id, super::URL, &webhook.url)?;
                    let failing_since = webhook.failing_since.filter(|_| reason == DisabledReason::Failing);
                    let fault = outcome.err();
                    if let Some(message) = notice(&SwitchedOff { url: &url, failing_since, fault, at: change.now })? {
                        change.messages().insert(&message).await?;
                    }
                }
                change.webhooks().update(&webhook).await?;
                change.commit(disabled).await
            })
            .await?;
        if let (Some(reason), Err(fault)) = (disabled.map(DisabledReason::as_str), outcome) {
            tracing::warn!(webhook = %id, reason, %fault, "a webhook is switched off; PATCH it with enabled: true");
        }
        Ok(())
    }

    /// Sends an event of the type [`TEST_TYPE`] at once, also to a webhook that is off, and answers what came of it. It
    /// counts neither as success nor as failure.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `TooManyAttempts`.
    pub async fn test(&self, ctx: &Context, id: WebhookId) -> Result<WebhookTest, Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        self.limits.reserve(Limited::WebhookTest, &ctx.actor.name()).await?;
        let webhook = self.deps.store.reading().webhooks().find(id).await?.ok_or(Refusal::NotFound)?;
        let now = self.deps.now();
        let event = CloudEvent {
            specversion: "1.0",
            id: EventId::mint(self.deps.random.as_ref()).0,
            source: self.deps.settings.issuer.clone(),
            kind: TEST_TYPE.to_owned(),
            subject: id.to_string(),
            sequence: format!("{:020}", 0),
            time: now,
            datacontenttype: "application/json",
            data: serde_json::json!({}),
        };
        let call = self.call(&webhook, &event, now)?;
        let fault = self.sender.send_at_once(&call).await.err();
        let outcome = fault.as_ref().map_or("taken", |fault| match fault {
            WebhookFault::Gone(_) => "gone",
            WebhookFault::Throttled { .. } | WebhookFault::Wait(_) => "throttled",
            WebhookFault::Unavailable { .. } => "unavailable",
            WebhookFault::Refused(_) => "refused",
            WebhookFault::Aborted(_) => "aborted",
            WebhookFault::Unsendable(_) => "unsendable",
        });
        Ok(WebhookTest { delivered: fault.is_none(), outcome, detail: fault.map(|fault| fault.to_string()) })
    }

    fn call(&self, webhook: &Webhook, event: &CloudEvent, now: Timestamp) -> Result<WebhookCall, Failure> {
        let id = webhook.id;
        let url = self.open(id, URL, &webhook.url)?;
        let mut secrets = vec![self.current(webhook)?];
        secrets.append(&mut self.previous(webhook, now)?);
        Ok(WebhookCall {
            id: event.id.to_string(),
            at: now,
            url: WebhookUrl::stored(&url).ok_or_else(|| internal("no URL of a webhook"))?,
            content_type: ContentType::CloudEvent,
            body: serde_json::to_vec(event).map_err(internal)?.into(),
            secrets,
        })
    }
}
