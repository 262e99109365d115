//! What browsers and password managers look up of themselves: whose pages may use our passkeys, and where they are managed.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Serialize;
use userd_model::Refusal;
use userd_web::{extract::Json, problem::Problem};
use utoipa::ToSchema;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(related_origins)).with(routes!(passkey_endpoints)).with(routes!(change_password))
}

/// Pages elsewhere that may use the passkeys of this domain.
#[derive(Serialize, ToSchema)]
struct RelatedOrigins {
    origins: Vec<String>,
}

/// Related origins (WebAuthn Level 3, section 5.11). 404 where there are none.
#[utoipa::path(get, path = "/.well-known/webauthn", tag = "Service",
    responses((status = 200, description = "`passkeys.related_origins`", body = RelatedOrigins), (status = 404, description = "There are none")))]
async fn related_origins(State(api): State<Arc<Api>>) -> Result<Json<RelatedOrigins>, Problem> {
    let origins = api.services.deps.settings.well_known.related_origins.clone();
    if api.services.deps.passkeys.is_none() || origins.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    Ok(Json(RelatedOrigins { origins }))
}

/// Where passkeys are set up and managed.
#[derive(Serialize, ToSchema)]
struct PasskeyEndpoints {
    /// Where one is set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    enroll: Option<String>,
    /// Where they are managed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    manage: Option<String>,
}

/// Where passkeys are managed (W3C, A Well-Known URL for Relying Party Passkey Endpoints). 404 where there are no passkeys.
#[utoipa::path(get, path = "/.well-known/passkey-endpoints", tag = "Service",
    responses((status = 200, description = "Addresses of pages; those that are not configured are left out", body = PasskeyEndpoints),
        (status = 404, description = "There are no passkeys here")))]
async fn passkey_endpoints(State(api): State<Arc<Api>>) -> Result<Json<PasskeyEndpoints>, Problem> {
    let deps = &api.services.deps;
    if deps.passkeys.is_none() {
        return Err(Refusal::NotFound.into());
    }
    let known = &deps.settings.well_known;
    Ok(Json(PasskeyEndpoints { enroll: known.passkey_enroll.clone(), manage: known.passkey_manage.clone() }))
}

/// Where a password is changed (W3C, A Well-Known URL for Changing Passwords). 404 where no page for it is configured.
#[utoipa::path(get, path = "/.well-known/change-password", tag = "Service",
    responses((status = 303, description = "To `passwords.change_url`"), (status = 404, description = "No page is configured")))]
async fn change_password(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    match &api.services.deps.settings.well_known.change_password {
        Some(page) => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, page.clone())]).into_response()),
        None => Err(Refusal::NotFound.into()),
    }
}
