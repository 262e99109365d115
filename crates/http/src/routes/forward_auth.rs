//! For a proxy in front of another host: whom a request there is of (nginx `auth_request`, Caddy and Traefik
//! `forward_auth`), and the few paths below `/_userd/` of that host which the proxy passes on to here (decision 0046).
//! Deliberately absent: access tokens for browsers; the cookie of a host is good at that host, for this and nothing else.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use serde::Deserialize;
use url::form_urlencoded;
use userd_model::{Actor, Permission, Refusal};
use userd_services::{Context, Failure, Services, forward_auth::ForwardedCaller, sign_in::ForwardHost};
use userd_web::{
    caller::Visitor,
    client_address::PassedOn,
    cookies,
    extract::{Bearer, Query},
    foreign::is_foreign,
    problem::Problem,
};
use utoipa::IntoParams;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// Holds a session of the host.
const ACCESS: &str = "__Host-userd_access";
/// The proof key of a sign-in that has begun at the host, and the page that it began from.
const RETURN: &str = "__Host-userd_return";
/// As long as somebody has to sign in.
const RETURN_LIFE: u64 = 3600;
/// What is known of longer lists of roles is not passed on: proxies bound the heads of answers.
const MOST_ROLES: usize = 2048;
/// The longest address that is gone back to.
const LONGEST_ADDRESS: usize = 2048;

/// Hosts that are said to be missing in the configuration: a proxy that serves every name would fill the log.
const MOST_TOLD: usize = 32;
/// The longest name of a host, with a port.
const LONGEST_HOST: usize = 260;

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(forward_auth)).with(routes!(start)).with(routes!(callback)).with(routes!(sign_out))
}

/// What a trusted proxy says of the request that it asks about.
struct Forwarded {
    host: ForwardHost,
    /// The proxy asks by HEAD, which is no use of a session.
    is_head: bool,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Api>> for Forwarded {
    type Rejection = Problem;

    /// Anybody else could name any host.
    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let name = single(&parts.headers, "x-forwarded-host").filter(|_| parts.extensions.get::<PassedOn>().is_some());
        let name = name.ok_or_else(|| refused("no trusted proxy says by X-Forwarded-Host which host it is"))?;
        let host = api.services.forward_host(name).map_err(|_| unknown_host(name))?;
        Ok(Self { host: host.clone(), is_head: parts.method == Method::HEAD, headers: parts.headers.clone() })
    }
}

fn refused(why: &'static str) -> Problem {
    tracing::debug!(why, "forward-auth is refused");
    Refusal::Forbidden.into()
}

/// Nearly always a mistake of whoever configured proxy and service, so it is said aloud: once for each host.
fn unknown_host(name: &str) -> Problem {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST_TOLD && name.len() <= LONGEST_HOST && told.insert(name.to_ascii_lowercase()) {
        tracing::warn!(host = name, "forward-auth is refused: the host is not in sign_in.forward_auth");
    }
    refused("the host is not in sign_in.forward_auth")
}

impl Forwarded {
    /// Whether a person looks at a page: whatever else is asked for is no place to sign in from.
    fn is_navigation(&self) -> bool {
        let method = single(&self.headers, "x-forwarded-method").unwrap_or("GET");
        let is_page = match single(&self.headers, "sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => single(&self.headers, "accept").is_some_and(|accept| accept.contains("text/html")),
        };
        is_page && matches!(method, "GET" | "HEAD")
    }

    /// Where a sign-in for the page that is asked for begins.
    fn start(&self) -> String {
        let page = single(&self.headers, "x-forwarded-uri").unwrap_or("/");
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", place(page)).finish();
        self.host.address(&format!("/_userd/start?{query}"))
    }
}

/// A header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
}

