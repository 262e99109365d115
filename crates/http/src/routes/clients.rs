//! Service accounts of other services.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{ClientId, Timestamp};
use userd_services::clients::{ClientView, NewClient};
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::{api::Api, documented::Routes};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list, create)).with(routes!(remove)).with(routes!(rotate_secret))
}

/// A service account.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
struct ClientBody {
    /// The `client_id`.
    id: Uuid,
    name: String,
    permissions: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    secret_changed_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
}

/// A service account with its secret, which is shown only once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewClient)]
struct NewClientBody {
    #[serde(flatten)]
    client: ClientBody,
    client_secret: String,
}

#[derive(Serialize, ToSchema)]
struct ClientPage {
    items: Vec<ClientBody>,
    next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "billing", "permissions": ["users.read"]}))]
struct Create {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Names of permissions; you can give those that you hold.
    #[schema(max_items = 64)]
    permissions: Vec<String>,
}

const LIST: &str = "clients";

/// Service accounts, oldest first.
#[utoipa::path(get, path = "/v1/clients", tag = "Clients", params(PageQuery),
    responses((status = 200, description = "A page", body = ClientPage)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ClientPage>, Problem> {
    let after: Option<(i64, ClientId)> = page.after(&api.cursors, LIST)?;
    let after = after.map(|(at, id)| (Timestamp::from_micros(at), id));
    let limit = page.limit.get();
    let items = api.services.clients.page(&ctx, after, limit as u32).await?;
    let last = items.last().filter(|_| items.len() == limit);
    let next_cursor = last.and_then(|last| api.cursors.seal(LIST, &(last.created_at.micros(), last.id)));
    Ok(Json(ClientPage { items: items.into_iter().map(client).collect(), next_cursor }))
}

/// Create a service account.
#[utoipa::path(post, path = "/v1/clients", tag = "Clients", request_body = Create,
    params(IdempotencyKey),
    responses((status = 201, description = "Created; the secret is shown only once, to repeats with the same key for 10 minutes", body = NewClientBody),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn create(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Create>,
) -> Result<(StatusCode, Json<NewClientBody>), Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/clients {}", ctx.actor.name()), &key, &bytes)
    });
    let made = api.services.clients.create(&ctx, &body.name, &body.permissions, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(new_client(made))))
}

/// Disable a service account and revoke its tokens at once.
#[utoipa::path(delete, path = "/v1/clients/{id}", tag = "Clients", params(("id" = Uuid, Path, description = "The client")),
    responses((status = 204, description = "Disabled")))]
async fn remove(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<ClientId>,
) -> Result<StatusCode, Problem> {
    api.services.clients.disable(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate the secret: the old one and the tokens obtained with it are revoked at once.
#[utoipa::path(post, path = "/v1/clients/{id}/rotate-secret", tag = "Clients", params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, description = "The new secret, shown only once", body = NewClientBody)))]
async fn rotate_secret(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<ClientId>,
) -> Result<Json<NewClientBody>, Problem> {
    Ok(Json(new_client(api.services.clients.rotate_secret(&ctx, id).await?)))
}

fn client(view: ClientView) -> ClientBody {
    ClientBody {
        id: view.id.0,
        name: view.name,
        permissions: view.permissions,
        created_at: view.created_at,
        secret_changed_at: view.secret_changed_at,
        disabled_at: view.disabled_at,
    }
}

fn new_client(made: NewClient) -> NewClientBody {
    NewClientBody { client: client(made.client), client_secret: made.client_secret }
}
