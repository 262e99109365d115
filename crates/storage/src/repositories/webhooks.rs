//! Webhooks of other services, URLs and secrets sealed. Few rows; whoever looks for those that an event concerns reads
//! them all.

use userd_model::{EventPattern, Sealed, UserId, Webhook, WebhookId, webhook::DisabledReason};

use super::{list, words};
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Webhooks.
pub struct Webhooks<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { WEBHOOKS:
    INSERT = "webhooks.insert": Shape::Insert;
    EVERY = "webhooks.every": Shape::List(List::by_key().unlimited());
    BY_ID = "webhooks.by_id": Shape::Find;
    UPDATE = "webhooks.update": Shape::Update(&[
        "url", "events", "description", "secret", "previous_secret", "previous_until", "updated_at", "disabled_at",
        "disabled_reason", "failing_since", "version",
    ]);
    REMOVE = "webhooks.remove": Shape::Remove;
}

impl Webhooks<'_> {
    /// Adds a webhook.
    ///
    /// # Errors
    /// `Duplicate(Key("webhooks"))` when the id exists.
    pub async fn insert(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        let values = [
            webhook.id.into(),
            webhook.url.0.clone().into(),
            patterns(webhook),
            webhook.description.clone().into(),
            webhook.secret.0.clone().into(),
            previous_secret(webhook),
            webhook.previous_until.into(),
            webhook.created_by.into(),
            webhook.created_at.into(),
            webhook.updated_at.into(),
            webhook.disabled_at.into(),
            disabled_reason(webhook),
            webhook.failing_since.into(),
            webhook.version.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// Every webhook, those that are off included, by id.
    pub async fn all(&mut self) -> Result<Vec<Webhook>, StoreError> {
        self.0.many(&EVERY, &[], webhook).await
    }

    /// The webhook with this id.
    pub async fn find(&mut self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], webhook).await
    }

    /// Writes everything but who made it and when. Nothing happens when the id is unknown.
    pub async fn update(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        let values = [
            webhook.url.0.clone().into(),
            patterns(webhook),
            webhook.description.clone().into(),
            webhook.secret.0.clone().into(),
            previous_secret(webhook),
            webhook.previous_until.into(),
            webhook.updated_at.into(),
            webhook.disabled_at.into(),
            disabled_reason(webhook),
            webhook.failing_since.into(),
            webhook.version.into(),
            webhook.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Removes a webhook.
    pub async fn remove(&mut self, id: WebhookId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

fn patterns(webhook: &Webhook) -> Value {
    words(&webhook.events.iter().map(|pattern| pattern.as_str().to_owned()).collect::<Vec<_>>())
}

fn previous_secret(webhook: &Webhook) -> Value {
    webhook.previous_secret.as_ref().map(|sealed| sealed.0.clone()).into()
}

fn disabled_reason(webhook: &Webhook) -> Value {
    webhook.disabled_reason.map(DisabledReason::as_str).into()
}

fn webhook(row: &mut Row) -> Result<Webhook, StoreError> {
    let reason = row.text_or_null(position!(WEBHOOKS.disabled_reason))?;
    Ok(Webhook {
        id: WebhookId(row.uuid(position!(WEBHOOKS.id))?),
        url: Sealed(row.bytes(position!(WEBHOOKS.url))?),
        events: list(row.json(position!(WEBHOOKS.events))?)?.into_iter().map(EventPattern::stored).collect(),
        description: row.text_or_null(position!(WEBHOOKS.description))?,
        secret: Sealed(row.bytes(position!(WEBHOOKS.secret))?),
        previous_secret: row.bytes_or_null(position!(WEBHOOKS.previous_secret))?.map(Sealed),
        previous_until: row.timestamp_or_null(position!(WEBHOOKS.previous_until))?,
        created_by: row.uuid_or_null(position!(WEBHOOKS.created_by))?.map(UserId),
        created_at: row.timestamp(position!(WEBHOOKS.created_at))?,
        updated_at: row.timestamp(position!(WEBHOOKS.updated_at))?,
        disabled_at: row.timestamp_or_null(position!(WEBHOOKS.disabled_at))?,
        // A word of a later release must not hide the others from this one.
        disabled_reason: reason.as_deref().and_then(DisabledReason::parse),
        failing_since: row.timestamp_or_null(position!(WEBHOOKS.failing_since))?,
        version: row.i64(position!(WEBHOOKS.version))?,
    })
}