/// A page of the host to go back to; never another host's, never a step of the sign-in itself.
fn place(text: &str) -> &str {
    let is_page = |page: &&str| page.len() <= LONGEST_ADDRESS && !page.starts_with("/_userd/");
    cookies::local(text).filter(is_page).unwrap_or("/")
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ForwardAuthQuery {
    /// The role that is needed.
    #[param(max_length = 100)]
    role: Option<String>,
    /// The permission that is needed.
    #[param(max_length = 100)]
    permission: Option<String>,
    /// Whom an access token must be for; userd's own audience where it is left out.
    #[param(max_length = 200)]
    audience: Option<String>,
    /// `401`: where somebody has to sign in, 401 with the `Location` in place of 303; nginx takes no other answer.
    #[param(pattern = "^(303|401)$", default = "303")]
    redirect_status: Option<String>,
}

/// Whether a request to another host may pass, asked by the proxy in front of it. The proxy sends the request's headers and
/// `X-Forwarded-Host`, `X-Forwarded-Uri` and `X-Forwarded-Method`, must be one of `http.trusted_proxies`, and the host one of
/// `sign_in.forward_auth`. Accepts a bearer token, else the cookie of the host, which begins at `/_userd/start` there.
#[utoipa::path(get, path = "/v1/forward-auth", tag = "Forward authentication", params(ForwardAuthQuery),
    responses((status = 200, description = "It may: `X-Userd-User`, `X-Userd-Client`, `X-Userd-Roles` (by commas), `X-Userd-Username`, `X-Userd-Email` (proven only), \
        `X-Userd-Session` and `X-Userd-Acr` say who it is. All of them are always there, empty where there is nothing, so that a proxy that copies them leaves nothing of what the client sent. \
        What is not ASCII is percent-encoded"),
        (status = 303, description = "A person has to sign in: to `/_userd/start` of that host"),
        (status = 401, description = "Nobody is signed in"), (status = 403, description = "The role or permission is missing, or proxy or host are not configured"),
        (status = 422, description = "The audience is not configured: `invalid_target`")))]
async fn forward_auth(
    State(api): State<Arc<Api>>,
    Query(query): Query<ForwardAuthQuery>,
    forwarded: Forwarded,
    bearer: Option<Bearer>,
    Visitor(ctx): Visitor,
) -> Result<Response, Problem> {
    let permission = match &query.permission {
        Some(word) => Some(Permission::parse(word).ok_or_else(|| parameter("/permission", "is no permission"))?),
        None => None,
    };
    let in_place = match query.redirect_status.as_deref() {
        None | Some("303") => StatusCode::SEE_OTHER,
        Some("401") => StatusCode::UNAUTHORIZED,
        Some(_) => return Err(parameter("/redirect_status", "expected 303 or 401")),
    };
    // Also where no token is shown: a misspelt one would be noticed by the first service that calls.
    api.services.deps.settings.audience(query.audience.as_deref())?;
    let asked = match bearer {
        Some(Bearer(token)) => api.services.forwarded_bearer(ctx, &token, query.audience.as_deref()).await,
        None => of_cookie(&api.services, ctx, &forwarded).await,
    };
    let caller = match asked {
        Err(Failure::Refused(Refusal::NotSignedIn)) if forwarded.is_navigation() => {
            let headers = [(header::LOCATION, forwarded.start()), (header::CACHE_CONTROL, "no-store".to_owned())];
            return Ok((in_place, headers).into_response());
        }
        other => other?,
    };
    caller.must_hold(query.role.as_deref(), permission.as_ref())?;
    Ok(identity(&caller))
}

async fn of_cookie(services: &Services, ctx: Context, forwarded: &Forwarded) -> Result<ForwardedCaller, Failure> {
    let secret = cookies::read(&forwarded.headers, ACCESS).ok_or(Refusal::NotSignedIn)?;
    if forwarded.is_head {
        return services.recognise_forwarded_cookie(ctx, &forwarded.host, secret).await;
    }
    services.forwarded_cookie(ctx, &forwarded.host, secret).await
}

fn parameter(pointer: &'static str, detail: &'static str) -> Problem {
    Problem::of(&userd_web::problem::table::INVALID_PARAMETER).field(pointer, detail)
}

/// Who it is, for the service behind the proxy. Every header is there in any case.
fn identity(caller: &ForwardedCaller) -> Response {
    let (user, session, client) = match &caller.ctx.actor {
        Actor::User { id, session_id, .. } => (id.to_string(), session_id.to_string(), String::new()),
        Actor::Service { id, .. } => (String::new(), String::new(), id.to_string()),
        _ => Default::default(),
    };
    let known = caller.user.as_ref();
    let email = known.filter(|user| user.email_verified).and_then(|user| user.email.as_deref());
    let roles = Some(caller.roles.join(",")).filter(|roles| roles.len() <= MOST_ROLES).unwrap_or_default();
    let acr = if known.is_some() { caller.level().as_str() } else { "" };
    let said = [
        ("x-userd-user", user.as_str()),
        ("x-userd-client", client.as_str()),
        ("x-userd-session", session.as_str()),
        ("x-userd-username", known.and_then(|user| user.username.as_deref()).unwrap_or_default()),
        ("x-userd-email", email.unwrap_or_default()),
        ("x-userd-roles", roles.as_str()),
        ("x-userd-acr", acr),
    ];
    let mut answer = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))].into_response();
    for (name, value) in said {
        let value = HeaderValue::try_from(ascii(value)).unwrap_or(HeaderValue::from_static(""));
        answer.headers_mut().insert(HeaderName::from_static(name), value);
    }
    answer
}

