//! Sign-in through providers: the list, the way there and back, the one-time code, and proofs that apps hand over.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use userd_services::sign_in::{Along, Finished, Kind, NativeProof, Start, callback_params, fields_of_json};
use userd_web::{
    caller::Visitor,
    extract::{Json, PageQuery, Path, Query, RawForm},
    flow_cookie,
    problem::Problem,
    request_layer::note_problem,
};
use utoipa::{IntoParams, ToSchema, openapi::Schema};

use super::bodies::{PendingBody, TokenPairBody, completed, one_of};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new()
        .with(routes!(providers))
        .with(routes!(start))
        .with(routes!(callback, callback_post))
        .with(routes!(exchange))
        .with(routes!(native))
        .with(routes!(widget))
        .with(routes!(mini_app))
}

fn kinds() -> Schema {
    one_of(Kind::ALL.map(Kind::as_str))
}

/// A way to sign in with an account elsewhere.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
struct ProviderBody {
    id: String,
    #[schema(schema_with = kinds)]
    kind: &'static str,
    display_name: String,
    /// Send the browser there, with `return_to`.
    start_url: String,
}

#[derive(Serialize, ToSchema)]
struct ProviderList {
    items: Vec<ProviderBody>,
    next_cursor: Option<String>,
}

/// The providers on offer, in the order of the configuration.
#[utoipa::path(get, path = "/v1/auth/providers", tag = "Providers", params(PageQuery),
    responses((status = 200, description = "A page", body = ProviderList)))]
async fn providers(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Json<ProviderList>, Problem> {
    let base = api.services.public_url();
    let all = api.services.sign_in.offered().into_iter().enumerate().collect();
    let (items, next_cursor) = page.of(&api.cursors, "providers", all, |(place, _): &(usize, _)| *place)?;
    let items = items.into_iter().map(|(_, provider)| ProviderBody {
        id: provider.id().to_owned(),
        kind: provider.kind().as_str(),
        display_name: provider.display_name().to_owned(),
        start_url: format!("{base}/v1/auth/{}/start", provider.id()),
    });
    Ok(Json(ProviderList { items: items.collect(), next_cursor }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StartQuery {
    /// Where to come back to: one of `sign_in.return_to`, exactly. Absent: the built-in page.
    return_to: Option<String>,
    /// The application's proof key (RFC 7636, S256); then `exchange` needs the verifier. Required with a `return_to`
    /// that is not our own page.
    code_challenge: Option<String>,
    /// BCP 47.
    #[param(max_length = 35)]
    locale: Option<String>,
    /// Which account the person probably wants.
    #[param(max_length = 254)]
    login_hint: Option<String>,
    /// The token of an invitation, for whoever has no account yet: needed where `registration.mode` is `invite`.
    #[param(max_length = 128)]
    invitation: Option<String>,
}

/// Send the browser to the provider.
#[utoipa::path(get, path = "/v1/auth/{provider}/start", tag = "Providers", params(("provider" = String, Path, description = "Its id"), StartQuery),
    responses((status = 303, description = "To the provider"), (status = 410, description = "The invitation is not good any more"), (status = 422, description = "return_to is not configured, or code_challenge is missing"),
        (status = 429, description = "Too many attempts"), (status = 503, description = "The provider cannot be reached now")))]
async fn start(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    method: Method,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Query(query): Query<StartQuery>,
) -> Result<Response, Problem> {
    // Previews of links ask so before anybody has clicked: no attempt begins, and no limit is used up.
    if method == Method::HEAD {
        api.services.sign_in.browser_provider(&provider)?;
        return Ok([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))].into_response());
    }
    let start = Start {
        return_to: query.return_to,
        code_challenge: query.code_challenge,
        locale: query.locale,
        login_hint: query.login_hint,
        invitation: query.invitation,
    };
    let begun = api.services.sign_in.start(&ctx, &provider, start).await?;
    let mut answer = see_other(&begun.url)?;
    add_cookies(&mut answer, flow_cookie::crowded_out(&headers));
    add_cookies(&mut answer, [flow_cookie::set(&begun.state, &begun.browser, begun.cross_site)]);
    Ok(answer)
}

