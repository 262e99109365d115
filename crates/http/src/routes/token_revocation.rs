//! Global token revocation (draft-parecki-oauth-global-token-revocation): another party ends all that was issued to somebody.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use userd_services::global_revocation::NamedSubject;
use userd_web::{caller::Caller, extract::Json, problem::Problem};
use utoipa::ToSchema;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(revoke_all))
}

/// Whom it is about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GlobalTokenRevocation,
    example = json!({"sub_id": {"format": "iss_sub", "iss": "https://users.example", "sub": "5f1c1c1e-8a3e-4b2e-9a57-0c6b3f1d2e4a"}}))]
struct Body {
    #[serde(deserialize_with = "userd_web::extract::object")]
    sub_id: SubjectBody,
}

/// A subject identifier (RFC 9493).
#[derive(Deserialize, ToSchema)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = SubjectIdentifier)]
enum SubjectBody {
    /// `sub` of a token of this issuer.
    IssSub { iss: String, sub: String },
    /// An e-mail address of the account.
    Email { email: String },
    /// `sub` of a token.
    Opaque { id: String },
}

/// End every session of an account, and make every access token that it was given void: for another party that manages the
/// same people.
#[utoipa::path(post, path = "/v1/global-token-revocation", tag = "OAuth 2.0", request_body = Body,
    responses((status = 204, description = "Everything has ended"), (status = 404, description = "Nobody like that is known here"),
        (status = 429, description = "Too many at once")))]
async fn revoke_all(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(body): Json<Body>,
) -> Result<StatusCode, Problem> {
    let subject = match &body.sub_id {
        SubjectBody::IssSub { iss, sub } => NamedSubject::IssuerAndId(iss, sub),
        SubjectBody::Email { email } => NamedSubject::Email(email),
        SubjectBody::Opaque { id } => NamedSubject::Id(id),
    };
    api.services.global_revocation.revoke(&ctx, subject).await?;
    Ok(StatusCode::NO_CONTENT)
}
