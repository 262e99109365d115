//! Webhooks: where other services want to be told of events. Their URLs and secrets are sealed; a secret is shown when it
//! is made, and never again.
//!
//! Deliberately absent: the queue of what is to be delivered, and trying again. It asks `delivery.rs` for each call.

mod delivery;
mod rotation;

use std::sync::Arc;

use serde::Serialize;
use userd_channels::webhook::{WebhookSecret, WebhookSender};
use userd_crypto::{Zeroizing, place};
use userd_model::{
    Act, EventKind, EventPattern, InvalidField, Refusal, Sealed, Timestamp, Webhook, WebhookId, text,
    webhook::{MAX_WEBHOOKS, SignatureScheme, patterns},
};
use userd_storage::Failure;

pub(crate) use self::delivery::SwitchedOff;
pub use self::delivery::{TEST_TYPE, WebhookTest, matching};
use crate::{
    Context, Dependencies, IdempotentRequest,
    change::{Change, Changes},
    idempotency::{IdempotencyKeys, Made},
    limits::Limits,
    recent_proof,
    user_reader::internal,
};

/// Makes, changes and calls webhooks.
#[derive(Clone)]
pub struct Webhooks {
    deps: Dependencies,
    changes: Changes,
    limits: Limits,
    idempotency: IdempotencyKeys,
    sender: Arc<WebhookSender>,
}

/// A webhook to be made.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct WebhookInput {
    pub url: String,
    pub events: Vec<String>,
    pub description: Option<String>,
    /// `v1` or `v1a`; `v1` where nothing is said.
    pub signature: Option<String>,
}

/// A change as it comes in. `None` leaves the field; an inner one clears it.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct WebhookChange {
    pub url: Option<String>,
    pub events: Option<Vec<String>>,
    pub description: Option<Option<String>>,
    pub enabled: Option<bool>,
}

/// A webhook as administrators see it. Not printed: the URL may hold a secret.
#[derive(Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct WebhookView {
    pub id: WebhookId,
    pub url: String,
    pub events: Vec<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<&'static str>,
    pub failing_since: Option<Timestamp>,
    pub signature: &'static str,
    /// `whpk_…`, with `v1a`.
    pub public_key: Option<String>,
    pub previous_public_key: Option<String>,
    pub previous_secret_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// A webhook with its secret: shown once. Of a key nothing is shown but what the webhook shows anyway.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the members of the contract's answer")]
pub struct NewWebhook {
    #[serde(flatten)]
    pub webhook: WebhookView,
    pub secret: Option<String>,
}

const URL: &str = "url";

impl Webhooks {
    pub(crate) const fn new(
        deps: Dependencies,
        changes: Changes,
        limits: Limits,
        idempotency: IdempotencyKeys,
        sender: Arc<WebhookSender>,
    ) -> Self {
        Self { deps, changes, limits, idempotency, sender }
    }

