//! Registration, sign-in by password, refresh, sign-out, and the first administrator.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::Accepted;
use userd_services::{Completion, accounts::Registration, passwords::Password, sessions::Login};
use userd_web::{
    caller::{SignedInUser, Visitor},
    extract::{IdempotencyKey, Json, PageQuery, Query},
    problem::Problem,
    request_layer::note_user,
};
use utoipa::ToSchema;

use super::bodies::{AcceptedBody, DocumentBody, PendingBody, TokenPairBody, UserBody, completed, pending};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(documents))
        .with(routes!(register))
        .with(routes!(login))
        .with(routes!(refresh))
        .with(routes!(logout))
        .with(routes!(logout_all))
        .with(routes!(setup))
}

/// A new account: one of `email` and `username` is needed.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "anna@example.org", "password": "correct horse battery staple", "display_name": "Анна", "locale": "ru"}))]
struct Register {
    #[serde(default)]
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 3, max_length = 32)]
    username: Option<String>,
    /// At least `passwords.min_length` characters, not a common one, not the user's own data.
    #[schema(min_length = 8, max_length = 4096, format = Password)]
    password: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// BCP 47.
    #[serde(default)]
    #[schema(max_length = 35)]
    locale: Option<String>,
    #[serde(default)]
    #[schema(max_length = 100)]
    device_name: Option<String>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    resource: Option<String>,
    /// The token of an invitation: needed where `registration.mode` is `invite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    invitation: Option<String>,
    /// The documents that are accepted; see `GET /v1/auth/documents`. What is required and left out is asked for by a 202.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    accept: Vec<AcceptedBody>,
}

impl Register {
    fn into_registration(self) -> Registration {
        Registration {
            email: self.email,
            username: self.username,
            password: Password::new(self.password),
            display_name: self.display_name,
            locale: self.locale,
            device_name: self.device_name,
            invitation: self.invitation,
            accept: self.accept.iter().map(Accepted::from).collect(),
        }
    }
}

/// A new account and its first session.
#[derive(Serialize, ToSchema)]
struct Registered {
    user: UserBody,
    tokens: TokenPairBody,
}

/// Register.
#[utoipa::path(post, path = "/v1/auth/register", tag = "Sign-in", request_body = Register,
    params(IdempotencyKey),
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 201, description = "Registered and signed in", body = Registered), (status = 403, description = "Registration is closed"),
        (status = 409, description = "The e-mail address or username is taken; or a repeat after the password changed"),
        (status = 410, description = "The invitation is not good any more"), (status = 503, description = "Busy")))]
async fn register(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<Register>,
) -> Result<Response, Problem> {
    let idempotent = key.map(|key| {
        let bytes = zeroize::Zeroizing::new(serde_json::to_vec(&body).unwrap_or_default());
        api.services.idempotency.request("POST /v1/auth/register", &key, &bytes)
    });
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
    let completion = api.services.accounts.register(&ctx, body.into_registration(), idempotent.as_ref()).await?;
    Ok(registered(completion))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"login": "anna@example.org", "password": "correct horse battery staple", "device_name": "Firefox on Linux"}))]
struct Credentials {
    /// E-mail address, username, or phone number with a plus.
    #[schema(max_length = 254)]
    login: String,
    #[schema(format = Password, max_length = 4096)]
    password: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    device_name: Option<String>,
    /// From an earlier sign-in on this device.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
}

/// Sign in with a password. Unknown logins answer like wrong passwords, in the same time.
#[utoipa::path(post, path = "/v1/auth/login", tag = "Sign-in", request_body = Credentials,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 200, description = "Signed in", body = TokenPairBody), (status = 401, description = "Wrong login or password"),
        (status = 403, description = "The account is blocked"), (status = 503, description = "Busy")))]
async fn login(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Credentials>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
    let login = Login {
        login: body.login,
        password: Password::new(body.password),
        device_name: body.device_name,
        device_token: body.device_token,
    };
    Ok(completed(api.services.sessions.login(&ctx, login).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "rt_…"}))]
