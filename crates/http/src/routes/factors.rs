//! Second factors: the second step of a sign-in, and the signed-in user's own factors.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{FactorId, FactorKind, FactorMethod, PendingStep, Timestamp, UserId};
use userd_services::{
    factors::{FactorView, HeldFactors, Shown, StepUp, TotpBegun},
    passwords::Password,
};
use userd_web::{
    caller::{Caller, SignedInUser, Visitor},
    extract::{IdempotencyKey, Json, PageQuery, Path, Query},
    problem::Problem,
};
use utoipa::{ToSchema, openapi::Schema};
use uuid::Uuid;

use super::{
    bodies::{Credential, PendingBody, TokenPairBody, completed, one_of},
    challenges::not_taken,
};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(second_factor))
        .with(routes!(step_up))
        .with(routes!(reset))
        .with(routes!(list))
        .with(routes!(rename, remove))
        .with(routes!(begin_totp))
        .with(routes!(confirm_totp))
        .with(routes!(renew_recovery_codes))
}

fn methods() -> Schema {
    one_of(FactorMethod::ALL.map(FactorMethod::as_str))
}

fn kinds() -> Schema {
    one_of(FactorKind::ALL.map(FactorKind::as_str))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"challenge": "the challenge of the 202", "method": "totp", "code": "287082"}))]
struct SecondFactor {
    #[schema(max_length = 128)]
    challenge: String,
    #[schema(schema_with = methods)]
    method: FactorMethod,
    /// Of the authenticator app, or a recovery code.
    #[serde(default)]
    #[schema(max_length = 64)]
    code: Option<String>,
    /// What the browser answered to `/v1/auth/passkey/begin` with this challenge.
    #[serde(default)]
    credential: Option<Credential>,
}

/// Show a second factor: the second step of a sign-in that was answered with `second_factor_required`. After five wrong
/// ones the challenge is gone.
#[utoipa::path(post, path = "/v1/auth/second-factor", tag = "Sign-in", request_body = SecondFactor,
    responses((status = 200, description = "Signed in", body = TokenPairBody), (status = 202, description = "Something else is asked for", body = PendingBody),
        (status = 403, description = "The account is blocked"), (status = 410, description = "The sign-in has to be started again"),
        (status = 422, description = "The code is not right, or was used already; the passkey is not accepted; or the challenge is answered elsewhere")))]
async fn second_factor(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<SecondFactor>,
) -> Result<Response, Problem> {
    let shown = shown(body.method, body.code, body.credential)?;
    match api.services.factors.second_step(&ctx, &body.challenge, &shown).await {
        Ok(completion) => Ok(completed(completion)),
        Err(failure) => Err(not_taken(&api, &ctx, (&body.challenge, Some(PendingStep::SecondFactor)), failure).await),
    }
}

fn shown(method: FactorMethod, code: Option<String>, credential: Option<Credential>) -> Result<Shown, Problem> {
    match (method, code.map(zeroize::Zeroizing::new), credential) {
        (FactorMethod::Totp, Some(code), None) => Ok(Shown::Totp(code)),
        (FactorMethod::RecoveryCode, Some(code), None) => Ok(Shown::RecoveryCode(code)),
        (FactorMethod::Passkey, None, Some(credential)) => Ok(Shown::Passkey(credential.into_json())),
        (FactorMethod::Passkey, ..) => Err(Problem::malformed("this method takes a credential, and no code")),
        _ => Err(Problem::malformed("this method takes a code, and no credential")),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
struct StepUpBody {
    #[serde(default)]
    #[schema(format = Password, max_length = 4096)]
    password: Option<String>,
    /// Of the authenticator app, or a recovery code: whoever holds a second factor shows it.
    #[serde(default)]
    #[schema(max_length = 64)]
    code: Option<String>,
    /// What the browser answered to `/v1/auth/step-up/begin`, in place of a code.
    #[serde(default)]
    credential: Option<Credential>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
}

/// Prove again who you are (RFC 9470): the same session goes on, with a new time and, after a second factor, stronger.
#[utoipa::path(post, path = "/v1/auth/step-up", tag = "Sign-in", request_body = StepUpBody,
    responses((status = 200, description = "Tokens of the same session", body = TokenPairBody), (status = 401, description = "The password is wrong"),
        (status = 403, description = "A second factor is held and was not shown"), (status = 422, description = "The code is not right, or the passkey is not accepted"),
        (status = 503, description = "Busy")))]
