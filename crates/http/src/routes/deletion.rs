//! All that is held about an account, and its end: export, deletion, restoration, erasure, legal hold.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, UserId};
use userd_services::passwords::Password;
use userd_web::{
    caller::{Caller, SignedInUser, Visitor},
    extract::{Json, Path},
    problem::Problem,
};
use utoipa::ToSchema;

use super::bodies::{PendingBody, TokenPairBody, UserBody, completed};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(export))
        .with(routes!(delete_own))
        .with(routes!(restore_own))
        .with(routes!(delete_account))
        .with(routes!(restore_account))
        .with(routes!(purge))
        .with(routes!(hold, lift_hold))
}

/// Everything that is held about an account, with a description inside.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
struct Export(serde_json::Map<String, serde_json::Value>);

/// Get everything that is held about my account.
#[utoipa::path(get, path = "/v1/me/export", tag = "Me",
    responses((status = 200, description = "The archive, to be saved as a file", body = Export)))]
async fn export(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<Response, Problem> {
    const FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"account.json\"");
    let archive = api.services.export(&user.ctx, user.id).await?;
    let archive = Export(archive.as_object().cloned().unwrap_or_default());
    Ok(([(header::CONTENT_DISPOSITION, FILE)], Json(archive)).into_response())
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery staple"}))]
struct DeleteOwn {
    /// Left out by whoever has none: then the sign-in must be a few minutes old at most.
    #[serde(default)]
    #[schema(format = Password, max_length = 4096)]
    current_password: Option<String>,
}

/// A deleted account.
#[derive(Serialize, ToSchema)]
struct Deleted {
    /// After this it is erased for good.
    #[schema(value_type = String, format = DateTime)]
    restorable_until: Timestamp,
}

fn deleted(restorable_until: Timestamp) -> Response {
    (StatusCode::ACCEPTED, Json(Deleted { restorable_until })).into_response()
}

/// Delete my account. It is gone for everybody at once; signing in, or the link in the mail, restores it until
/// `restorable_until`.
#[utoipa::path(delete, path = "/v1/me", tag = "Me", request_body(content = Option<DeleteOwn>),
    responses((status = 202, description = "Deleted", body = Deleted),
        (status = 403, description = "The current password is wrong; or there is none: sign in again first"),
        (status = 409, description = "The last administrator"), (status = 503, description = "Busy")))]
async fn delete_own(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    body: Option<Json<DeleteOwn>>,
) -> Result<Response, Problem> {
    let current = body.and_then(|Json(body)| body.current_password).map(Password::new);
    Ok(deleted(api.services.deletions.delete_own(&user.ctx, current.as_ref()).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"restore_token": "udl_…"}))]
struct Restore {
    /// Of the problem `account_deleted` that answered the sign-in, or of the link in the mail.
    #[schema(max_length = 256)]
    restore_token: String,
}

/// Restore my deleted account, and sign in. By the link of a mail, whoever holds a second factor shows it first.
#[utoipa::path(post, path = "/v1/auth/restore", tag = "Sign-in", request_body = Restore,
    responses((status = 200, description = "Restored and signed in", body = TokenPairBody),
        (status = 202, description = "Something else is asked for", body = PendingBody),
        (status = 403, description = "Restored, and blocked as it was before"),
        (status = 422, description = "The token is not valid, or only an administrator restores this account")))]
async fn restore_own(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Restore>,
) -> Result<Response, Problem> {
    Ok(completed(api.services.deletions.restore_own(&ctx, &body.restore_token).await?))
}

/// Delete an account. Only an administrator restores it then.
#[utoipa::path(delete, path = "/v1/users/{id}", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 202, description = "Deleted", body = Deleted), (status = 409, description = "The last administrator")))]
async fn delete_account(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<Response, Problem> {
    Ok(deleted(api.services.deletions.delete(&ctx, id).await?))
}

/// Restore a deleted account, whoever deleted it.
#[utoipa::path(post, path = "/v1/users/{id}/restore", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "Restored", body = UserBody)))]
async fn restore_account(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, Problem> {
    Ok(Json(api.services.deletions.restore(&ctx, id).await?.into()))
}

/// Erase a deleted account now, for good.
#[utoipa::path(post, path = "/v1/users/{id}/purge", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Erased"), (status = 409, description = "Not deleted, or on legal hold")))]
async fn purge(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    api.services.deletions.purge(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "case 17/2026"}))]
struct Hold {
    /// For those who look after the hold; nothing personal.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// Forbid to erase an account, whatever its time.
#[utoipa::path(put, path = "/v1/users/{id}/legal-hold", tag = "Users", request_body(content = Option<Hold>), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "On hold")))]
async fn hold(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
    body: Option<Json<Hold>>,
) -> Result<StatusCode, Problem> {
    let reason = body.and_then(|Json(body)| body.reason);
    api.services.deletions.hold(&ctx, id, reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let an account be erased again.
#[utoipa::path(delete, path = "/v1/users/{id}/legal-hold", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "No hold any more")))]
async fn lift_hold(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    api.services.deletions.lift_hold(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
