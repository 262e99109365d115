//! Notifications that other services, or people with the permission, send to users.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{
    MessageId, Refusal, Timestamp, UserId,
    message::{Audience, EachLanguage, MessageInput, MessageText},
    preferences::MessageChannel,
};
use userd_services::messages::{ChannelCounts, MessageView};
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, Json, LargeJson, Path},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(send)).with(routes!(progress))
}

/// To whom: exactly one of the three.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotificationAudience, example = json!({"role": "editor"}))]
struct To {
    /// These users. Ids of nobody are dead letters.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    user_ids: Option<Vec<Uuid>>,
    /// Every active account that holds this role when the notification is sent.
    #[serde(default)]
    #[schema(max_length = 128)]
    role: Option<String>,
    /// Every active account that is there when the notification is sent.
    #[serde(default)]
    all: Option<bool>,
}

/// One text for everybody, or one in each language.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a text, or an object with a text in each language: `ru` and `en`")]
#[schema(as = NotificationText)]
enum Text {
    One(String),
    #[serde(deserialize_with = "userd_web::extract::object")]
    Each(TextInEach),
}

/// A text in each language.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotificationTextInEachLanguage)]
struct TextInEach {
    #[schema(max_length = 16_384)]
    ru: String,
    #[schema(max_length = 16_384)]
    en: String,
}

impl From<Text> for MessageText {
    fn from(text: Text) -> Self {
        match text {
            Text::One(text) => Self::One(text),
            Text::Each(TextInEach { ru, en }) => Self::Each(EachLanguage { ru, en }),
        }
    }
}

/// A notification to be sent. The texts of `title` and `body` have at most 16 KiB together, in all languages.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SendNotification, example = json!({
    "to": {"user_ids": ["019aa05c-7a1e-7d0e-8f3f-0f6f2d0f6a01"]}, "category": "orders",
    "title": {"ru": "Заказ в пути", "en": "Your order is on its way"}, "body": {"ru": "Будет во вторник.", "en": "It arrives on Tuesday."},
    "action_url": "https://shop.example/orders/17"
}))]
struct Send {
    to: To,
    /// What it is about: people mute by it. Not `security`, `account` or `administration`, which are this service's.
    #[schema(pattern = "^[a-z0-9_.-]{1,50}$")]
    category: String,
    /// One line of at most 200 characters.
    title: Text,
    /// Plain text.
    body: Text,
    /// For the application that shows it: at most 16 KiB as JSON, 64 members and 8 levels.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    data: Option<serde_json::Map<String, serde_json::Value>>,
    /// Where it leads: `https://` or `http://`.
    #[serde(default)]
    #[schema(max_length = 2048)]
    action_url: Option<String>,
    /// `inbox`, `email`, `telegram`; absent: each that its reader wants.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 3)]
    channels: Option<Vec<String>>,
    /// Not before this time, at most a year ahead.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    /// What has not arrived by then is not sent any more, and the inbox shows it no longer.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A notification that is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationAccepted)]
struct Accepted {
    id: Uuid,
    /// How many users it is for; `null` until everybody is found who holds the role.
    recipients: Option<i64>,
}

/// What became of a notification.
#[derive(Serialize, ToSchema)]
struct SentNotification {
    id: Uuid,
    category: String,
    /// `users`, `role` or `all`.
    to: String,
    role: Option<String>,
    /// `pending`: waiting for its time, or becoming deliveries; `expanded`: all its deliveries are there; `expired`: its time was over before.
    #[schema(pattern = "^(pending|expanded|expired)$")]
    status: &'static str,
    /// How many users it is for; `null` until everybody is found.
    recipients: Option<i64>,
    counts: ChannelsBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    not_before: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// For each channel that was asked for, how many users' copies are in which state.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = NotificationChannels)]
struct ChannelsBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<CountsBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<CountsBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    telegram: Option<CountsBody>,
}

/// How many users' copies are in which state.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationCounts)]
struct CountsBody {
    /// On their way.
    pending: i64,
    /// The other side has taken them.
    delivered: i64,
    /// Their readers have switched the category off on this channel.
    muted: i64,
    /// Their readers have no proven address, or no chat with the bot.
    unreachable: i64,
    /// Will never be taken: dead letters.
    dead: i64,
    /// Their time was over.
    expired: i64,
    /// An operator gave them up.
    dropped: i64,
}

impl From<ChannelCounts> for CountsBody {
    fn from(counts: ChannelCounts) -> Self {
        let ChannelCounts { pending, delivered, muted, unreachable, dead, expired, dropped } = counts;
        Self { pending, delivered, muted, unreachable, dead, expired, dropped }
    }
}

impl From<MessageView> for SentNotification {
    fn from(view: MessageView) -> Self {
        let mut counts = ChannelsBody::default();
        for (channel, of_channel) in view.channels {
            let place = match channel {
                MessageChannel::Inbox => &mut counts.inbox,
                MessageChannel::Email => &mut counts.email,
                MessageChannel::Telegram => &mut counts.telegram,
            };
            *place = Some(of_channel.into());
        }
        Self {
            id: view.id.0,
            category: view.category,
            to: view.audience,
            role: view.role,
            status: view.state.as_str(),
            recipients: view.recipients,
            counts,
            created_at: view.created_at,
            not_before: view.not_before,
            expires_at: view.expires_at,
        }
    }
}

/// Send a notification to users, to whoever holds a role, or to everybody. Those who mute its category do not get it.
#[utoipa::path(post, path = "/v1/notifications", tag = "Notifications", request_body = Send, params(IdempotencyKey),
    responses((status = 202, description = "On its way", body = Accepted),
        (status = 409, description = "The key was used for another notification"),
        (status = 429, description = "Too many notifications")))]
async fn send(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    LargeJson(body): LargeJson<Send>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/notifications {}", ctx.actor.name()), &key, &bytes)
    });
    let input = MessageInput {
        to: audience(body.to)?,
        category: body.category,
        title: body.title.into(),
        body: body.body.into(),
        data: body.data,
        action_url: body.action_url,
        channels: body.channels,
        not_before: body.not_before,
        expires_at: body.expires_at,
    };
    let sent = api.services.messages.send(&ctx, input, idempotent.as_ref()).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { id: sent.id.0, recipients: sent.recipients })))
}

/// What became of a notification: how many copies are in which state, on each channel. It is known for more than a year.
#[utoipa::path(get, path = "/v1/notifications/{id}", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 200, description = "How far it is", body = SentNotification),
        (status = 404, description = "There is none")))]
async fn progress(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<SentNotification>, Problem> {
    Ok(Json(api.services.messages.read(&ctx, id).await?.into()))
}

fn audience(to: To) -> Result<Audience, Refusal> {
    match to {
        To { user_ids: Some(ids), role: None, all: None } => Ok(Audience::Users(ids.into_iter().map(UserId).collect())),
        To { user_ids: None, role: Some(role), all: None } => Ok(Audience::Role(role)),
        To { user_ids: None, role: None, all: Some(true) } => Ok(Audience::All),
        _ => Err(Refusal::field("/to", "must be one of user_ids, role and all, which is true")),
    }
}
