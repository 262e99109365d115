//! Roles and permissions that users hold.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{GrantKind, Timestamp, UserId};
use userd_services::{
    Context,
    roles::{GrantInput, GrantView},
};
use userd_web::{
    caller::{Caller, SignedInUser},
    extract::{Json, PageQuery, Path, Query},
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
    Routes::new()
        .with(routes!(own))
        .with(routes!(of_user))
        .with(routes!(grant_role, revoke_role))
        .with(routes!(grant_permission, revoke_permission))
}

/// A role or permission that a user holds.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessGrant)]
struct GrantBody {
    id: Uuid,
    /// Where it is a role.
    role: Option<String>,
    /// Where it is a permission.
    permission: Option<String>,
    /// `direct`, `request` or `config`.
    source: &'static str,
    reason: Option<String>,
    /// The user or service account, `operator`, `system` or `rule`.
    granted_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it counts; none: from the beginning.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<GrantView> for GrantBody {
    fn from(GrantView { grant, reason }: GrantView) -> Self {
        let (role, permission) = match grant.kind {
            GrantKind::Role => (Some(grant.name), None),
            GrantKind::Permission => (None, Some(grant.name)),
        };
        Self {
            id: grant.id.0,
            role,
            permission,
            source: grant.source.as_str(),
            reason,
            granted_by: grant.granted_by,
            created_at: grant.created_at,
            starts_at: grant.period.starts_at,
            expires_at: grant.period.expires_at,
        }
    }
}

/// A page of what a user holds, oldest first.
#[derive(Serialize, ToSchema)]
struct GrantList {
    items: Vec<GrantBody>,
    next_cursor: Option<String>,
}

/// How something is given.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessGrantInput, example = json!({"reason": "stands in for Boris", "expires_at": "2027-01-31T00:00:00Z"}))]
struct GrantInputBody {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// From when on it counts.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<Option<Json<GrantInputBody>>> for GrantInputBody {
    fn from(body: Option<Json<Self>>) -> Self {
        body.map(|Json(body)| body).unwrap_or_default()
    }
}

impl From<GrantInputBody> for GrantInput {
    fn from(body: GrantInputBody) -> Self {
        let GrantInputBody { reason, starts_at, expires_at } = body;
        Self { reason, starts_at, expires_at }
    }
}

/// What I hold, why, and until when.
#[utoipa::path(get, path = "/v1/me/grants", operation_id = "list_own_grants", tag = "Me", params(PageQuery),
    responses((status = 200, description = "A page", body = GrantList)))]
async fn own(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<GrantList>, Problem> {
    page_of_grants(&api, &user.ctx, user.id, &page).await
}

/// What an account holds.
#[utoipa::path(get, path = "/v1/users/{id}/grants", operation_id = "list_grants", tag = "Users",
    params(("id" = Uuid, Path, description = "The account"), PageQuery),
    responses((status = 200, description = "A page", body = GrantList)))]
async fn of_user(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<GrantList>, Problem> {
    page_of_grants(&api, &ctx, id, &page).await
}

async fn page_of_grants(api: &Api, ctx: &Context, of: UserId, page: &PageQuery) -> Result<Json<GrantList>, Problem> {
    let all = api.services.grants.of_user(ctx, of).await?;
    let place = |view: &GrantView| (view.grant.created_at.micros(), view.grant.id.0);
    let (items, next_cursor) = page.of(&api.cursors, &format!("grants {of}"), all, place)?;
    Ok(Json(GrantList { items: items.into_iter().map(GrantBody::from).collect(), next_cursor }))
}

/// Give an account a role, or another time for one that it holds: at most what you may do yourself.
#[utoipa::path(put, path = "/v1/users/{id}/roles/{role}", operation_id = "grant_role", tag = "Users",
    request_body(content = Option<GrantInputBody>),
    params(("id" = Uuid, Path, description = "The account"), ("role" = String, Path, description = "The role")),
    responses((status = 200, description = "Given", body = GrantBody), (status = 404, description = "No such account, or no such role"),
        (status = 409, description = "The last administrator's role must not end")))]
async fn grant_role(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path((id, role)): Path<(UserId, String)>,
    body: Option<Json<GrantInputBody>>,
) -> Result<Json<GrantBody>, Problem> {
    let input = GrantInputBody::from(body).into();
    Ok(Json(api.services.grants.grant(&ctx, id, GrantKind::Role, &role, &input).await?.into()))
}

/// Take a role from an account: tokens in use lose it at once.
#[utoipa::path(delete, path = "/v1/users/{id}/roles/{role}", operation_id = "revoke_role", tag = "Users",
    params(("id" = Uuid, Path, description = "The account"), ("role" = String, Path, description = "The role")),
    responses((status = 204, description = "Taken"), (status = 404, description = "No such account, or it does not hold the role"),
        (status = 409, description = "The last administrator")))]
async fn revoke_role(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path((id, role)): Path<(UserId, String)>,
) -> Result<StatusCode, Problem> {
    api.services.grants.revoke(&ctx, id, GrantKind::Role, &role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give an account a single permission, or another time for one that it holds: one that you may do yourself.
#[utoipa::path(put, path = "/v1/users/{id}/permissions/{permission}", operation_id = "grant_permission", tag = "Users",
    request_body(content = Option<GrantInputBody>),
    params(("id" = Uuid, Path, description = "The account"), ("permission" = String, Path, description = "The permission")),
    responses((status = 200, description = "Given", body = GrantBody),
        (status = 404, description = "No such account, or the permission is not registered")))]
async fn grant_permission(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path((id, permission)): Path<(UserId, String)>,
    body: Option<Json<GrantInputBody>>,
) -> Result<Json<GrantBody>, Problem> {
    let input = GrantInputBody::from(body).into();
    Ok(Json(api.services.grants.grant(&ctx, id, GrantKind::Permission, &permission, &input).await?.into()))
}

/// Take a single permission from an account: tokens in use lose it at once.
#[utoipa::path(delete, path = "/v1/users/{id}/permissions/{permission}", operation_id = "revoke_permission", tag = "Users",
    params(("id" = Uuid, Path, description = "The account"), ("permission" = String, Path, description = "The permission")),
    responses((status = 204, description = "Taken"), (status = 404, description = "No such account, or it was not given the permission by itself")))]
async fn revoke_permission(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path((id, permission)): Path<(UserId, String)>,
) -> Result<StatusCode, Problem> {
    api.services.grants.revoke(&ctx, id, GrantKind::Permission, &permission).await?;
    Ok(StatusCode::NO_CONTENT)
}