/// The provider sends the browser back here.
#[utoipa::path(get, path = "/v1/auth/{provider}/callback", tag = "Providers", params(("provider" = String, Path, description = "Its id")),
    responses((status = 303, description = "To `return_to`, with a one-time `code` or with `error`"),
        (status = 200, description = "A page that posts an answer in the fragment (Telegram's legacy page)", body = String, content_type = "text/html")))]
async fn callback(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    if answers_in_the_fragment(&api, &provider, query.as_bytes()) {
        return super::pages::telegram_fragment(api.services.return_to());
    }
    finish(&api, &provider, query.as_bytes(), &headers, &ctx).await
}

/// The same for providers that post their answer (`response_mode=form_post`).
#[utoipa::path(post, path = "/v1/auth/{provider}/callback", tag = "Providers", params(("provider" = String, Path, description = "Its id")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To `return_to`, with a one-time `code` or with `error`")))]
async fn callback_post(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    finish(&api, &provider, &body, &headers, &ctx).await
}

/// Telegram's legacy page adds its answer to our callback as a fragment, which is not sent: what arrives is our own
/// `state` and nothing else. The login flow is not touched then; the page's form comes back with the answer.
fn answers_in_the_fragment(api: &Api, provider: &str, query: &[u8]) -> bool {
    let is_telegram = api.services.sign_in.provider(provider).is_ok_and(|found| found.kind() == Kind::Telegram);
    is_telegram
        && callback_params(query).is_ok_and(|params| {
            let answers = ["code", "error", "hash", "tgAuthResult"];
            params.contains_key("state") && !answers.iter().any(|name| params.contains_key(*name))
        })
}

async fn finish(
    api: &Api,
    provider: &str,
    encoded: &[u8],
    headers: &HeaderMap,
    ctx: &userd_services::Context,
) -> Result<Response, Problem> {
    let state = only_state(encoded);
    let finished = match callback_params(encoded) {
        Ok(params) => {
            let browser = flow_cookie::read(headers, state.as_deref());
            api.services.sign_in.finish(ctx, provider, &params, &browser).await
        }
        Err(_) => api.services.sign_in.unreadable(ctx, provider, state.as_deref()).await,
    };
    let (target, parameter) = match finished {
        Finished::Code { target, code } => (target, ("code", code)),
        Finished::Linked { target } => (target, ("linked", provider.to_owned())),
        Finished::Refused { target, failure } => (target, ("error", slug(failure))),
    };
    let base = api.services.public_url();
    let target = target.return_to.unwrap_or_else(|| format!("{base}/signed-in"));
    let mut url = url::Url::parse(&target).map_err(|_| Problem::internal())?;
    url.query_pairs_mut().append_pair(parameter.0, &parameter.1);
    let mut answer = see_other(url.as_str())?;
    // A refusal leaves the cookie: the flow may still be good, for this browser or at another provider's callback.
    if parameter.0 != "error" {
        add_cookies(&mut answer, flow_cookie::clear(state.as_deref()));
    }
    Ok(answer)
}

/// The state of an answer that has one and not two.
fn only_state(encoded: &[u8]) -> Option<String> {
    let mut states = url::form_urlencoded::parse(encoded).filter(|(name, _)| name == "state");
    states.next().filter(|_| states.next().is_none()).map(|(_, state)| state.into_owned())
}

fn add_cookies(answer: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// What an error is called on the application's page: the reason of a provider's refusal, else the problem's slug.
fn slug(failure: userd_services::Failure) -> String {
    let problem = Problem::from(failure);
    note_problem(&problem);
    problem.reason().unwrap_or(problem.row().slug).to_owned()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "the code of return_to", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}))]
