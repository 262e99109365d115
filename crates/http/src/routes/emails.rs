//! Proving an e-mail address, changing it, and setting a forgotten password anew.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Refusal, UserId};
use userd_services::{
    emails::{Code, Verified},
    passwords::Password,
    sessions::Pending,
};
use userd_web::{
    caller::{AnyCaller, Caller, SignedInUser, Visitor},
    extract::{IfMatch, Json, Path},
    problem::Problem,
};
use utoipa::ToSchema;

use super::bodies::{TokenPairBody, completed, one_of, pending};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(verify))
        .with(routes!(resend))
        .with(routes!(forgot))
        .with(routes!(reset))
        .with(routes!(change_email))
        .with(routes!(send_reset))
}

/// The proof: `token`, or `email` and `code`; of a registration that waits also the `challenge` of its 202.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "udl_…"}))]
struct Verify {
    /// Of the link in the mail: what follows `/l/`.
    #[serde(default)]
    #[schema(max_length = 256)]
    token: Option<String>,
    #[serde(default)]
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
    /// Six digits, from the mail.
    #[serde(default)]
    #[schema(max_length = 16)]
    code: Option<String>,
    /// From the 202 that asked for the proof. With it the code signs in; without it the code of a registration that waits is
    /// not good.
    #[serde(default)]
    #[schema(max_length = 256)]
    challenge: Option<String>,
    /// Another username, where the wanted one was taken meanwhile.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 32)]
    username: Option<String>,
}

fn confirmed_words() -> utoipa::openapi::Schema {
    one_of(["confirmed"])
}

/// The address is proven.
#[derive(Serialize, ToSchema)]
struct Confirmed {
    #[schema(schema_with = confirmed_words)]
    status: &'static str,
}

/// Prove an e-mail address by the link or the code of the mail. A link signs nobody in; `code` with the `challenge` of the
/// registration answers tokens.
#[utoipa::path(post, path = "/v1/auth/email/verify", tag = "Sign-in", request_body = Verify,
    responses((status = 200, description = "Proven; the tokens of a registration that waited for it, where the challenge was given", body = Answer),
        (status = 401, description = "An access token was sent, and it is not good"),
        (status = 409, description = "The wanted username was taken meanwhile (give another), or the address was"),
        (status = 422, description = "The code or link is not valid, or the challenge of a registration that waits is missing")))]
async fn verify(
    State(api): State<Arc<Api>>,
    AnyCaller(ctx): AnyCaller,
    Json(body): Json<Verify>,
) -> Result<Response, Problem> {
    let emails = &api.services.emails;
    let username = body.username.as_deref();
    let verified = match (&body.token, &body.email, &body.code) {
        (Some(token), None, None) => {
            emails.verify_link(&ctx, token, username).await?;
            Verified::Confirmed
        }
        (None, Some(email), Some(code)) => {
            let code = Code { email, code, challenge: body.challenge.as_deref() };
            emails.verify_code(&ctx, &code, username).await?
        }
        _ => return Err(Refusal::field("/token", "give token, or email and code").into()),
    };
    Ok(match verified {
        Verified::Confirmed => Json(Confirmed { status: "confirmed" }).into_response(),
        Verified::Completed(completion) => completed(*completion),
    })
}

/// What a proof answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms of one answer, for the document")]
enum Answer {
    Confirmed(Confirmed),
    SignedIn(Box<TokenPairBody>),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "anna@example.org"}))]
struct Resend {
    #[schema(max_length = 254, format = Email)]
    email: String,
    /// Of the registration that waits for the proof. The answer has the one that counts from now on.
    #[serde(default)]
    #[schema(max_length = 256)]
    challenge: Option<String>,
    /// The `device_token` of an earlier answer on this device: its owner gets their mail, however many strangers ask for it.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
}

/// Always the same, whether the address is known or not.
#[derive(Serialize, ToSchema)]
struct Accepted {
    #[schema(schema_with = accepted_words)]
    status: &'static str,
}

fn accepted_words() -> utoipa::openapi::Schema {
    one_of(["accepted"])
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(Accepted { status: "accepted" })).into_response()
}

