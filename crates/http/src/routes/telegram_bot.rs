//! Sign-in by a message to Telegram's bot, and the bot's webhook.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use userd_services::{bot::WEBHOOK_SECRET_HEADER, sign_in::BotPoll};
use userd_web::{
    caller::Visitor,
    extract::{Json, RawJson},
    problem::Problem,
};
use utoipa::{ToSchema, openapi::Schema};

use super::bodies::{TokenPairBody, completed, one_of};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(start)).with(routes!(poll)).with(routes!(webhook))
}

/// A begun sign-in: show the link and the code, then poll.
#[derive(Serialize, ToSchema)]
#[schema(as = BotSignIn)]
struct StartBody {
    /// Opens the bot's chat.
    link: String,
    /// For apps that open the chat without the link's payload.
    command: String,
    /// Two digits to be shown in the browser; the bot asks for them.
    match_code: String,
    /// Names the login flow when polling.
    attempt: String,
    /// Proves at the poll that it is the same browser; keep it in the page's memory.
    secret: String,
    /// Seconds.
    expires_in: u64,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BotStart, example = json!({}))]
struct Begin {
    /// The token of an invitation, for whoever has no account yet: needed where `registration.mode` is `invite`.
    #[serde(default)]
    #[schema(max_length = 128)]
    invitation: Option<String>,
}

/// Begin to sign in through the bot.
#[utoipa::path(post, path = "/v1/auth/telegram/bot/start", tag = "Telegram bot", request_body(content = Option<Begin>),
    responses((status = 200, description = "What to show", body = StartBody), (status = 404, description = "No bot is configured"),
        (status = 410, description = "The invitation is not good any more"), (status = 429, description = "Too many attempts")))]
async fn start(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    body: Option<Json<Begin>>,
) -> Result<Json<StartBody>, Problem> {
    let invitation = body.and_then(|Json(body)| body.invitation);
    let begun = api.services.sign_in.start_bot(&ctx, invitation.as_deref()).await?;
    Ok(Json(StartBody {
        link: begun.link,
        command: begun.command,
        match_code: begun.match_code,
        attempt: begun.attempt,
        secret: begun.secret,
        expires_in: begun.expires_in,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"attempt": "the attempt of the start", "secret": "its secret"}))]
struct Poll {
    #[schema(max_length = 256)]
    attempt: String,
    #[schema(max_length = 256)]
    secret: String,
    /// The `device_token` of an earlier answer on this device: its owner is not told of a new one.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
}

fn only_pending() -> Schema {
    one_of(["pending"])
}

#[derive(Serialize, ToSchema)]
struct Pending {
    #[schema(schema_with = only_pending)]
    status: &'static str,
}

/// Has the person confirmed? Ask every second or two.
#[utoipa::path(post, path = "/v1/auth/telegram/bot/poll", tag = "Telegram bot", request_body = Poll,
    responses((status = 200, description = "Signed in", body = TokenPairBody), (status = 202, description = "Not yet", body = Pending),
        (status = 401, description = "The person is not let in; `reason` says why"), (status = 403, description = "The account is blocked"),
        (status = 409, description = "The address has an account already"), (status = 410, description = "The invitation is not good any more"),
        (status = 422, description = "The attempt is unknown, over or declined in the chat")))]
async fn poll(State(api): State<Arc<Api>>, Visitor(ctx): Visitor, Json(body): Json<Poll>) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    Ok(match api.services.sign_in.poll_bot(&ctx, &body.attempt, &body.secret).await? {
        BotPoll::Pending => (StatusCode::ACCEPTED, Json(Pending { status: "pending" })).into_response(),
        BotPoll::Completed(completion) => completed(*completion),
    })
}

/// The Bot API's updates come here, with the secret that was given to `setWebhook`.
#[utoipa::path(post, path = "/v1/telegram/webhook", tag = "Telegram bot", request_body(content = Object, content_type = "application/json"),
    params(("X-Telegram-Bot-Api-Secret-Token" = Option<String>, Header, description = "The webhook's secret")),
    responses((status = 200, description = "Taken"), (status = 401, description = "The secret is wrong"), (status = 404, description = "No bot is configured")))]
async fn webhook(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    headers: HeaderMap,
    RawJson(body): RawJson,
) -> Result<StatusCode, Problem> {
    let secret = headers.get(WEBHOOK_SECRET_HEADER).map(|value| value.as_bytes());
    let body: Bytes = body;
    api.services.bot.take_webhook(&ctx, secret, &body).await?;
    Ok(StatusCode::OK)
}
