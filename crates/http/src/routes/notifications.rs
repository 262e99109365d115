//! The inbox of the signed-in user. The live stream has a file of its own (`notification_stream.rs`).

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{NotificationId, Timestamp};
use userd_services::notifications::{InboxCounts, NotificationPage, NotificationView, Shown};
use userd_web::{
    caller::SignedInUser,
    extract::{CursorText, Json, Limit, Path, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(list))
        .with(routes!(unread_count))
        .with(routes!(seen))
        .with(routes!(read_all))
        .with(routes!(read))
        .with(routes!(archive))
        .with(routes!(remove))
}

/// A notification in an inbox.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub(super) struct NotificationBody {
    id: Uuid,
    /// What it is about, as preferences name it: `security`, `account`, `administration`, or a word of whoever sent it.
    #[schema(example = "security")]
    category: String,
    title: String,
    /// Plain text.
    body: String,
    /// For the application that shows it.
    #[schema(value_type = Object)]
    data: serde_json::Value,
    /// Where it leads.
    action_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    archived_at: Option<Timestamp>,
}

impl From<NotificationView> for NotificationBody {
    fn from(view: NotificationView) -> Self {
        Self {
            id: view.id.0,
            category: view.category,
            title: view.content.title,
            body: view.content.body,
            data: view.content.data,
            action_url: view.content.action_url,
            created_at: view.created_at,
            seen_at: view.seen_at,
            read_at: view.read_at,
            archived_at: view.archived_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct NotificationList {
    /// Newest first.
    items: Vec<NotificationBody>,
    next_cursor: Option<String>,
}

/// How much there is to look at.
#[derive(Serialize, ToSchema)]
struct UnreadCount {
    /// Not read.
    unread: i64,
    /// Neither read nor seen: what a badge shows.
    unseen: i64,
}

impl From<InboxCounts> for UnreadCount {
    fn from(counts: InboxCounts) -> Self {
        Self { unread: counts.unread, unseen: counts.unseen }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InboxQuery {
    /// Only what was not read.
    #[serde(default)]
    unread: bool,
    /// Only what was put away.
    #[serde(default)]
    archived: bool,
    /// Items per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<CursorText>,
}

/// My inbox, newest first.
#[utoipa::path(get, path = "/v1/me/notifications", tag = "Notifications", params(InboxQuery),
    responses((status = 200, description = "A page of the inbox", body = NotificationList)))]
async fn list(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(query): Query<InboxQuery>,
) -> Result<Json<NotificationList>, Problem> {
    let (shown, name) = match (query.archived, query.unread) {
        (true, true) => return Err(Problem::malformed("Ask for `unread` or for `archived`, not for both.")),
        (true, false) => (Shown::Archived, "notifications?archived"),
        (false, true) => (Shown::Unread, "notifications?unread"),
        (false, false) => (Shown::Inbox, "notifications"),
    };
    // A cursor of somebody else's inbox would tell when something came to them.
    let name = format!("{name}&of={}", user.id);
    let after = query.cursor.as_ref().map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let page = api.services.notifications.list(&user.ctx, shown, after, query.limit.get()).await?;
    let NotificationPage { items, next } = page;
    let next_cursor = next.and_then(|place| api.cursors.seal(&name, &place));
    Ok(Json(NotificationList { items: items.into_iter().map(Into::into).collect(), next_cursor }))
}

/// How many of my notifications are unread, and how many unseen: two kept numbers, cheap to ask for.
#[utoipa::path(get, path = "/v1/me/notifications/unread-count", tag = "Notifications",
    responses((status = 200, description = "Both numbers", body = UnreadCount)))]
async fn unread_count(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<Json<UnreadCount>, Problem> {
    Ok(Json(api.services.notifications.counts(&user.ctx).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"up_to": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}))]
struct SeenUpTo {
    /// The newest notification that was shown.
    up_to: Uuid,
}

/// I have seen everything up to this one: the badge is for what came later.
#[utoipa::path(post, path = "/v1/me/notifications/seen", tag = "Notifications", request_body = SeenUpTo,
    responses((status = 200, description = "What is left", body = UnreadCount)))]
async fn seen(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Json(body): Json<SeenUpTo>,
) -> Result<Json<UnreadCount>, Problem> {
    Ok(Json(api.services.notifications.see(&user.ctx, NotificationId(body.up_to)).await?.into()))
}

/// I have read everything.
#[utoipa::path(post, path = "/v1/me/notifications/read-all", tag = "Notifications",
    responses((status = 204, description = "Everything is read")))]
async fn read_all(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<StatusCode, Problem> {
    api.services.notifications.read_all(&user.ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// I have read one. Again changes nothing.
#[utoipa::path(post, path = "/v1/me/notifications/{id}/read", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "It is read"), (status = 404, description = "There is none of mine")))]
async fn read(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<NotificationId>,
) -> Result<StatusCode, Problem> {
    api.services.notifications.read(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put one away. Again changes nothing.
#[utoipa::path(post, path = "/v1/me/notifications/{id}/archive", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "It is put away"), (status = 404, description = "There is none of mine")))]
async fn archive(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<NotificationId>,
) -> Result<StatusCode, Problem> {
    api.services.notifications.archive(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove one for good.
#[utoipa::path(delete, path = "/v1/me/notifications/{id}", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "It is gone"), (status = 404, description = "There is none of mine")))]
async fn remove(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<NotificationId>,
) -> Result<StatusCode, Problem> {
    api.services.notifications.remove(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
