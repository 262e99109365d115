//! Administration of accounts.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, UserId};
use userd_web::{
    caller::Caller,
    extract::{CursorText, IfMatch, Json, Limit, Path, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    bodies::UserBody,
    profile::{Profile, tagged},
};
use crate::{api::Api, documented::Routes};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(list))
        .with(routes!(show, change))
        .with(routes!(block))
        .with(routes!(unblock))
        .with(routes!(sign_out))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// An exact e-mail address, username or phone number.
    #[param(value_type = Option<String>, max_length = 254)]
    query: Option<String>,
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

const LIST: &str = "users";

/// Accounts, oldest first; or the one with an exact login.
#[utoipa::path(get, path = "/v1/users", tag = "Users", params(ListQuery),
    responses((status = 200, description = "A page", body = UserPage)))]
async fn list(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<UserPage>, Problem> {
    let users = &api.services.users;
    if let Some(login) = &query.query {
        let found = match users.find(&ctx, login).await {
            Err(userd_services::Failure::Refused(userd_model::Refusal::NotFound)) => Vec::new(),
            other => vec![other?.into()],
        };
        return Ok(Json(UserPage { items: found, next_cursor: None }));
    }
    let after: Option<(i64, UserId)> = query.cursor.as_ref().map(|text| text.open(&api.cursors, LIST)).transpose()?;
    let after = after.map(|(at, id)| (Timestamp::from_micros(at), id));
    let limit = query.limit.get();
    let page = users.page(&ctx, after, limit as u32).await?;
    let last = page.last().filter(|_| page.len() == limit);
    let next_cursor = last.and_then(|last| api.cursors.seal(LIST, &(last.created_at.micros(), last.id)));
    Ok(Json(UserPage { items: page.into_iter().map(UserBody::from).collect(), next_cursor }))
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

/// Block an account and revoke its tokens at once.
#[utoipa::path(post, path = "/v1/users/{id}/block", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "Blocked", body = UserBody)))]
async fn block(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, Problem> {
    Ok(Json(api.services.users.block(&ctx, id).await?.into()))
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
