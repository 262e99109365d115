//! The keys that sign tokens.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use userd_model::{KeyState, Timestamp};
use userd_services::signing_keys::KeyView;
use userd_web::{
    caller::Caller,
    extract::{Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::{ToSchema, openapi::Schema};

use super::bodies::one_of;
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(list)).with(routes!(rotate)).with(routes!(revoke))
}

fn states() -> Schema {
    one_of([KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Revoked].map(KeyState::as_str))
}

/// A signing key; its private half never leaves the service.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct KeyBody {
    kid: String,
    /// `EdDSA`, `ES256` or `RS256`.
    algorithm: String,
    #[schema(schema_with = states)]
    state: KeyState,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
}

/// Keys, oldest first: a page, or all of them after a change.
#[derive(Serialize, ToSchema)]
struct KeyList {
    items: Vec<KeyBody>,
    next_cursor: Option<String>,
}

/// The signing keys.
#[utoipa::path(get, path = "/v1/signing-keys", tag = "Signing keys", params(PageQuery),
    responses((status = 200, description = "A page", body = KeyList)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<KeyList>, Problem> {
    let all = api.services.signing_keys.list(&ctx).await?;
    let place = |key: &KeyView| (key.created_at.micros(), key.kid.clone());
    let (items, next_cursor) = page.of(&api.cursors, "signing keys", all, place)?;
    Ok(Json(KeyList { next_cursor, ..keys(items) }))
}

/// Rotate now: the next key signs, and a new next one is published.
#[utoipa::path(post, path = "/v1/signing-keys/rotate", tag = "Signing keys",
    responses((status = 200, description = "All keys", body = KeyList)))]
async fn rotate(State(api): State<Arc<Api>>, Caller(ctx): Caller) -> Result<Json<KeyList>, Problem> {
    Ok(Json(keys(api.services.signing_keys.rotate(&ctx).await?)))
}

/// Revoke a compromised key: nothing it signed is accepted any more.
#[utoipa::path(post, path = "/v1/signing-keys/{kid}/revoke", tag = "Signing keys",
    params(("kid" = String, Path, description = "The key")), responses((status = 200, description = "All keys", body = KeyList)))]
async fn revoke(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(kid): Path<String>,
) -> Result<Json<KeyList>, Problem> {
    Ok(Json(keys(api.services.signing_keys.revoke(&ctx, &kid).await?)))
}

fn keys(views: Vec<KeyView>) -> KeyList {
    let items = views
        .into_iter()
        .map(|view| KeyBody {
            kid: view.kid,
            algorithm: view.algorithm,
            state: view.state,
            created_at: view.created_at,
            activated_at: view.activated_at,
            retired_at: view.retired_at,
        })
        .collect();
    KeyList { items, next_cursor: None }
}
