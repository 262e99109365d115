//! What other services need to trust our tokens: keys, metadata, introspection, revocation, their own tokens.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use userd_model::{Permission, Refusal};
use userd_web::{
    caller::Visitor,
    extract::{BasicAuth, Form, Json},
    problem::{Problem, table},
};
use utoipa::ToSchema;

use super::{
    bodies::bearer,
    client_credentials::{Asker, FormCredentials},
    oauth2_schemas::{Introspection, KeySet},
};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(jwks))
        .with(routes!(metadata))
        .with(routes!(introspect))
        .with(routes!(revoke))
        .with(routes!(token))
}

/// The public signing keys (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "OAuth 2.0",
    responses((status = 200, description = "The key set", body = KeySet, content_type = "application/jwk-set+json")))]
async fn jwks(State(api): State<Arc<Api>>) -> Response {
    let bytes = api.services.key_set();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, key_set_lifetime(api.services.key_published_before())),
    ];
    (headers, Body::from(bytes.to_vec())).into_response()
}

/// How long verifiers may keep the key set: five minutes and one more while they fetch it again, but never more than
/// three quarters of the time that a key is published before it signs.
fn key_set_lifetime(publish_before: Duration) -> HeaderValue {
    let seconds = publish_before.as_secs();
    let (fresh, stale) = ((seconds / 2).min(300), (seconds / 4).min(60));
    let text = format!("public, max-age={fresh}, stale-while-revalidate={stale}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("no-store"))
}

/// What exists here (RFC 8414).
#[derive(Serialize, ToSchema)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    /// Where another party ends everything of somebody (draft-parecki-oauth-global-token-revocation).
    global_token_revocation_endpoint: String,
    grant_types_supported: Vec<&'static str>,
    /// Empty: there is no authorization endpoint.
    response_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    scopes_supported: Vec<String>,
    service_documentation: String,
}

/// Authorization server metadata (RFC 8414): what exists here.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "OAuth 2.0",
    responses((status = 200, description = "The metadata", body = Metadata)))]
async fn metadata(State(api): State<Arc<Api>>) -> Response {
    let services = &api.services;
    let base = services.public_url();
    let [basic, post] = ["client_secret_basic", "client_secret_post"];
    let body = Metadata {
        issuer: services.issuer().to_owned(),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        token_endpoint: format!("{base}/oauth2/token"),
        introspection_endpoint: format!("{base}/oauth2/introspect"),
        revocation_endpoint: format!("{base}/oauth2/revoke"),
        global_token_revocation_endpoint: format!("{base}/v1/global-token-revocation"),
        grant_types_supported: vec!["client_credentials", "refresh_token"],
        response_types_supported: Vec::new(),
        token_endpoint_auth_methods_supported: vec![basic, post],
        introspection_endpoint_auth_methods_supported: vec![basic, post],
        revocation_endpoint_auth_methods_supported: vec![basic, post, "none"],
        scopes_supported: Permission::WELL_KNOWN.iter().map(Permission::as_str).map(str::to_owned).collect(),
        service_documentation: format!("{base}/docs"),
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"))], Json(body)).into_response()
}

#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"token": "eyJhbGciOiJFZERTQSJ9…"}))]
struct TokenQuestion {
    /// The token in question.
    #[schema(max_length = 8192)]
    token: String,
    /// Ignored: tokens tell their kind themselves.
    #[serde(default)]
    #[expect(dead_code, reason = "RFC 7662 allows the hint; it is not needed")]
    #[schema(max_length = 65_536)]
    token_type_hint: Option<String>,
    #[serde(default)]
    #[schema(max_length = 128)]
    client_id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 256)]
    client_secret: Option<String>,
}

/// Introspect an access token (RFC 7662). A token that is not active answers `{"active": false}` and nothing else, and so does
/// every refresh token: it is for its owner alone. Of a user's token: roles and permissions as they are held now, all of them.
#[utoipa::path(post, path = "/oauth2/introspect", tag = "OAuth 2.0",
    request_body(content = TokenQuestion, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What the token says", body = Introspection),
        (status = 403, description = "The permission is missing: `unauthorized_client`")))]
