//! Administration of accounts.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, UserId, UserStatus};
use userd_services::{
    accounts::NewUser,
    user_list::{UserFilter, UserPlace},
    users::Block,
};
use userd_web::{
    caller::Caller,
    extract::{CursorText, IdempotencyKey, IfMatch, Json, Limit, Path, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    bodies::{UserBody, statuses},
    profile::{Profile, tagged},
};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(list, create))
        .with(routes!(show, change))
        .with(routes!(block))
        .with(routes!(unblock))
        .with(routes!(sign_out))
        .with(routes!(require_password_change))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// An exact e-mail address or phone number, or how a username or display name begins.
    #[param(value_type = Option<String>, max_length = 254)]
    query: Option<String>,
    #[param(schema_with = statuses)]
    status: Option<UserStatus>,
    /// The name of a role that they hold.
    #[param(value_type = Option<String>, max_length = 100)]
    role: Option<String>,
    /// The id of a provider with which they can sign in.
    #[param(value_type = Option<String>, max_length = 32)]
    provider: Option<String>,
    /// Those made later.
    #[param(value_type = Option<String>, format = DateTime)]
    created_after: Option<Timestamp>,
    /// Items per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<CursorText>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<UserBody>,
    next_cursor: Option<String>,
}

/// Accounts to which all filters apply. A page may be short, or empty, and have a cursor all the same: it looks at a thousand
/// accounts at most.
#[utoipa::path(get, path = "/v1/users", tag = "Users", params(ListQuery),
    responses((status = 200, description = "A page", body = UserPage)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<UserPage>, Problem> {
    let ListQuery { query, status, role, provider, created_after, limit, cursor } = query;
    let filter = UserFilter { query, status, role, provider, created_after };
    // A cursor is good for its own filters only.
    let list = format!("users {filter:?}");
    let after: Option<UserPlace> = cursor.map(|text| text.open(&api.cursors, &list)).transpose()?;
    let page = api.services.users.list(&ctx, &filter, after, limit.get()).await?;
    let next_cursor = page.next.and_then(|place| api.cursors.seal(&list, &place));
    Ok(Json(UserPage { items: page.items.into_iter().map(UserBody::from).collect(), next_cursor }))
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUser, example = json!({"email": "anna@example.org", "display_name": "Анна"}))]
struct Create {
    /// This or `username` is needed.
    #[serde(default)]
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 3, max_length = 32)]
    username: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// BCP 47.
    #[serde(default)]
    #[schema(max_length = 35)]
    locale: Option<String>,
    /// They may allow what you may do yourself.
    #[serde(default)]
    #[schema(max_items = 64)]
    roles: Vec<String>,
}

/// Make an account for somebody. It has no password: its owner sets one by the address, or comes in by a provider.
#[utoipa::path(post, path = "/v1/users", tag = "Users", request_body = Create, params(IdempotencyKey),
    responses((status = 201, description = "Made", body = UserBody),
        (status = 409, description = "E-mail or username is taken; or a repeat after the caller's password changed"),
        (status = 429, description = "Too many of them from you")))]
async fn create(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Create>,
) -> Result<impl IntoResponse, Problem> {
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/users {}", ctx.actor.name()), &key, &bytes)
    });
    let Create { email, username, display_name, locale, roles } = body;
    let input = NewUser { email, username, display_name, locale, roles };
    let made = api.services.accounts.create(&ctx, &input, idempotent.as_ref()).await?;
    Ok((StatusCode::CREATED, tagged(made)))
}

/// One account.
#[utoipa::path(get, path = "/v1/users/{id}", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The account", body = UserBody)))]
async fn show(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.users.show(&ctx, id).await?))
}

/// Change the profile of an account.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "Users", request_body = Profile,
    params(IfMatch, ("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The changed account", body = UserBody)))]
async fn change(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    guard: IfMatch,
    Json(body): Json<Profile>,
) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.accounts.change_profile_of(&ctx, id, body.into(), guard.version()).await?))
}

/// What a block says.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "asked for by its owner"}))]
struct BlockInput {
    /// Shown to administrators and in the message to whom it concerns.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// When the block ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Block an account and revoke its tokens at once. One that is deleted stays so, and comes back blocked.
#[utoipa::path(post, path = "/v1/users/{id}/block", tag = "Users", request_body(content = Option<BlockInput>), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "Blocked", body = UserBody), (status = 409, description = "The last administrator")))]
async fn block(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    body: Option<Json<BlockInput>>,
) -> Result<Json<UserBody>, Problem> {
    let BlockInput { reason, until } = body.map(|Json(body)| body).unwrap_or_default();
    Ok(Json(api.services.users.block_with(&ctx, id, &Block { reason, until }).await?.into()))
}

/// Unblock an account.
#[utoipa::path(post, path = "/v1/users/{id}/unblock", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "Unblocked", body = UserBody)))]
async fn unblock(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, Problem> {
    Ok(Json(api.services.users.unblock(&ctx, id).await?.into()))
}

/// End every session of an account.
#[utoipa::path(post, path = "/v1/users/{id}/sign-out", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Signed out")))]
async fn sign_out(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    api.services.users.sign_out(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Demand a new password of somebody. Every session ends; the next sign-in by the password so far is answered with 202
/// `password_change_required`.
#[utoipa::path(post, path = "/v1/users/{id}/require-password-change", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Demanded"), (status = 409, description = "The account has no password")))]
async fn require_password_change(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    api.services.users.require_password_change(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
