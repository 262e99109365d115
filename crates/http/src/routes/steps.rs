//! The steps of a sign-in that have no route of their own: what policy or an administrator demands first.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::{Accepted, FactorMethod, PendingStep, Refusal};
use userd_services::{Completion, Context, passwords::Password};
use userd_web::{caller::Visitor, extract::Json, problem::Problem, request_layer::note_user};
use utoipa::{ToSchema, openapi::Schema};

use super::{
    bodies::{AcceptedBody, Credential, PendingBody, TokenPairBody, completed, one_of, pending_with},
    challenges::answered_elsewhere,
    factors::{TotpBody, totp},
    passkeys::{BegunBody, begun},
};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(go_on))
}

/// What resolves a step that has no route of its own.
///
/// - `factor_setup_required`: first `method` and perhaps `name`, which answers the secret to be shown or the options of a
///   passkey; then `code`, a first one of the app, or `credential`, what the browser made.
/// - `password_change_required`: `new_password`.
/// - `terms_required`: `accept`, with every required document that the answer named.
/// - `approval_pending`: nothing more; it answers the same until the account is approved, and tokens then.
///
/// A challenge alone, where more is needed: 422, and `errors` name it. The challenge stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"challenge": "the challenge of the 202", "code": "287082"}))]
struct GoOn {
    #[schema(max_length = 128)]
    challenge: String,
    #[serde(default)]
    #[schema(schema_with = methods)]
    method: Option<FactorMethod>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default)]
    #[schema(max_length = 64)]
    code: Option<String>,
    #[serde(default)]
    credential: Option<Credential>,
    #[serde(default)]
    #[schema(format = Password, max_length = 4096)]
    new_password: Option<String>,
    #[serde(default)]
    #[schema(max_items = 64)]
    accept: Option<Vec<AcceptedBody>>,
}

const OTHERWISE: &str = "send what the status of the 202 asks for, and nothing else";

fn methods() -> Schema {
    one_of([FactorMethod::Totp, FactorMethod::Passkey].map(FactorMethod::as_str))
}

/// The end of a sign-in in which a first factor was set up.
#[derive(Serialize, ToSchema)]
struct SignedInWithFactor {
    #[serde(flatten)]
    tokens: TokenPairBody,
    /// Shown once: each stands for a lost factor once.
    recovery_codes: Vec<String>,
}

/// What the last step answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms of one answer, for the document")]
enum Resolved {
    WithFactor(Box<SignedInWithFactor>),
    SignedIn(Box<TokenPairBody>),
}

/// What the first half of setting a factor up answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = FactorBegun)]
#[expect(dead_code, reason = "the two forms of one answer, for the document")]
enum Begun {
    Totp(TotpBody),
    Passkey(BegunBody),
}

/// Go on with a sign-in that was answered with a step that is asked for first.
#[utoipa::path(post, path = "/v1/auth/continue", tag = "Sign-in", request_body = GoOn,
    responses((status = 200, description = "Signed in", body = Resolved), (status = 201, description = "Show it, then send a code of it; or hand it to the browser, then send its answer", body = Begun),
        (status = 202, description = "Something else is asked for", body = PendingBody), (status = 410, description = "The sign-in has to be started again"),
        (status = 422, description = "The code, the passkey or the new password is not accepted, or what the challenge needs is missing"), (status = 503, description = "Busy")))]
async fn go_on(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<GoOn>,
) -> Result<Response, Problem> {
    let challenge = body.challenge.clone();
    match answer(&api, &ctx, body).await {
        // It may be good for another step: then that is said, and it stays.
        Err(gone) if gone.status() == StatusCode::GONE => match api.services.accounts.asked_for(&ctx, &challenge).await
        {
            Ok(step) => Err(missing(step).into()),
            Err(_) => Err(gone),
        },
        answered => answered,
    }
}

async fn answer(api: &Api, ctx: &Context, body: GoOn) -> Result<Response, Problem> {
    let GoOn { challenge, method, name, code, credential, new_password, accept } = body;
    if let (Some(accept), None, None, None, None) = (&accept, method, &code, &credential, &new_password) {
        let accept: Vec<Accepted> = accept.iter().map(Accepted::from).collect();
        return Ok(completed(api.services.accounts.accept_terms(ctx, &challenge, &accept).await?));
    }
    if accept.is_some() {
        return Err(Problem::malformed(OTHERWISE));
    }
    let code = code.map(zeroize::Zeroizing::new);
    let factors = &api.services.factors;
    match (method, code, credential, new_password.map(Password::new)) {
        (Some(FactorMethod::Totp), None, None, None) => {
            Ok(totp(factors.begin_demanded(ctx, &challenge, name.as_deref()).await?))
        }
        (Some(FactorMethod::Passkey), None, None, None) => {
            Ok(begun(factors.begin_demanded_passkey(ctx, &challenge, name.as_deref()).await?))
        }
        (None | Some(FactorMethod::Totp), Some(code), None, None) => {
            Ok(with_factor(factors.confirm_demanded(ctx, &challenge, &code).await?))
        }
        (None | Some(FactorMethod::Passkey), None, Some(made), None) => {
            Ok(with_factor(factors.confirm_demanded_passkey(ctx, &challenge, &made.into_json()).await?))
        }
        (None, None, None, Some(new)) => {
            Ok(completed(api.services.accounts.change_demanded(ctx, &challenge, &new).await?))
        }
        (None, None, None, None) if name.is_none() => {
            let accounts = &api.services.accounts;
            match accounts.asked_for(ctx, &challenge).await? {
                PendingStep::Approval => Ok(completed(accounts.ask_whether_approved(ctx, &challenge).await?)),
                other => Err(missing(other).into()),
            }
        }
        _ => Err(Problem::malformed(OTHERWISE)),
    }
}

/// What a challenge needs that came with nothing else.
fn missing(step: PendingStep) -> Refusal {
    match step {
        PendingStep::FactorSetup => Refusal::field("/method", "is required; then `code` or `credential`"),
        PendingStep::PasswordChange => Refusal::field("/new_password", "is required"),
        PendingStep::Terms => Refusal::field("/accept", "is required"),
        PendingStep::SecondFactor | PendingStep::Confirmation | PendingStep::Restore => answered_elsewhere(step),
        // Nothing more is asked for.
        PendingStep::Approval => Refusal::ChallengeGone,
    }
}

fn with_factor((completion, recovery_codes): (Completion, Vec<String>)) -> Response {
    match completion.signed_in() {
        Ok(signed_in) => {
            note_user(signed_in.user.id);
            Json(SignedInWithFactor { tokens: signed_in.into(), recovery_codes }).into_response()
        }
        Err(step) => pending_with(step, recovery_codes),
    }
}