async fn step_up(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Json(body): Json<StepUpBody>,
) -> Result<Json<TokenPairBody>, Problem> {
    let ctx = user.ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
    let factor = match (body.code, body.credential) {
        (Some(_), Some(_)) => return Err(Problem::malformed("send a code or a credential, not both")),
        (code, None) => code.map(Shown::code),
        (None, Some(credential)) => Some(Shown::Passkey(credential.into_json())),
    };
    let shown = StepUp { password: body.password.map(Password::new), factor };
    Ok(Json(api.services.factors.step_up(&ctx, shown).await?.into()))
}

/// Remove every second factor of an account whose owner has lost them. Its sessions end. The administrator's own sign-in
/// must be a few minutes old at most.
#[utoipa::path(delete, path = "/v1/users/{id}/factors", tag = "Users", params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Removed"),
        (status = 409, description = "A passkey is all that this account comes in by: send a link to set a password first")))]
async fn reset(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    api.services.factors.reset(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = Factor)]
pub(super) struct FactorBody {
    id: Uuid,
    #[schema(schema_with = kinds)]
    kind: FactorKind,
    name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// What names a passkey at its authenticator; null for other factors.
    credential_id: Option<String>,
}

impl From<FactorView> for FactorBody {
    fn from(view: FactorView) -> Self {
        let FactorView { id, kind, name, created_at, last_used_at, credential_id } = view;
        Self { id: id.0, kind, name, created_at, last_used_at, credential_id }
    }
}

/// What `PublicKeyCredential.signalAllAcceptedCredentials` takes, after a sign-in and after a removal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AcceptedPasskeys {
    rp_id: String,
    user_id: String,
    all_accepted_credential_ids: Vec<String>,
}

/// What a user holds: a page of the factors, and what is to be said of all.
#[derive(Serialize, ToSchema)]
struct FactorList {
    items: Vec<FactorBody>,
    next_cursor: Option<String>,
    recovery_codes_left: usize,
    /// Null where there are no passkeys.
    accepted_passkeys: Option<AcceptedPasskeys>,
}

impl FactorList {
    fn new(held: HeldFactors, (items, next_cursor): (Vec<FactorView>, Option<String>)) -> Self {
        let accepted_passkeys = held.accepted_passkeys.map(|accepted| AcceptedPasskeys {
            rp_id: accepted.rp_id,
            user_id: accepted.user_id,
            all_accepted_credential_ids: accepted.all_accepted_credential_ids,
        });
        let items = items.into_iter().map(FactorBody::from).collect();
        Self { items, next_cursor, recovery_codes_left: held.recovery_codes_left, accepted_passkeys }
    }
}

/// My second factors, oldest first.
#[utoipa::path(get, path = "/v1/me/factors", tag = "Me", params(PageQuery),
    responses((status = 200, description = "A page", body = FactorList)))]
async fn list(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<FactorList>, Problem> {
    let mut held = api.services.factors.held(&user.ctx).await?;
    let (all, place) = (std::mem::take(&mut held.items), |one: &FactorView| (one.created_at.micros(), one.id.0));
    let shown = page.of(&api.cursors, &format!("factors {}", user.id), all, place)?;
    Ok(Json(FactorList::new(held, shown)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FactorName, example = json!({"name": "my laptop"}))]
struct NewName {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Call a second factor otherwise.
#[utoipa::path(patch, path = "/v1/me/factors/{id}", tag = "Me", request_body = NewName, params(("id" = Uuid, Path, description = "The factor")),
    responses((status = 200, description = "Renamed", body = FactorBody)))]
async fn rename(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<FactorId>,
    Json(body): Json<NewName>,
) -> Result<Json<FactorBody>, Problem> {
    Ok(Json(api.services.factors.rename(&user.ctx, id, &body.name).await?.into()))
}

/// Remove a second factor. The recovery codes go with the last one.
#[utoipa::path(delete, path = "/v1/me/factors/{id}", tag = "Me", params(("id" = Uuid, Path, description = "The factor")),
    responses((status = 204, description = "Removed"), (status = 403, description = "A fresher or stronger proof is needed"),
        (status = 409, description = "The last one, and this account must have one; or the last way to sign in")))]