/// Text as a header takes it: what is not plain ASCII as its UTF-8 bytes, percent-encoded, and `%` with it.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            0x21..0x7f if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StartQuery {
    /// The page of the host to go back to.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    to: String,
}

/// Begins a sign-in for a host, whose proxy passes this path on: a proof key is put into this browser, at this host, and the
/// person goes to the sign-in page. Whoever is signed in there already comes back at once.
#[utoipa::path(get, path = "/_userd/start", tag = "Forward authentication", params(StartQuery),
    responses((status = 303, description = "To the sign-in page"), (status = 403, description = "Proxy or host are not configured")))]
async fn start(
    State(api): State<Arc<Api>>,
    Query(query): Query<StartQuery>,
    forwarded: Forwarded,
) -> Result<Response, Problem> {
    let (verifier, challenge) = api.services.mint_proof_key();
    let kept = [("verifier", verifier.as_str()), ("to", place(&query.to))];
    let asked = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", &forwarded.host.callback())
        .append_pair("code_challenge", &challenge)
        .finish();
    let sign_in = format!("{}/sign-in?{asked}", api.services.deps.settings.sign_in.public_url);
    Ok(go(&sign_in, cookies::fields(RETURN, &kept, RETURN_LIFE)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// The one-time code.
    #[param(max_length = 100)]
    code: Option<String>,
}

/// Back at the host with a one-time code: it begins a session of the host's own, where this browser has the proof key. A browser
/// without one was sent here by somebody else, and its code is left alone: signed in with it, a person would be somebody else.
#[utoipa::path(get, path = "/_userd/callback", tag = "Forward authentication", params(CallbackQuery),
    responses((status = 303, description = "To the page that the sign-in began from; without a proof key to the host's first page"),
        (status = 400, description = "The code is unknown, used, expired, or not for this browser and host"),
        (status = 403, description = "Proxy or host are not configured")))]
async fn callback(
    State(api): State<Arc<Api>>,
    Query(query): Query<CallbackQuery>,
    forwarded: Forwarded,
    Visitor(ctx): Visitor,
) -> Result<Response, Problem> {
    let kept = cookies::read(&forwarded.headers, RETURN);
    let verifier = kept.and_then(|kept| cookies::field(kept, "verifier"));
    let (Some(kept), Some(verifier), Some(code)) = (kept, verifier, query.code) else {
        return Ok(go(&forwarded.host.address("/"), None));
    };
    let secret = api.services.begin_at_host(&ctx, &forwarded.host, &code, &verifier).await?;
    // Whoever signs in again in a browser holds one session of the host there, not two.
    if let Ok(before) = of_cookie(&api.services, api.services.context().from_origin(ctx.origin), &forwarded).await {
        api.services.sessions.sign_out(&before.ctx).await?;
    }
    let to = cookies::field(kept, "to").unwrap_or_default();
    let life = api.services.deps.settings.session_max_lifetime.as_secs();
    let mut answer = go(&forwarded.host.address(place(&to)), cookies::kept(ACCESS, &secret, life));
    answer.headers_mut().extend(cookies::removed(RETURN).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(answer)
}

/// Ends the session of the host in this browser, and leads to userd's pages, where its own session can be ended. A form of
/// another site is refused: it brings no cookie, but the answer would take this browser's away.
#[utoipa::path(post, path = "/_userd/sign-out", tag = "Forward authentication",
    responses((status = 303, description = "To userd's pages"), (status = 403, description = "A form of another site, or proxy or host are not configured")))]
async fn sign_out(
    State(api): State<Arc<Api>>,
    forwarded: Forwarded,
    Visitor(ctx): Visitor,
) -> Result<Response, Problem> {
    if is_foreign(&forwarded.headers, &forwarded.host.address("")) {
        return Err(Problem::of(&userd_web::problem::table::CROSS_SITE));
    }
    match of_cookie(&api.services, ctx, &forwarded).await {
        Ok(caller) => api.services.sessions.sign_out(&caller.ctx).await?,
        Err(Failure::Refused(_)) => {}
        Err(fault) => return Err(fault.into()),
    }
    Ok(go(&api.services.deps.settings.sign_in.public_url, cookies::removed(ACCESS)))
}

fn go(to: &str, cookie: Option<HeaderValue>) -> Response {
    let headers = [(header::LOCATION, to.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())];
    let mut answer = (StatusCode::SEE_OTHER, headers).into_response();
    answer.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    answer
}