    /// Makes a webhook. It is called for what happens from now on.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`. For a repeat: `IdempotencyMismatch`, `ReplayRefused`, `SecretAlreadyShown`.
    pub async fn create(
        &self,
        ctx: &Context,
        input: WebhookInput,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<NewWebhook, Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        let mut reading = self.deps.store.reading();
        let scheme = SignatureScheme::asked(input.signature.as_deref())?;
        if let Some(made) = self.idempotency.find(&mut reading, idempotent).await? {
            return self.created_before(&mut reading, made, scheme, idempotent).await;
        }
        let description = Some(input.description);
        let input = WebhookChange { url: Some(input.url), events: Some(input.events), description, enabled: None };
        let id = WebhookId::mint(self.deps.random.as_ref());
        let checked = self.checked(id, input)?;
        let (secret, sealed) = self.new_secret(id, scheme)?;
        let now = self.deps.now();
        let webhook = &Webhook {
            id,
            url: checked.url.ok_or(Refusal::Malformed("a webhook has a URL"))?,
            events: checked.events.unwrap_or_default(),
            description: checked.description.flatten(),
            secret: sealed,
            previous_secret: None,
            previous_until: None,
            created_by: ctx.user().ok().map(|(user, _)| user),
            created_at: now,
            updated_at: now,
            disabled_at: None,
            disabled_reason: None,
            failing_since: None,
            version: 1,
        };
        let answer = &NewWebhook { webhook: self.view(webhook)?, secret };
        self.changes
            .run(ctx, "create_webhook", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let before = self.created_before(&mut change, made, scheme, idempotent).await?;
                    return change.commit(before).await;
                }
                if change.webhooks().all().await?.len() >= MAX_WEBHOOKS {
                    let detail = format!("there are {MAX_WEBHOOKS} webhooks, and no more can be; remove one");
                    return Err(Refusal::field("/url", detail).into());
                }
                change.webhooks().insert(webhook).await?;
                change.event(EventKind::WebhookCreated, id, serde_json::json!({ "events": words(webhook) }));
                let (made, owner) = (Made::Webhook(id), webhook.created_by);
                self.idempotency.save(&mut change, idempotent, made, owner).await?;
                if let Some(secret) = &answer.secret {
                    self.idempotency.keep_secret(&mut change, idempotent, owner, secret).await?;
                }
                change.commit(answer.clone()).await
            })
            .await
    }

    /// Every webhook, oldest first; there are at most [`MAX_WEBHOOKS`].
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<WebhookView>, Failure> {
        ctx.may(&Act::ListWebhooks)?;
        let mut webhooks = self.deps.store.reading().webhooks().all().await?;
        webhooks.sort_by_key(|webhook| (webhook.created_at, webhook.id));
        webhooks.iter().map(|webhook| self.view(webhook)).collect()
    }

    /// One webhook.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn read(&self, ctx: &Context, id: WebhookId) -> Result<WebhookView, Failure> {
        ctx.may(&Act::ListWebhooks)?;
        let webhook = self.deps.store.reading().webhooks().find(id).await?.ok_or(Refusal::NotFound)?;
        self.view(&webhook)
    }

    /// Changes where it leads, which events it is called for, what is said of it, and whether it is on.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `NotFound`, `VersionMismatch`.
    pub async fn change(
        &self,
        ctx: &Context,
        id: WebhookId,
        input: WebhookChange,
        expected: Option<i64>,
    ) -> Result<WebhookView, Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        let wanted = &self.checked(id, input)?;
        let webhook = self
            .changes
            .run(ctx, "change_webhook", |mut change| async move {
                let mut webhook = found(&mut change, id).await?;
                webhook.must_have_version(expected)?;
                let before = self.open(id, URL, &webhook.url)?;
                wanted.apply(&mut webhook, change.now);
                webhook.touch(change.now);
                change.webhooks().update(&webhook).await?;
                let after = self.open(id, URL, &webhook.url)?;
                let (events, enabled) = (words(&webhook), webhook.is_enabled());
                let data = if before == after {
                    serde_json::json!({ "events": events, "enabled": enabled })
                } else {
                    let (host, previous) = (host_of(&after)?, host_of(&before)?);
                    serde_json::json!({
                        "events": events, "enabled": enabled, "host": host, "previous_host": previous,
                    })
                };
                change.event(EventKind::WebhookChanged, id, data);
                change.commit(webhook).await
            })
            .await?;
        self.view(&webhook)
    }

    /// Removes a webhook. What waits to be delivered to it is not delivered any more.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn remove(&self, ctx: &Context, id: WebhookId) -> Result<(), Failure> {
        recent_proof::may_administer(ctx, &Act::ManageWebhooks, &self.deps).await?;
        self.changes
            .run(ctx, "remove_webhook", |mut change| async move {
                found(&mut change, id).await?;
                change.webhooks().remove(id).await?;
                change.event(EventKind::WebhookRemoved, id, serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    /// What is asked for, if all of it is right.
    fn checked(&self, id: WebhookId, input: WebhookChange) -> Result<Checked, Failure> {
        let mut wrong = Vec::new();
        let url = input.url.and_then(|text| match self.sender.url(&text) {
            Ok(url) => Some(url),
            Err(fault) => {
                wrong.push(InvalidField::new("/url", fault.to_string()));
                None
            }
        });
        let events = input.events.and_then(|texts| match patterns(&texts) {
            Ok(events) => Some(events),
            Err(Refusal::InvalidInput(fields)) => {
                wrong.extend(fields);
                None
            }
            Err(_) => None,
        });
        let description = input.description.map(|text| match text.as_deref().map(text::reason) {
            Some(Err(detail)) => {
                wrong.push(InvalidField::new("/description", detail));
                None
            }
            Some(Ok(text)) => Some(text),
            None => None,
        });
        if !wrong.is_empty() {
            return Err(Refusal::InvalidInput(wrong).into());
        }
        let url = url.map(|url| self.seal(id, URL, url.as_str())).transpose()?;
        Ok(Checked { url, events, description, enabled: input.enabled })
    }

    fn view(&self, webhook: &Webhook) -> Result<WebhookView, Failure> {
        let previous = self.previous(webhook, self.deps.now())?;
        let secret = self.current(webhook)?;
        Ok(WebhookView {
            id: webhook.id,
            url: self.open(webhook.id, URL, &webhook.url)?.to_string(),
            events: words(webhook),
            description: webhook.description.clone(),
            enabled: webhook.is_enabled(),
            disabled_at: webhook.disabled_at,
            disabled_reason: webhook.disabled_reason.map(userd_model::webhook::DisabledReason::as_str),
            failing_since: webhook.failing_since,
            signature: secret.scheme().as_str(),
            public_key: secret.public_key(),
            previous_public_key: previous.iter().find_map(WebhookSecret::public_key),
            previous_secret_until: webhook.previous_until.filter(|_| !previous.is_empty()),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            version: webhook.version,
        })
    }

    /// Bound to row and column: a URL or secret that changes places opens nowhere.
    fn seal(&self, id: WebhookId, column: &str, text: &str) -> Result<Sealed, Failure> {
        let random = self.deps.random.as_ref();
        self.deps.vault.seal(random, &place("webhooks", column, id), text.as_bytes()).map_err(internal)
    }

    fn open(&self, id: WebhookId, column: &str, sealed: &Sealed) -> Result<Zeroizing<String>, Failure> {
        let bytes = self.deps.vault.open(&place("webhooks", column, id), sealed).map_err(internal)?;
        Ok(Zeroizing::new(std::str::from_utf8(&bytes).map_err(internal)?.to_owned()))
    }
}

/// What is asked for, looked at.
struct Checked {
    url: Option<Sealed>,
    events: Option<Vec<EventPattern>>,
    description: Option<Option<String>>,
    enabled: Option<bool>,
}

impl Checked {
    fn apply(&self, webhook: &mut Webhook, now: Timestamp) {
        if let Some(url) = &self.url {
            webhook.lead_to(url.clone());
        }
        if let Some(events) = &self.events {
            webhook.events.clone_from(events);
        }
        if let Some(description) = &self.description {
            webhook.description.clone_from(description);
        }
        if let Some(enabled) = self.enabled {
            webhook.set_enabled(enabled, now);
        }
    }
}

async fn found(change: &mut Change<'_>, id: WebhookId) -> Result<Webhook, Failure> {
    Ok(change.webhooks().find(id).await?.ok_or(Refusal::NotFound)?)
}

/// Host and port. What else a URL says may be a secret.
fn host_of(url: &str) -> Result<String, Failure> {
    let url = url::Url::parse(url).map_err(internal)?;
    let host = url.host_str().unwrap_or_default();
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn words(webhook: &Webhook) -> Vec<String> {
    webhook.events.iter().map(|pattern| pattern.as_str().to_owned()).collect()
}