async fn remove(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<FactorId>,
) -> Result<StatusCode, Problem> {
    api.services.factors.remove(&user.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "my phone"}))]
struct NewTotp {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
}

/// A secret for an authenticator app. It counts once a code of it was shown, within ten minutes, in this session.
#[derive(Serialize, ToSchema)]
#[schema(as = TotpSetup)]
pub(super) struct TotpBody {
    id: Uuid,
    /// Base32, for typing it.
    secret: String,
    /// `otpauth://totp/…`
    uri: String,
    /// The same as a picture.
    qr_svg: String,
}

/// Begin to set an authenticator app up. The sign-in must be a few minutes old at most.
#[utoipa::path(post, path = "/v1/me/factors/totp", tag = "Me", request_body(content = Option<NewTotp>), params(IdempotencyKey),
    responses((status = 201, description = "Show it, then confirm; to repeats with the same key the same while it waits, for 10 minutes", body = TotpBody),
        (status = 403, description = "A fresher or stronger proof is needed"),
        (status = 409, description = "A repeat after that, or after the password changed")))]
async fn begin_totp(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    IdempotencyKey(key): IdempotencyKey,
    body: Option<Json<NewTotp>>,
) -> Result<Response, Problem> {
    let name = body.and_then(|Json(body)| body.name);
    let idempotent = key.map(|key| {
        let bytes = serde_json::to_vec(&name).unwrap_or_default();
        api.services.idempotency.request(&format!("POST /v1/me/factors/totp {}", user.ctx.actor.name()), &key, &bytes)
    });
    let begun = api.services.factors.begin_totp(&user.ctx, name.as_deref(), idempotent.as_ref()).await?;
    Ok(totp(begun))
}

pub(super) fn totp(begun: TotpBegun) -> Response {
    let (secret, uri, qr_svg) = (begun.secret.to_string(), begun.uri.to_string(), begun.qr_svg.to_string());
    (StatusCode::CREATED, Json(TotpBody { id: begun.id.0, secret, uri, qr_svg })).into_response()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
struct FirstCode {
    #[schema(max_length = 64)]
    code: String,
}

/// FactorConfirmed; with the first factor come the recovery codes.
#[derive(Serialize, ToSchema)]
struct FactorConfirmed {
    /// Shown once: each stands for a lost factor once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    recovery_codes: Option<Vec<String>>,
}

/// Show a first code: from now on the app is a second factor. This session stays as strong as it is.
#[utoipa::path(post, path = "/v1/me/factors/totp/{id}/confirm", tag = "Me", request_body = FirstCode,
    params(("id" = Uuid, Path, description = "Of the set-up")),
    responses((status = 200, description = "Set up", body = FactorConfirmed), (status = 403, description = "A fresher or stronger proof is needed"),
        (status = 422, description = "The code is not right")))]
async fn confirm_totp(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Path(id): Path<FactorId>,
    Json(body): Json<FirstCode>,
) -> Result<Json<FactorConfirmed>, Problem> {
    let code = zeroize::Zeroizing::new(body.code);
    let recovery_codes = api.services.factors.confirm_totp(&user.ctx, id, &code).await?;
    Ok(Json(FactorConfirmed { recovery_codes }))
}

#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Shown once.
    recovery_codes: Vec<String>,
}

/// A new set of recovery codes; the old one dies.
#[utoipa::path(post, path = "/v1/me/recovery-codes", tag = "Me",
    responses((status = 200, description = "The new codes", body = RecoveryCodes), (status = 403, description = "A fresher or stronger proof is needed"),
        (status = 404, description = "There is no factor that a code could stand for")))]
async fn renew_recovery_codes(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<Json<RecoveryCodes>, Problem> {
    Ok(Json(RecoveryCodes { recovery_codes: api.services.factors.renew_recovery_codes(&user.ctx).await? }))
}