async fn introspect(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    asker: Asker,
    Form(body): Form<TokenQuestion>,
) -> Result<Json<Value>, Problem> {
    let form = FormCredentials::new(body.client_id, body.client_secret);
    let actor = asker.actor(&api, &ctx.origin, form).await?;
    let answer = api.services.introspect(&ctx.acting_as(actor), &body.token).await?;
    Ok(Json(serde_json::to_value(answer).unwrap_or_else(|_| json!({ "active": false }))))
}

/// Revoke a token (RFC 7009): a refresh token with its whole session, an access token alone. Whoever holds a token
/// may revoke it; an unknown token is fine.
#[utoipa::path(post, path = "/oauth2/revoke", tag = "OAuth 2.0",
    request_body(content = TokenQuestion, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token does not work any more")))]
async fn revoke(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    basic: Option<BasicAuth>,
    Form(body): Form<TokenQuestion>,
) -> Result<StatusCode, Problem> {
    // A client that shows credentials must show right ones (RFC 7009 section 2.1).
    if let Some(shown) = FormCredentials::new(body.client_id, body.client_secret).beside(basic)? {
        api.services.clients.authenticate(&shown.client_id, &shown.client_secret, &ctx.origin).await?;
    }
    let services = &api.services;
    services.sessions.revoke_refresh_token(&ctx, &body.token).await?;
    services.access_tokens.revoke(&ctx, &body.token).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "resource": "billing"}))]
struct TokenRequest {
    /// `client_credentials` or `refresh_token`.
    #[schema(max_length = 128)]
    grant_type: String,
    #[serde(default)]
    #[schema(max_length = 256)]
    refresh_token: Option<String>,
    /// Ignored: a service gets all the permissions it holds.
    #[serde(default)]
    #[expect(dead_code, reason = "RFC 6749 allows it; the whole grant is given and named in the answer")]
    #[schema(max_length = 65_536)]
    scope: Option<String>,
    /// The service that the access token is for (RFC 8707); absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 2048)]
    resource: Option<String>,
    #[serde(default)]
    #[schema(max_length = 128)]
    client_id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 256)]
    client_secret: Option<String>,
}

/// The token answer of RFC 6749 section 5.1.
#[derive(Serialize, ToSchema)]
struct TokenAnswer {
    access_token: String,
    #[schema(schema_with = bearer)]
    token_type: &'static str,
    expires_in: u64,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Get a token: a service by its own credentials, or anybody by a refresh token. Credentials that are shown must be
/// right and be shown in one way, HTTP Basic authentication or form fields.
#[utoipa::path(post, path = "/oauth2/token", tag = "OAuth 2.0",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "A token", body = TokenAnswer)))]
async fn token(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    basic: Option<BasicAuth>,
    Form(body): Form<TokenRequest>,
) -> Result<impl IntoResponse, Problem> {
    // Before the grant: credentials that are shown must be right, whatever else would have been enough (section 6).
    let client = match FormCredentials::new(body.client_id, body.client_secret).beside(basic)? {
        Some(shown) => {
            let clients = &api.services.clients;
            Some(clients.authenticate(&shown.client_id, &shown.client_secret, &ctx.origin).await?)
        }
        None => None,
    };
    let answer = match body.grant_type.as_str() {
        "client_credentials" => {
            let client = client.ok_or(Refusal::InvalidClient)?;
            let token = api.services.clients.token(&client, body.resource.as_deref())?;
            TokenAnswer {
                access_token: token.access_token,
                token_type: "Bearer",
                expires_in: token.expires_in,
                refresh_token: None,
                scope: Some(token.scope),
            }
        }
        "refresh_token" => {
            let presented = body.refresh_token.ok_or(Refusal::Malformed("refresh_token is required for this grant"))?;
            let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
            let signed_in = api.services.sessions.refresh(&ctx, &presented).await?;
            TokenAnswer {
                access_token: signed_in.tokens.access_token,
                token_type: "Bearer",
                expires_in: signed_in.tokens.expires_in,
                refresh_token: Some(signed_in.tokens.refresh_token),
                scope: None,
            }
        }
        _ => return Err(Problem::of(&table::UNSUPPORTED_GRANT_TYPE)),
    };
    // Every answer says `Cache-Control: no-store`; RFC 6749 section 5.1 wants this one beside it.
    Ok(([(header::PRAGMA, HeaderValue::from_static("no-cache"))], Json(answer)))
}
