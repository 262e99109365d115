//! Passkeys: signing in by one, setting one up, and what browsers ask for on the way. `options` and `credential` are the
//! JSON forms of WebAuthn Level 3: `PublicKeyCredential.parse…OptionsFromJSON` and `toJSON()`.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use userd_model::PendingStep;
use userd_services::factors::PasskeyBegun;
use userd_web::{
    caller::{SignedInUser, Visitor},
    extract::Json,
    problem::Problem,
};
use utoipa::ToSchema;

use super::{
    bodies::{Credential, PendingBody, TokenPairBody, completed},
    challenges::not_taken,
    factors::FactorBody,
};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(passkey_begin))
        .with(routes!(passkey_finish))
        .with(routes!(step_up_begin))
        .with(routes!(passkey_set_up_begin))
        .with(routes!(passkey_set_up_finish))
}

/// A question for the browser.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyBegun)]
pub(super) struct BegunBody {
    /// The answer is good with it alone, once.
    challenge: String,
    /// For `navigator.credentials`, in its JSON form.
    #[schema(value_type = Object)]
    options: Value,
    /// Seconds.
    expires_in: u64,
}

impl From<PasskeyBegun> for BegunBody {
    fn from(begun: PasskeyBegun) -> Self {
        let PasskeyBegun { challenge, options, expires_in } = begun;
        Self { challenge, options, expires_in }
    }
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BeginPasskey, example = json!({}))]
struct Begin {
    /// The challenge of a 202 with `passkey` among its `methods`: then `options` ask for that account's passkeys, and the
    /// answer goes to `/v1/auth/second-factor`. Absent: for whatever passkey the browser has.
    #[serde(default)]
    #[schema(max_length = 128)]
    challenge: Option<String>,
}

/// Ask for a passkey. The answer is the same for everybody, unless a challenge says whose sign-in goes on. 404 where there are
/// no passkeys.
#[utoipa::path(post, path = "/v1/auth/passkey/begin", tag = "Sign-in", request_body = Begin,
    responses((status = 200, description = "For `navigator.credentials.get`", body = BegunBody),
        (status = 404, description = "There are no passkeys here, or none of this account"), (status = 410, description = "The sign-in has to be started again"),
        (status = 422, description = "The challenge is answered elsewhere")))]
async fn passkey_begin(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Begin>,
) -> Result<Json<BegunBody>, Problem> {
    let factors = &api.services.factors;
    let begun = match &body.challenge {
        Some(challenge) => match factors.begin_second_factor(&ctx, challenge).await {
            Ok(begun) => begun,
            Err(failure) => {
                return Err(not_taken(&api, &ctx, (challenge, Some(PendingStep::SecondFactor)), failure).await);
            }
        },
        None => factors.begin_passkey_sign_in(&ctx).await?,
    };
    Ok(Json(begun.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FinishPasskey, example = json!({"challenge": "the challenge of the begin", "credential": {"id": "…", "rawId": "…", "type": "public-key", "response": {}}}))]
struct Finish {
    #[schema(max_length = 128)]
    challenge: String,
    credential: Credential,
    #[serde(default)]
    #[schema(max_length = 100)]
    device_name: Option<String>,
    /// The `device_token` of an earlier answer on this device: its owner is not told of a new one.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
}

/// Sign in by a passkey alone. It proves two factors: the device, and who is at it. A wrong answer is the same for an unknown
/// passkey, and uses the challenge up.
#[utoipa::path(post, path = "/v1/auth/passkey/finish", tag = "Sign-in", request_body = Finish,
    responses((status = 200, description = "Signed in", body = TokenPairBody), (status = 202, description = "Something is asked for first", body = PendingBody),
        (status = 403, description = "The account is blocked"), (status = 404, description = "There are no passkeys here"),
        (status = 410, description = "The sign-in has to be started again"),
        (status = 422, description = "The passkey is not accepted, or the challenge is answered elsewhere")))]
async fn passkey_finish(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Finish>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    let (answer, device) = (body.credential.into_json(), body.device_name.as_deref());
    match api.services.factors.finish_passkey_sign_in(&ctx, &body.challenge, &answer, device).await {
        Ok(completion) => Ok(completed(completion)),
        Err(failure) => Err(not_taken(&api, &ctx, (&body.challenge, None), failure).await),
    }
}

/// A question in a session.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyStepUp)]
struct StepUpBegun {
    /// For `navigator.credentials.get`, in its JSON form.
    #[schema(value_type = Object)]
    options: Value,
    /// Seconds.
    expires_in: u64,
}

/// Ask for one of my passkeys, for a step-up in this session: the answer goes to `/v1/auth/step-up` as `credential`.
#[utoipa::path(post, path = "/v1/auth/step-up/begin", tag = "Sign-in",
    responses((status = 200, description = "For `navigator.credentials.get`", body = StepUpBegun), (status = 404, description = "There is no passkey to be shown")))]
async fn step_up_begin(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<Json<StepUpBegun>, Problem> {
    let begun = api.services.factors.begin_step_up(&user.ctx).await?;
    Ok(Json(StepUpBegun { options: begun.options, expires_in: begun.expires_in }))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskey, example = json!({"name": "my laptop"}))]
struct BeginSetUp {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
}

/// Begin to set a passkey up. The sign-in must be a few minutes old at most, by the strongest factor that is held.
#[utoipa::path(post, path = "/v1/me/factors/passkeys/begin", tag = "Me", request_body(content = Option<BeginSetUp>),
    responses((status = 200, description = "For `navigator.credentials.create`", body = BegunBody),
        (status = 403, description = "A fresher or stronger proof is needed"), (status = 404, description = "There are no passkeys here")))]
async fn passkey_set_up_begin(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    body: Option<Json<BeginSetUp>>,
) -> Result<Json<BegunBody>, Problem> {
    let name = body.and_then(|Json(body)| body.name);
    Ok(Json(api.services.factors.begin_passkey(&user.ctx, name.as_deref()).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyMade, example = json!({"challenge": "the challenge of the begin", "credential": {"id": "…", "rawId": "…", "type": "public-key", "response": {}}}))]
struct FinishSetUp {
    #[schema(max_length = 128)]
    challenge: String,
    credential: Credential,
}

/// A passkey that was set up.
#[derive(Serialize, ToSchema)]
struct PasskeyAdded {
    #[serde(flatten)]
    factor: FactorBody,
    /// With the first factor, shown once: each stands for a lost factor once. Null otherwise.
    recovery_codes: Option<Vec<String>>,
}

/// Hand in the new passkey: from now on it signs in by itself, and is a second factor. This session stays as strong as it is.
#[utoipa::path(post, path = "/v1/me/factors/passkeys/finish", tag = "Me", request_body = FinishSetUp,
    responses((status = 201, description = "Set up", body = PasskeyAdded), (status = 403, description = "A fresher or stronger proof is needed"),
        (status = 404, description = "There are no passkeys here"), (status = 410, description = "It has to be begun again"),
        (status = 422, description = "The passkey is not accepted")))]
async fn passkey_set_up_finish(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Json(body): Json<FinishSetUp>,
) -> Result<Response, Problem> {
    let answer = body.credential.into_json();
    let (added, recovery_codes) = api.services.factors.finish_passkey(&user.ctx, &body.challenge, &answer).await?;
    Ok((StatusCode::CREATED, Json(PasskeyAdded { factor: added.into(), recovery_codes })).into_response())
}

/// The answer of a step that demands a factor.
pub(super) fn begun(begun: PasskeyBegun) -> Response {
    (StatusCode::CREATED, Json(BegunBody::from(begun))).into_response()
}
