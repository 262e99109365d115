//! Messages on their way, for those who look after them.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use userd_model::{DeliveryId, DeliveryState, Timestamp};
use userd_services::deliveries::{DeliveryPage, DeliveryView};
use userd_web::{
    caller::Caller,
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
    Routes::new().with(routes!(list)).with(routes!(retry)).with(routes!(resend))
}

/// A message on its way to one destination. What it says is not shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryBody {
    /// The same in every copy of what is sent.
    id: Uuid,
    #[schema(pattern = "^(inbox|email|telegram|webhook)$")]
    channel: &'static str,
    #[schema(pattern = "^(pending|delivered|dead|expired|dropped)$")]
    status: &'static str,
    user_id: Option<Uuid>,
    webhook_id: Option<Uuid>,
    /// How often it was tried.
    attempts: i64,
    /// What went wrong last.
    last_error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next, while it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl From<DeliveryView> for DeliveryBody {
    fn from(view: DeliveryView) -> Self {
        Self {
            id: view.id.0,
            channel: view.channel.as_str(),
            status: view.state.as_str(),
            user_id: view.user_id.map(|id| id.0),
            webhook_id: view.webhook_id.map(|id| id.0),
            attempts: view.attempts,
            last_error: view.last_error,
            created_at: view.created_at,
            due_at: view.due_at,
            finished_at: view.finished_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct DeliveryList {
    /// Newest first.
    items: Vec<DeliveryBody>,
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// `pending`, `delivered`, `dead`, `expired` or `dropped`; `dead` are dead letters, the default.
    #[param(value_type = Option<String>, pattern = "^(pending|delivered|dead|expired|dropped)$", default = "dead")]
    status: Option<String>,
    /// Items per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<CursorText>,
}

/// Messages in one state, newest first: dead letters unless another one is asked for.
#[utoipa::path(get, path = "/v1/deliveries", tag = "Deliveries", params(DeliveriesQuery),
    responses((status = 200, description = "A page of messages", body = DeliveryList)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<DeliveryList>, Problem> {
    let word = query.status.as_deref().unwrap_or("dead");
    let state = DeliveryState::parse(word)
        .ok_or_else(|| Problem::malformed("`status`: expected pending, delivered, dead, expired or dropped."))?;
    let name = format!("deliveries?status={word}");
    let after = query.cursor.as_ref().map(|cursor| cursor.open(&api.cursors, &name)).transpose()?;
    let DeliveryPage { items, next } = api.services.deliveries.list(&ctx, state, after, query.limit.get()).await?;
    let next_cursor = next.and_then(|place| api.cursors.seal(&name, &place));
    Ok(Json(DeliveryList { items: items.into_iter().map(Into::into).collect(), next_cursor }))
}

/// Try a message again from the beginning, also a dead letter. What has arrived stays as it is.
#[utoipa::path(post, path = "/v1/deliveries/{id}/retry", tag = "Deliveries",
    params(("id" = Uuid, Path, description = "The message")),
    responses((status = 200, description = "It is due", body = DeliveryBody), (status = 404, description = "There is none")))]
async fn retry(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<DeliveryId>,
) -> Result<Json<DeliveryBody>, Problem> {
    Ok(Json(api.services.deliveries.retry(&ctx, id).await?.into()))
}

/// Send once more what a webhook was told, also where it has arrived, under the same id. What went to a person is not sent again.
#[utoipa::path(post, path = "/v1/deliveries/{id}/resend", tag = "Deliveries",
    params(("id" = Uuid, Path, description = "The message")),
    responses((status = 200, description = "It is due", body = DeliveryBody), (status = 404, description = "There is none"),
        (status = 422, description = "It went to a person, or the webhook is off"), (status = 429, description = "Too many at once")))]
async fn resend(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<DeliveryId>,
) -> Result<Json<DeliveryBody>, Problem> {
    Ok(Json(api.services.deliveries.resend(&ctx, id).await?.into()))
}
