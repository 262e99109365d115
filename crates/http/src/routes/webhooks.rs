//! Webhooks: where other services want to be told of events.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, WebhookId};
use userd_services::{
    deliveries::ResendRange,
    webhooks::{NewWebhook, WebhookChange, WebhookInput, WebhookView},
};
use userd_web::{
    caller::Caller,
    extract::{CursorText, IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::versioned::{present, version_tag};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(list, create))
        .with(routes!(read, change, remove))
        .with(routes!(test))
        .with(routes!(resend))
        .with(routes!(rotate_secret))
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookBody {
    id: Uuid,
    #[schema(example = "https://shop.example/hooks")]
    url: String,
    /// Types of events: `user.registered`, all that begin alike (`user.*`), or `*`.
    events: Vec<String>,
    description: Option<String>,
    /// Whether it is called.
    enabled: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// `by_request`, `gone` (the receiver wants no more) or `failing` (for five days every call failed).
    disabled_reason: Option<&'static str>,
    /// Since when every call has failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// How calls are signed: `v1` (HMAC-SHA-256 with the secret) or `v1a` (Ed25519).
    #[schema(pattern = "^(v1|v1a)$")]
    signature: &'static str,
    /// With `v1a`: what the receiver checks signatures with.
    #[schema(example = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")]
    public_key: Option<String>,
    /// The newest public key before the present one that signs too.
    previous_public_key: Option<String>,
    /// Until when the secrets and keys before the present one sign too.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    version: i64,
}

/// A webhook with its secret, which is shown only once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhook)]
struct NewWebhookBody {
    #[serde(flatten)]
    webhook: WebhookBody,
    /// Verify with it, as Standard Webhooks say; `null` with `v1a`, where `public_key` verifies.
    #[schema(example = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")]
    secret: Option<String>,
}

/// A page of webhooks, oldest first.
#[derive(Serialize, ToSchema)]
struct WebhookList {
    items: Vec<WebhookBody>,
    next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWebhook, example = json!({"url": "https://shop.example/hooks", "events": ["user.*"]}))]
struct Create {
    /// `https://`, outside, without user name, password and fragment.
    #[schema(max_length = 2048)]
    url: String,
    /// Types of events: `user.registered`, all that begin alike (`user.*`), or `*`.
    #[schema(min_items = 1, max_items = 50)]
    events: Vec<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    description: Option<String>,
    /// `v1`, the default: with a secret that the receiver has too. `v1a`: by Ed25519, for receivers that must not be able
    /// to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(v1|v1a)$")]
    signature: Option<String>,
}

/// What a new secret or key is to be.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"signature": "v1a"}))]
struct RotateSecret {
    /// `v1` or `v1a`; absent, as it was.
    #[serde(default)]
    #[schema(pattern = "^(v1|v1a)$")]
    signature: Option<String>,
}

/// A change of a webhook: an absent field stays, `null` clears the description.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeWebhook, example = json!({"enabled": false}))]
struct Change {
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: Option<String>,
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    description: Option<Option<String>>,
    /// `false` switches it off; `true` switches it on again, also after the service switched it off.
    #[serde(default)]
    enabled: Option<bool>,
}

/// What is to be sent once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResendEvents, example = json!({"from": "2026-11-30T00:00:00Z", "to": "2026-11-30T06:00:00Z"}))]
struct Resend {
    /// Events that happened at this time or later.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// And not after this one; absent, until now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `next_cursor` of the request before, with the same webhook.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    cursor: Option<CursorText>,
}

/// What is on its way once more.
#[derive(Serialize, ToSchema)]
#[schema(as = ResentEvents)]
struct ResentBody {
    /// Events of the range that are on their way, of the thousand that this request looked at.
    scheduled: usize,
    /// Where to go on; `null` at the end of the range.
    next_cursor: Option<String>,
}

/// How a test went.
#[derive(Serialize, ToSchema)]
struct WebhookTestBody {
    /// Whether the receiver answered 2xx.
    delivered: bool,
    /// `taken`, `gone`, `throttled`, `unavailable`, `refused`, `aborted` or `unsendable`.
    outcome: &'static str,
    /// What went wrong: the host and its status, or why it was not reached.
    detail: Option<String>,
}

/// The webhooks, oldest first. There are at most 200.
#[utoipa::path(get, path = "/v1/webhooks", tag = "Webhooks", params(PageQuery),
    responses((status = 200, description = "A page", body = WebhookList)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<WebhookList>, Problem> {
    let all = api.services.webhooks.list(&ctx).await?;
    let (items, next_cursor) = page.of(&api.cursors, "webhooks", all, |one| (one.created_at.micros(), one.id.0))?;
    Ok(Json(WebhookList { items: items.into_iter().map(WebhookBody::from).collect(), next_cursor }))
}

/// Create a webhook. It is called for what happens from now on.
#[utoipa::path(post, path = "/v1/webhooks", tag = "Webhooks", request_body = Create,
    params(IdempotencyKey),
    responses((status = 201, description = "Created; the secret is shown only once, to repeats with the same key for 10 minutes", body = NewWebhookBody),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn create(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Create>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/webhooks {}", ctx.actor.name()), &key, &bytes)
    });
    let input =
        WebhookInput { url: body.url, events: body.events, description: body.description, signature: body.signature };
    let made = api.services.webhooks.create(&ctx, input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, new_webhook(made)))
}

