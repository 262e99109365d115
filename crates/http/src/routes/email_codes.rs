//! Sign-in by a code that is sent to an address.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_web::{caller::Visitor, extract::Json, problem::Problem};
use utoipa::ToSchema;

use super::bodies::{PendingBody, TokenPairBody, completed};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(begin)).with(routes!(finish))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BeginEmailCode, example = json!({"email": "anna@example.org"}))]
struct Begin {
    #[schema(max_length = 254, format = Email)]
    email: String,
    /// The `device_token` of an earlier answer on this device: its owner gets their mail, however many strangers ask for it.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
}

/// The same for every address.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailCodeBegun)]
struct Begun {
    /// The code is good with it alone: keep it where the code is typed in.
    challenge: String,
    /// Seconds.
    expires_in: u64,
}

/// Send a code to an address. The answer is the same for every address; only one that somebody has proven gets a mail. Off
/// unless `sign_in.email_code` is set: then 404.
#[utoipa::path(post, path = "/v1/auth/email-code/begin", tag = "Sign-in", request_body = Begin,
    responses((status = 202, description = "If somebody has proven the address, a code is on its way", body = Begun),
        (status = 404, description = "Sign-in by a code in a mail is switched off")))]
async fn begin(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Begin>,
) -> Result<Response, Problem> {
    let ctx = ctx.on_device(body.device_token);
    let begun = api.services.email_codes.begin(&ctx, &body.email).await?;
    let body = Begun { challenge: begun.challenge, expires_in: begun.expires_in };
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FinishEmailCode, example = json!({"challenge": "the challenge of the 202", "code": "482915"}))]
struct Finish {
    #[schema(max_length = 128)]
    challenge: String,
    /// Six digits, from the mail.
    #[schema(max_length = 16)]
    code: String,
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

/// Sign in by the code of the mail. After five wrong ones the challenge is gone.
#[utoipa::path(post, path = "/v1/auth/email-code/finish", tag = "Sign-in", request_body = Finish,
    responses((status = 200, description = "Signed in", body = TokenPairBody), (status = 202, description = "Something is asked for first", body = PendingBody),
        (status = 403, description = "The account is blocked"), (status = 404, description = "Sign-in by a code in a mail is switched off"), (status = 422, description = "The code is not right, or of another challenge")))]
async fn finish(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Finish>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    let code = zeroize::Zeroizing::new(body.code);
    let device = body.device_name.as_deref();
    Ok(completed(api.services.email_codes.finish(&ctx, &body.challenge, &code, device).await?))
}