struct RefreshBody {
    #[schema(max_length = 256)]
    refresh_token: String,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
}

/// Exchange a refresh token for a new pair. A lost answer may be asked for again until its successor is used;
/// an older token ends the session.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "Sign-in", request_body = RefreshBody,
    responses((status = 200, description = "A new pair", body = TokenPairBody), (status = 401, description = "The refresh token is not valid"),
        (status = 403, description = "The account is blocked")))]
async fn refresh(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<RefreshBody>,
) -> Result<Json<TokenPairBody>, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
    let token = zeroize::Zeroizing::new(body.refresh_token);
    let signed_in = api.services.sessions.refresh(&ctx, &token).await?;
    note_user(signed_in.user.id);
    Ok(Json(signed_in.into()))
}

/// Sign out: end this session and revoke its tokens at once.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "Sign-in", responses((status = 204, description = "Signed out")))]
async fn logout(State(api): State<Arc<Api>>, user: SignedInUser) -> Result<StatusCode, Problem> {
    api.services.sessions.sign_out(&user.ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogoutAll {
    /// Keep the session that asks.
    #[serde(default)]
    except_current: bool,
}

/// Sign out on all devices.
#[utoipa::path(post, path = "/v1/auth/logout-all", tag = "Sign-in", request_body(content = Option<LogoutAll>),
    responses((status = 204, description = "Signed out")))]
async fn logout_all(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    body: Option<Json<LogoutAll>>,
) -> Result<StatusCode, Problem> {
    let (_, session) = user.ctx.user()?;
    let except = body.is_some_and(|Json(body)| body.except_current).then_some(session);
    api.services.sessions.end_all(&user.ctx, user.id, except).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The first administrator's account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"setup_token": "the token of the setup link", "username": "anna", "password": "correct horse battery staple"}))]
struct Setup {
    /// From the setup link that the first start prints.
    #[schema(max_length = 256)]
    setup_token: String,
    #[serde(default)]
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 3, max_length = 32)]
    username: Option<String>,
    #[schema(min_length = 8, max_length = 4096, format = Password)]
    password: String,
}

/// Become the first administrator. Works once.
#[utoipa::path(post, path = "/v1/setup", tag = "Sign-in", request_body = Setup,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 201, description = "Administrator, signed in", body = Registered), (status = 409, description = "Setup is already done, or the name is taken"),
        (status = 422, description = "The setup token or a field is not accepted"), (status = 503, description = "Busy")))]
async fn setup(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Setup>,
) -> Result<Response, Problem> {
    let registration =
        Registration { email: body.email, username: body.username, ..Registration::with(Password::new(body.password)) };
    Ok(registered(api.services.setup.finish(&ctx, &body.setup_token, registration).await?))
}

/// A new account answers 201 with the account beside its tokens.
fn registered(completion: Completion) -> Response {
    match completion.signed_in() {
        Ok(signed_in) => {
            note_user(signed_in.user.id);
            let user = signed_in.user.clone().into();
            (StatusCode::CREATED, Json(Registered { user, tokens: signed_in.into() })).into_response()
        }
        Err(step) => pending(step),
    }
}

/// A page of the documents that accounts need.
#[derive(Serialize, ToSchema)]
struct DocumentList {
    items: Vec<DocumentBody>,
    next_cursor: Option<String>,
}

/// The documents that accounts need, in the versions that count now.
#[utoipa::path(get, path = "/v1/auth/documents", tag = "Sign-in", params(PageQuery),
    responses((status = 200, description = "A page", body = DocumentList)))]
async fn documents(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Json<DocumentList>, Problem> {
    // In the order of the configuration.
    let all = api.services.deps.settings.documents.iter().cloned().enumerate().collect();
    let (items, next_cursor) = page.of(&api.cursors, "documents", all, |(place, _): &(usize, _)| *place)?;
    Ok(Json(DocumentList { items: items.into_iter().map(|(_, one)| one.into()).collect(), next_cursor }))
}