/// One webhook.
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "Webhooks", params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = WebhookBody)))]
async fn read(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.webhooks.read(&ctx, id).await?))
}

/// Change where it leads, which events it is called for, and whether it is on.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "Webhooks", request_body = Change,
    params(IfMatch, ("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The changed webhook", body = WebhookBody)))]
async fn change(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
    guard: IfMatch,
    Json(body): Json<Change>,
) -> Result<impl IntoResponse, Problem> {
    let Change { url, events, description, enabled } = body;
    let input = WebhookChange { url, events, description, enabled };
    Ok(tagged(api.services.webhooks.change(&ctx, id, input, guard.version()).await?))
}

/// Remove a webhook. What waits to be delivered to it is not delivered any more.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "Webhooks", params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, Problem> {
    api.services.webhooks.remove(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send an event of the type `webhook.test` at once, also to a webhook that is off, and say what came of it.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "Webhooks", params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "What the receiver answered", body = WebhookTestBody),
        (status = 429, description = "Too many tests")))]
async fn test(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
) -> Result<Json<WebhookTestBody>, Problem> {
    let test = api.services.webhooks.test(&ctx, id).await?;
    Ok(Json(WebhookTestBody { delivered: test.delivered, outcome: test.outcome, detail: test.detail }))
}

/// Send the events of a range of time once more, under the same ids: those that the webhook asks for now, whether they arrived,
/// failed, or happened while it was off. A request looks at a thousand events and says where to go on. Asking twice sends
/// nothing twice that still waits.
#[utoipa::path(post, path = "/v1/webhooks/{id}/resend", tag = "Webhooks", request_body = Resend,
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 202, description = "On their way", body = ResentBody),
        (status = 422, description = "The range is none, or the webhook is off"), (status = 429, description = "Too many at once")))]
async fn resend(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
    Json(body): Json<Resend>,
) -> Result<impl IntoResponse, Problem> {
    let name = format!("webhooks/{id}/resend");
    let after = body.cursor.as_ref().map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let range = ResendRange { from: body.from, to: body.to, after };
    let resent = api.services.deliveries.resend_events(&ctx, id, &range).await?;
    let next_cursor = resent.next.and_then(|place| api.cursors.seal(&name, &place));
    Ok((StatusCode::ACCEPTED, Json(ResentBody { scheduled: resent.scheduled, next_cursor })))
}

/// Rotate the secret or the key, also to signatures of the other kind: calls are signed with the old one too for 24 hours,
/// so that the receiver can change over. Another rotation within them leaves those before signing (the last four) and begins the 24 hours anew.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate-secret", tag = "Webhooks", request_body(content = Option<RotateSecret>),
    params(IdempotencyKey, ("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The new secret, shown only once, to repeats with the same key for 10 minutes", body = NewWebhookBody),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn rotate_secret(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<WebhookId>,
    IdempotencyKey(key): IdempotencyKey,
    body: Option<Json<RotateSecret>>,
) -> Result<impl IntoResponse, Problem> {
    let RotateSecret { signature } = body.map(|Json(body)| body).unwrap_or_default();
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&signature).unwrap_or_default();
        let scope = format!("POST /v1/webhooks/{id}/rotate-secret {}", ctx.actor.name());
        api.services.idempotency.request(&scope, &key, &bytes)
    });
    let made = api.services.webhooks.rotate_secret(&ctx, id, signature.as_deref(), idempotent.as_ref()).await?;
    Ok(new_webhook(made))
}

impl From<WebhookView> for WebhookBody {
    fn from(view: WebhookView) -> Self {
        Self {
            id: view.id.0,
            url: view.url,
            events: view.events,
            description: view.description,
            enabled: view.enabled,
            disabled_at: view.disabled_at,
            disabled_reason: view.disabled_reason,
            failing_since: view.failing_since,
            signature: view.signature,
            public_key: view.public_key,
            previous_public_key: view.previous_public_key,
            previous_secret_until: view.previous_secret_until,
            created_at: view.created_at,
            updated_at: view.updated_at,
            version: view.version,
        }
    }
}

fn tagged(view: WebhookView) -> impl IntoResponse {
    (version_tag(view.version), Json(WebhookBody::from(view)))
}

fn new_webhook(made: NewWebhook) -> impl IntoResponse {
    let NewWebhook { webhook, secret } = made;
    (version_tag(webhook.version), Json(NewWebhookBody { webhook: webhook.into(), secret }))
}
