//! The signed-in user's own account: profile, password, username, devices; and the devices of others for administrators.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{SessionId, Timestamp, UserId};
use userd_services::{Context, passwords::Password, sessions::SessionView};
use userd_web::{
    caller::{Caller, SignedInUser, TokenOwner},
    extract::{IfMatch, Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    bodies::UserBody,
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
        .with(routes!(read, change))
        .with(routes!(change_password))
        .with(routes!(change_username))
        .with(routes!(sessions))
        .with(routes!(sessions_of))
        .with(routes!(name_device, end_session))
}

/// My account.
#[utoipa::path(get, path = "/v1/me", tag = "Me", responses((status = 200, description = "The account", body = UserBody)))]
async fn read(State(api): State<Arc<Api>>, TokenOwner(id): TokenOwner) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.user_reader.show_own(id).await?))
}

/// Change my profile.
#[utoipa::path(patch, path = "/v1/me", tag = "Me", request_body = Profile,
    params(IfMatch),
    responses((status = 200, description = "The changed account", body = UserBody)))]
async fn change(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    guard: IfMatch,
    Json(body): Json<Profile>,
) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.accounts.change_profile(&user.ctx, body.into(), guard.version()).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery staple", "new_password": "purple otters sing at noon"}))]
struct NewPassword {
    /// Left out by whoever has none yet: then the sign-in must be a few minutes old at most.
    #[serde(default)]
    #[schema(format = Password, max_length = 4096)]
    current_password: Option<String>,
    #[schema(format = Password, min_length = 8, max_length = 4096)]
    new_password: String,
}

/// Change my password, or set the first one. Every other session ends.
#[utoipa::path(put, path = "/v1/me/password", tag = "Me", request_body = NewPassword,
    params(IfMatch),
    responses((status = 204, description = "Changed"), (status = 403, description = "The current password is wrong; or there is none yet: sign in again to set the first"),
        (status = 429, description = "Too many attempts"), (status = 503, description = "Busy")))]
async fn change_password(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    guard: IfMatch,
    Json(body): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    let (current, new) = (body.current_password.map(Password::new), Password::new(body.new_password));
    let accounts = &api.services.accounts;
    accounts.replace_password(&user.ctx, current.as_ref(), &new, guard.version()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "anna"}))]
struct NewUsername {
    #[schema(min_length = 3, max_length = 32)]
    username: String,
}

/// Change my username.
#[utoipa::path(put, path = "/v1/me/username", tag = "Me", request_body = NewUsername,
    params(IfMatch),
    responses((status = 200, description = "The changed account", body = UserBody), (status = 409, description = "The username is taken")))]
async fn change_username(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    guard: IfMatch,
    Json(body): Json<NewUsername>,
) -> Result<impl IntoResponse, Problem> {
    Ok(tagged(api.services.accounts.change_username(&user.ctx, &body.username, guard.version()).await?))
}

/// A device with a session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionBody {
    id: Uuid,
    device_name: Option<String>,
    user_agent: Option<String>,
    ip: Option<String>,
    /// How the user signed in (RFC 8176).
    amr: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The session that asks.
    current: bool,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
struct SessionPage {
    items: Vec<SessionBody>,
    next_cursor: Option<String>,
}

/// My sessions, oldest first.
#[utoipa::path(get, path = "/v1/me/sessions", tag = "Me", params(PageQuery),
    responses((status = 200, description = "A page", body = SessionPage)))]
async fn sessions(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<SessionPage>, Problem> {
    page_of_sessions(&api, &user.ctx, user.id, &page).await
}

/// The sessions of an account, oldest first.
#[utoipa::path(get, path = "/v1/users/{id}/sessions", tag = "Users", params(("id" = Uuid, Path, description = "The account"), PageQuery),
    responses((status = 200, description = "A page", body = SessionPage)))]
async fn sessions_of(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<SessionPage>, Problem> {
    page_of_sessions(&api, &ctx, id, &page).await
}

async fn page_of_sessions(
    api: &Api,
    ctx: &Context,
    of: UserId,
    page: &PageQuery,
) -> Result<Json<SessionPage>, Problem> {
    let list = format!("sessions {of}");
    let after: Option<(i64, SessionId)> = page.after(&api.cursors, &list)?;
    let after = after.map(|(at, id)| (Timestamp::from_micros(at), id));
    let limit = page.limit.get();
    let sessions = api.services.sessions.list(ctx, of, after, limit as u32).await?;
    let next_cursor = (sessions.len() == limit)
        .then(|| sessions.last().and_then(|last| api.cursors.seal(&list, &(last.created_at.micros(), last.id))))
        .flatten();
    Ok(Json(SessionPage { items: sessions.into_iter().map(session).collect(), next_cursor }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"device_name": "Firefox at work"}))]
struct DeviceName {
    #[schema(min_length = 1, max_length = 100)]
    device_name: String,
}

/// Name the device of one of my sessions.
#[utoipa::path(patch, path = "/v1/me/sessions/{id}", tag = "Me", request_body = DeviceName,
    params(("id" = Uuid, Path, description = "The session")),
    responses((status = 200, description = "The session", body = SessionBody)))]
async fn name_device(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<SessionId>,
    Json(body): Json<DeviceName>,
) -> Result<Json<SessionBody>, Problem> {
    Ok(Json(session(api.services.sessions.name_device(&user.ctx, id, &body.device_name).await?)))
}

/// End one of my sessions.
#[utoipa::path(delete, path = "/v1/me/sessions/{id}", tag = "Me", params(("id" = Uuid, Path, description = "The session")),
    responses((status = 204, description = "Ended")))]
async fn end_session(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    api.services.sessions.end(&user.ctx, user.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn session(view: SessionView) -> SessionBody {
    SessionBody {
        id: view.id.0,
        device_name: view.device_name,
        user_agent: view.user_agent,
        ip: view.ip,
        amr: view.amr,
        created_at: view.created_at,
        last_seen_at: view.last_seen_at,
        expires_at: view.expires_at,
        current: view.current,
    }
}