/// Send the mail that proves an address once more. The answer is the same for every address.
#[utoipa::path(post, path = "/v1/auth/email/resend", tag = "Sign-in", request_body = Resend,
    responses((status = 202, description = "If there is something to prove, a mail is on its way", body = Accepted)))]
async fn resend(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Resend>,
) -> Result<Response, Problem> {
    let ctx = ctx.on_device(body.device_token);
    let renewed = api.services.emails.resend(&ctx, &body.email, body.challenge.as_deref()).await?;
    Ok(renewed.map_or_else(accepted, pending))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"login": "anna@example.org"}))]
struct Forgot {
    /// E-mail address, username, or phone number with a plus.
    #[schema(max_length = 254)]
    login: String,
    /// The `device_token` of an earlier answer on this device: its owner gets their mail, however many strangers ask for it.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
}

/// Forgotten password: send a link to the account's e-mail address. The answer is the same for every login, in the same
/// time.
#[utoipa::path(post, path = "/v1/auth/password/forgot", tag = "Sign-in", request_body = Forgot,
    responses((status = 202, description = "If somebody has this login and an address, a mail is on its way", body = Accepted)))]
async fn forgot(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Forgot>,
) -> Result<Response, Problem> {
    let ctx = ctx.on_device(body.device_token);
    api.services.recovery.forgot(&ctx, &body.login).await?;
    Ok(accepted())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "udl_…", "new_password": "purple otters sing at noon"}))]
struct Reset {
    /// Of the link in the mail: what follows `/l/`.
    #[schema(max_length = 256)]
    token: String,
    #[schema(format = Password, min_length = 8, max_length = 4096)]
    new_password: String,
}

/// Set a new password by the link of the mail. Every session ends; sign in afterwards.
#[utoipa::path(post, path = "/v1/auth/password/reset", tag = "Sign-in", request_body = Reset,
    responses((status = 204, description = "Set"), (status = 422, description = "The link is not valid, or the password not accepted"),
        (status = 503, description = "Busy")))]
async fn reset(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Reset>,
) -> Result<StatusCode, Problem> {
    api.services.recovery.reset(&ctx, &body.token, &Password::new(body.new_password)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "anna@example.net", "current_password": "correct horse battery staple"}))]
struct NewEmail {
    #[schema(max_length = 254, format = Email)]
    email: String,
    /// Left out by whoever has none: then the sign-in must be a few minutes old at most.
    #[serde(default)]
    #[schema(format = Password, max_length = 4096)]
    current_password: Option<String>,
}

/// What is asked for before the change.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfirmationRequired)]
pub(super) struct ConfirmationBody {
    #[schema(schema_with = confirmation_words)]
    status: String,
    /// For `POST /v1/auth/email/verify` and `/resend`.
    challenge: String,
    /// Seconds in which the code is good.
    expires_in: u64,
}

fn confirmation_words() -> utoipa::openapi::Schema {
    one_of(["confirmation_required"])
}

/// Change my e-mail address: it is changed once the new one is proven, and the old one is told.
#[utoipa::path(put, path = "/v1/me/email", tag = "Me", request_body = NewEmail,
    params(IfMatch),
    responses((status = 202, description = "A mail is on its way to the new address", body = ConfirmationBody),
        (status = 403, description = "The current password is wrong; or there is none: sign in again first"), (status = 503, description = "Busy")))]
async fn change_email(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    guard: IfMatch,
    Json(body): Json<NewEmail>,
) -> Result<Response, Problem> {
    let current = body.current_password.map(Password::new);
    let emails = &api.services.emails;
    let step: Pending = emails.change(&user.ctx, &body.email, current.as_ref(), guard.version()).await?;
    Ok(pending(step))
}

/// Send the account's owner a link that sets a new password.
#[utoipa::path(post, path = "/v1/users/{id}/send-password-reset", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 202, description = "A mail is on its way, unless the account is blocked or its address got too many", body = Accepted),
        (status = 409, description = "The account has no address that may get the link"),
        (status = 429, description = "Too many of them from you")))]
async fn send_reset(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<Response, Problem> {
    api.services.recovery.send_link(&ctx, id).await?;
    Ok(accepted())
}
