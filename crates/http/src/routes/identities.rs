//! Accounts elsewhere: the signed-in user's own, and those of others for administrators.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use userd_model::{IdentityId, Timestamp, UserId};
use userd_services::{
    Context,
    sign_in::{Emptied, IdentityView, Start},
};
use userd_web::{
    caller::{Caller, SignedInUser},
    extract::{Json, PageQuery, Path, Query},
    flow_cookie,
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
        .with(routes!(list))
        .with(routes!(start_link))
        .with(routes!(move_here))
        .with(routes!(unlink))
        .with(routes!(list_of))
        .with(routes!(unlink_of))
}

/// A linked account elsewhere.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
struct IdentityBody {
    id: Uuid,
    provider: String,
    display_name: Option<String>,
    username: Option<String>,
    email: Option<String>,
    /// E.164, where the provider was asked for it.
    phone: Option<String>,
    picture: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
}

/// A page of accounts elsewhere, oldest first.
#[derive(Serialize, ToSchema)]
struct IdentityList {
    items: Vec<IdentityBody>,
    next_cursor: Option<String>,
}

/// My accounts elsewhere.
#[utoipa::path(get, path = "/v1/me/identities", tag = "Identities", params(PageQuery),
    responses((status = 200, description = "A page", body = IdentityList)))]
async fn list(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<IdentityList>, Problem> {
    page_of_identities(&api, &user.ctx, user.id, &page).await
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartLink {
    /// Where to come back to: one of `sign_in.return_to`, exactly.
    #[serde(default)]
    #[schema(max_length = 2048)]
    return_to: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct LinkStart {
    /// Send the browser there.
    url: String,
}

/// Begin to link an account elsewhere. Needs a sign-in that is a few minutes old at most.
#[utoipa::path(post, path = "/v1/me/identities/{provider}/start", tag = "Identities", params(("provider" = String, Path, description = "Its id")),
    request_body(content = Option<StartLink>),
    responses((status = 200, description = "Where to send the browser; a cookie ties the attempt to it", body = LinkStart),
        (status = 403, description = "Sign in again to do this"), (status = 429, description = "Too many attempts"),
        (status = 422, description = "return_to is not configured"), (status = 503, description = "The provider cannot be reached now")))]
async fn start_link(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Option<Json<StartLink>>,
) -> Result<Response, Problem> {
    let start = Start { return_to: body.and_then(|Json(body)| body.return_to), ..Start::default() };
    let begun = api.services.sign_in.start_link(&user.ctx, &provider, start).await?;
    // Browsers drop a `Lax` cookie that another site's fetch is answered with.
    let fetched_elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let cookie = flow_cookie::set(&begun.state, &begun.browser, begun.cross_site || fetched_elsewhere);
    let mut answer = Json(LinkStart { url: begun.url }).into_response();
    for cookie in flow_cookie::crowded_out(&headers).into_iter().chain([cookie]) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// What proves the account that an identity moves from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "the one-time code of a sign-in to the other account"}))]
struct Move {
    /// The one-time code of a sign-in by the account elsewhere that moves, in place of its exchange.
    #[schema(max_length = 256)]
    code: String,
    /// Needed where that sign-in began with a `code_challenge`.
    #[serde(default)]
    #[schema(max_length = 128)]
    code_verifier: Option<String>,
    /// Whether the other account is deleted where this is its last way to sign in. It can be restored as any other
    /// (`DELETE /v1/me`). One that holds a role or a permission is never deleted so.
    #[serde(default)]
    delete_emptied: bool,
}

/// Move an account elsewhere here from the account that has it. Needs a sign-in that is a few minutes old at most. The
/// other account has another way to sign in, or is deleted with it where `delete_emptied` says so.
#[utoipa::path(post, path = "/v1/me/identities/move", tag = "Identities", request_body = Move,
    responses((status = 200, description = "Moved", body = IdentityBody), (status = 403, description = "Sign in again to do this; or the other account is blocked"),
        (status = 409, description = "This is the other account's last way to sign in"), (status = 422, description = "The code is unknown, used or expired"),
        (status = 429, description = "Too many attempts")))]
async fn move_here(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Json(body): Json<Move>,
) -> Result<Json<IdentityBody>, Problem> {
    let verifier = body.code_verifier.as_deref();
    let emptied = if body.delete_emptied { Emptied::Deleted } else { Emptied::Kept };
    Ok(Json(identity(api.services.sign_in.move_here(&user.ctx, &body.code, verifier, emptied).await?)))
}

/// A user's accounts elsewhere.
#[utoipa::path(get, path = "/v1/users/{id}/identities", tag = "Users", params(("id" = Uuid, Path, description = "The user"), PageQuery),
    responses((status = 200, description = "A page", body = IdentityList), (status = 404, description = "No such user")))]
async fn list_of(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<IdentityList>, Problem> {
    page_of_identities(&api, &ctx, id, &page).await
}

async fn page_of_identities(
    api: &Api,
    ctx: &Context,
    of: UserId,
    page: &PageQuery,
) -> Result<Json<IdentityList>, Problem> {
    let all = api.services.sign_in.identities(ctx, of).await?;
    let place = |one: &IdentityView| (one.created_at.micros(), one.id.0);
    let (items, next_cursor) = page.of(&api.cursors, &format!("identities {of}"), all, place)?;
    Ok(Json(IdentityList { items: items.into_iter().map(identity).collect(), next_cursor }))
}

/// Unlink an account elsewhere of a user; never the last way to sign in, and never one of one's own.
#[utoipa::path(delete, path = "/v1/users/{id}/identities/{identity_id}", tag = "Users",
    params(("id" = Uuid, Path, description = "The user"), ("identity_id" = Uuid, Path, description = "The identity")),
    responses((status = 204, description = "Unlinked"), (status = 404, description = "No such user, or no such identity"),
        (status = 409, description = "This is the last way to sign in")))]
async fn unlink_of(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path((id, identity)): Path<(UserId, IdentityId)>,
) -> Result<StatusCode, Problem> {
    api.services.sign_in.unlink_of(&ctx, id, identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlink an account elsewhere; never the last way to sign in.
#[utoipa::path(delete, path = "/v1/me/identities/{id}", tag = "Identities", params(("id" = Uuid, Path, description = "The identity")),
    responses((status = 204, description = "Unlinked"), (status = 403, description = "Sign in again to do this"),
        (status = 409, description = "This is the last way to sign in")))]
async fn unlink(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<IdentityId>,
) -> Result<StatusCode, Problem> {
    api.services.sign_in.unlink(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn identity(view: IdentityView) -> IdentityBody {
    IdentityBody {
        id: view.id.0,
        provider: view.provider,
        display_name: view.display_name,
        username: view.username,
        email: view.email,
        phone: view.phone,
        picture: view.picture,
        created_at: view.created_at,
        last_used_at: view.last_used_at,
    }
}
