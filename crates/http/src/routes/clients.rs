//! Service accounts of other services.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{ClientId, Timestamp};
use userd_services::{
    Context, IdempotentRequest,
    clients::{ClientChange, ClientInput, ClientView, NewClient},
};
use userd_web::{
    caller::Caller,
    extract::{IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
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
        .with(routes!(change, remove))
        .with(routes!(enable))
        .with(routes!(rotate_secret))
}

/// A service account.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
struct ClientBody {
    /// The `client_id`.
    id: Uuid,
    name: String,
    permissions: Vec<String>,
    /// What it may register, give and ask about begins so; null: it is not limited.
    permission_prefix: Option<String>,
    /// The audiences that its tokens may be for; null: the first of `tokens.audience`.
    audiences: Option<Vec<String>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    secret_changed_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// For `If-Match`.
    version: i64,
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
    /// A beginning of names, such as `billing.`: it may register, give and ask about permissions that begin so, and roles
    /// whose names do and which allow nothing else. For good. Absent: it is limited as its maker is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 100)]
    permission_prefix: Option<String>,
    /// Of `tokens.audience`: whom its tokens may be for. The first is the default, `resource` asks for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 64)]
    audiences: Option<Vec<String>>,
}

/// A change of a service account: an absent field stays, `null` gives the audiences back to the configuration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeClient, example = json!({"audiences": ["https://orders.example"]}))]
struct Change {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Of `tokens.audience`: whom its tokens may be for. The first is the default, `resource` asks for another.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 64)]
    audiences: Option<Option<Vec<String>>>,
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
    let Create { name, permissions, permission_prefix, audiences } = &body;
    let (audiences, permission_prefix) = (audiences.as_deref(), permission_prefix.as_deref());
    let input = ClientInput { name, permissions, audiences, permission_prefix };
    let made = api.services.clients.create_for(&ctx, input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(new_client(made))))
}

/// Change a service account's name, and the audiences that its tokens may be for.
#[utoipa::path(patch, path = "/v1/clients/{id}", tag = "Clients", request_body = Change,
    params(IfMatch, ("id" = Uuid, Path, description = "The client")),
    responses((status = 200, description = "The changed client", body = ClientBody)))]
async fn change(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<ClientId>,
    guard: IfMatch,
    Json(Change { name, audiences }): Json<Change>,
) -> Result<impl IntoResponse, Problem> {
    let changed = api.services.clients.change(&ctx, id, ClientChange { name, audiences }, guard.version()).await?;
    Ok((version_tag(changed.version), Json(client(changed))))
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

/// Enable a disabled service account, with a new secret.
#[utoipa::path(post, path = "/v1/clients/{id}/enable", tag = "Clients",
    params(IdempotencyKey, ("id" = Uuid, Path, description = "The client")),
    responses((status = 200, description = "Enabled; the new secret is shown only once, to repeats with the same key for 10 minutes", body = NewClientBody),
        (status = 404, description = "No such service account is disabled"),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn enable(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<ClientId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Json<NewClientBody>, Problem> {
    let idempotent = once(&api, &ctx, key, &format!("{id}/enable"));
    Ok(Json(new_client(api.services.clients.enable(&ctx, id, idempotent.as_ref()).await?)))
}

/// Rotate the secret: the old one and the tokens obtained with it are revoked at once.
#[utoipa::path(post, path = "/v1/clients/{id}/rotate-secret", tag = "Clients",
    params(IdempotencyKey, ("id" = Uuid, Path, description = "The client")),
    responses((status = 200, description = "The new secret, shown only once, to repeats with the same key for 10 minutes", body = NewClientBody),
        (status = 409, description = "A repeat after that, or after the caller's password changed")))]
async fn rotate_secret(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<ClientId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Json<NewClientBody>, Problem> {
    let idempotent = once(&api, &ctx, key, &format!("{id}/rotate-secret"));
    Ok(Json(new_client(api.services.clients.rotate_secret(&ctx, id, idempotent.as_ref()).await?)))
}

/// A request without a body that is carried out once.
fn once(api: &Api, ctx: &Context, key: Option<String>, path: &str) -> Option<IdempotentRequest> {
    let scope = format!("POST /v1/clients/{path} {}", ctx.actor.name());
    key.map(|key| api.services.idempotency.request(&scope, &key, b""))
}

fn client(view: ClientView) -> ClientBody {
    ClientBody {
        id: view.id.0,
        name: view.name,
        permissions: view.permissions,
        permission_prefix: view.permission_prefix,
        audiences: view.audiences,
        created_at: view.created_at,
        secret_changed_at: view.secret_changed_at,
        disabled_at: view.disabled_at,
        version: view.version,
    }
}

fn new_client(made: NewClient) -> NewClientBody {
    NewClientBody { client: client(made.client), client_secret: made.client_secret }
}