struct Exchange {
    #[schema(max_length = 256)]
    code: String,
    /// Needed where the sign-in began with a `code_challenge`.
    #[serde(default)]
    #[schema(max_length = 128)]
    code_verifier: Option<String>,
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

/// Exchange the one-time code for tokens.
#[utoipa::path(post, path = "/v1/auth/exchange", tag = "Providers", request_body = Exchange,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 200, description = "Signed in", body = TokenPairBody), (status = 403, description = "The account is blocked"),
        (status = 422, description = "The code is unknown, used or expired")))]
async fn exchange(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Exchange>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    let sign_in = &api.services.sign_in;
    let verifier = body.code_verifier.as_deref();
    Ok(completed(sign_in.exchange(&ctx, &body.code, verifier, body.device_name.as_deref()).await?))
}

/// A proof that an app holds: one of `access_token`, `id_token`, and `code` with `code_verifier`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id_token": "eyJhbGciOiJSUzI1NiJ9…", "nonce": "n-0S6_WzA2Mj"}))]
struct Native {
    #[serde(default)]
    #[schema(max_length = 65_536)]
    access_token: Option<String>,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    id_token: Option<String>,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    code: Option<String>,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    code_verifier: Option<String>,
    /// The redirect URI that the app used for the code.
    #[serde(default)]
    #[schema(max_length = 65_536)]
    redirect_uri: Option<String>,
    /// The nonce that the app gave the SDK for `id_token` or `code`; the token holds it, or its SHA-256 (hexadecimal or
    /// base64url). A token with a nonce is refused without it.
    #[serde(default)]
    #[schema(max_length = 512)]
    nonce: Option<String>,
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
    /// The token of an invitation, for whoever has no account yet: needed where `registration.mode` is `invite`.
    #[serde(default)]
    #[schema(max_length = 128)]
    invitation: Option<String>,
}

/// Sign in with what an app got from the provider itself.
#[utoipa::path(post, path = "/v1/auth/{provider}/token", tag = "Providers", params(("provider" = String, Path, description = "Its id")), request_body = Native,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 200, description = "Signed in", body = TokenPairBody), (status = 401, description = "The proof is not accepted"), (status = 410, description = "The invitation is not good any more"),
        (status = 403, description = "The account is blocked"), (status = 409, description = "An account with this e-mail exists"),
        (status = 503, description = "The provider cannot be reached now")))]
async fn native(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Path(provider): Path<String>,
    Json(body): Json<Native>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    let nonce = body.nonce.as_deref();
    if nonce.is_some_and(|nonce| nonce.is_empty() || nonce.len() > 512) {
        return Err(Problem::malformed("nonce has 1 to 512 characters"));
    }
    let proof = match (&body.access_token, &body.id_token, &body.code, &body.code_verifier) {
        (Some(_), None, None, None) if nonce.is_some() => {
            return Err(Problem::malformed("nonce goes with id_token or code"));
        }
        (Some(token), None, None, None) => NativeProof::AccessToken(token),
        (None, Some(token), None, None) => NativeProof::IdToken { token, nonce },
        (None, None, Some(code), Some(verifier)) => {
            NativeProof::Code { code, verifier, redirect_uri: body.redirect_uri.as_deref(), nonce }
        }
        _ => return Err(Problem::malformed("send one of access_token, id_token, and code with code_verifier")),
    };
    let (device_name, invitation) = (body.device_name.as_deref(), body.invitation.as_deref());
    let along = Along { device_name, invitation, ..Along::default() };
    Ok(completed(api.services.sign_in.native(&ctx, &provider, proof, along).await?))
}

/// The widget's fields as its script hands them over, all of them, known or not: the signature covers what came. Or the
/// `tgAuthResult` of its fragment alone.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"id": 110201543, "first_name": "Anna", "auth_date": 1764400000, "hash": "…"}))]
struct Widget {
    #[serde(default, rename = "tgAuthResult")]
    #[schema(max_length = 65_536)]
    tg_auth_result: Option<String>,
    /// Not one of Telegram's fields: the `device_token` of an earlier answer on this device; its owner is not told of a new one.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
    /// Not one of Telegram's fields: the service that the access token is for (RFC 8707), one of `tokens.audience`.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
    /// Not one of Telegram's fields: the token of an invitation, for whoever has no account yet.
    #[serde(default)]
    #[schema(max_length = 128)]
    invitation: Option<String>,
    #[serde(flatten)]
    fields: serde_json::Map<String, serde_json::Value>,
}

/// Sign in with Telegram's login widget.
#[utoipa::path(post, path = "/v1/auth/telegram/widget", tag = "Providers", request_body = Widget,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 200, description = "Signed in", body = TokenPairBody), (status = 401, description = "The fields are not accepted"), (status = 410, description = "The invitation is not good any more"),
        (status = 403, description = "The account is blocked"), (status = 404, description = "Telegram is not configured")))]
async fn widget(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<Widget>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?.on_device(body.device_token);
    let malformed = || Problem::malformed("the fields are texts, whole numbers and booleans");
    let fields = fields_of_json(body.fields).ok_or_else(malformed)?;
    let proof = match &body.tg_auth_result {
        Some(fragment) if fields.is_empty() => NativeProof::WidgetFragment(fragment),
        Some(_) => return Err(Problem::malformed("send tgAuthResult alone, or the widget's fields")),
        None => NativeProof::Widget(&fields),
    };
    let along = Along { invitation: body.invitation.as_deref(), ..Along::default() };
    Ok(completed(api.services.sign_in.native(&ctx, &telegram(&api)?, proof, along).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"init_data": "query_id=…&user=…&auth_date=…&signature=…&hash=…"}))]
struct MiniApp {
    /// `Telegram.WebApp.initData`, unchanged.
    #[schema(max_length = 65_536)]
    init_data: String,
    /// The `device_token` of the first answer: the same data then signs in again while it is fresh, as after a reload.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_token: Option<String>,
    /// The service that the access token is for (RFC 8707): one of `tokens.audience`; absent: userd itself.
    #[serde(default)]
    #[schema(max_length = 256)]
    resource: Option<String>,
    /// The token of an invitation, for whoever has no account yet: needed where `registration.mode` is `invite`.
    #[serde(default)]
    #[schema(max_length = 128)]
    invitation: Option<String>,
}

/// Sign in from a Telegram Mini App.
#[utoipa::path(post, path = "/v1/auth/telegram/mini-app", tag = "Providers", request_body = MiniApp,
    responses((status = 202, description = "Something is asked for first", body = PendingBody), (status = 200, description = "Signed in", body = TokenPairBody), (status = 401, description = "The data is not accepted"), (status = 410, description = "The invitation is not good any more"),
        (status = 403, description = "The account is blocked"), (status = 404, description = "Telegram is not configured")))]
async fn mini_app(
    State(api): State<Arc<Api>>,
    Visitor(ctx): Visitor,
    Json(body): Json<MiniApp>,
) -> Result<Response, Problem> {
    let ctx = ctx.for_resource(&api.services.deps.settings, body.resource.as_deref())?;
    let ctx = ctx.on_device(body.device_token.clone());
    let (device_token, invitation) = (body.device_token.as_deref(), body.invitation.as_deref());
    let along = Along { device_name: None, device_token, invitation };
    let proof = NativeProof::InitData(&body.init_data);
    Ok(completed(api.services.sign_in.native(&ctx, &telegram(&api)?, proof, along).await?))
}

/// The id of the configured Telegram provider: the one called `telegram`, else the first of that kind.
fn telegram(api: &Api) -> Result<String, Problem> {
    let of_kind = || api.services.sign_in.offered().into_iter().filter(|provider| provider.kind() == Kind::Telegram);
    let found = of_kind().find(|provider| provider.id() == "telegram").or_else(|| of_kind().next());
    found.map(|provider| provider.id().to_owned()).ok_or_else(|| userd_model::Refusal::NoSuchProvider.into())
}

fn see_other(url: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(url).map_err(|_| Problem::internal())?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
