//! VK ID: PKCE always, a device id from the callback on, the state echoed twice, errors with status 200.
//!
//! Pinned assumptions: `access_denied` when the person declines; the ID token cannot be checked by anybody.

use std::{sync::Arc, time::Duration};

use axum::{http::Method, response::Response};
use serde_json::{Value, json};

use crate::{
    ask::Ask,
    consent::{Consent, ask_person},
    grants::{Books, Grant, Issued, proven},
    outside, page, reply,
    server::{Behaviour, Options, Shared, StandIn, serve},
};

/// The registered app.
pub const CLIENT_ID: &str = "51000001";

/// What can be made to differ.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// The token answer echoes another state.
    pub wrong_state_in_answer: bool,
    /// The callback has no `device_id`.
    pub no_device_id: bool,
    /// User-info is about somebody else than the token answer.
    pub other_user_in_info: bool,
}

/// A running VK ID.
pub type Vk = StandIn<Knobs>;

const HOUR: Duration = Duration::from_secs(3600);

/// Starts it: `/authorize`, `/oauth2/auth`, `/oauth2/user_info`, `/oauth2/public_info`, `/oauth2/revoke`,
/// `/oauth2/logout`.
pub async fn start(options: Options) -> std::io::Result<Vk> {
    serve(options, Knobs::default(), Arc::new(Behind { books: Books::default() })).await
}

struct Behind {
    books: Books,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/authorize") => self.authorize(shared, ask),
            (&Method::POST, "/oauth2/auth") => self.token(shared, ask),
            (&Method::POST, "/oauth2/user_info") => self.user_info(shared, ask),
            (&Method::POST, "/oauth2/public_info") => public_info(shared, ask),
            (&Method::POST, "/oauth2/revoke" | "/oauth2/logout") => {
                let token = ask.form().get("access_token").cloned().unwrap_or_default();
                if self.books.end(&token) {
                    reply::json(200, &json!({ "response": 1 }))
                } else {
                    error("invalid_token", "access_token is invalid", None)
                }
            }
            _ => reply::not_found(),
        }
    }
}

/// An error: 200 all the same.
fn error(error: &str, description: &str, state: Option<&str>) -> Response {
    let mut body = json!({ "error": error, "error_description": description });
    if let Some(state) = state {
        body["state"] = state.into();
    }
    reply::json(200, &body)
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let redirect_uri = ask.query_param("redirect_uri").filter(|uri| shared.registered(uri));
        let (Some(redirect_uri), Some(CLIENT_ID)) = (redirect_uri, ask.query_param("client_id").as_deref()) else {
            return page::problem("VK ID", "invalid_request: client_id or redirect_uri");
        };
        let Some(state) = ask.query_param("state") else {
            return page::problem("VK ID", "invalid_request: state is required");
        };
        let consent = ask_person(shared, ask, "VK ID", "");
        let person = match consent {
            Consent::Asking(page) => return page,
            Consent::Denied => {
                let pairs = [("error", "access_denied"), ("error_description", "user denied"), ("state", &state)];
                return reply::redirect_with(&redirect_uri, &pairs);
            }
            Consent::Given(person) => *person,
        };
        let mut grant = Grant::of(ask, person, shared.now());
        if grant.challenge.as_ref().is_none_or(|challenge| challenge.method() != "S256") {
            let pairs =
                [("error", "invalid_request"), ("error_description", "code_challenge is required"), ("state", &state)];
            return reply::redirect_with(&redirect_uri, &pairs);
        }
        let device_id = format!("vk-{}", outside::random_text());
        grant.device_id = Some(device_id.clone());
        // Kept to be compared with the token request's.
        grant.nonce = Some(state.clone());
        let code = format!("vk2.a.{}", self.books.new_code(grant));
        let mut pairs = vec![
            ("code", code.as_str()),
            ("expires_in", "600"),
            ("ext_id", "vk2.a.ext"),
            ("state", &state),
            ("type", "code_v2"),
        ];
        if !shared.knobs().no_device_id {
            pairs.push(("device_id", &device_id));
        }
        reply::redirect_with(&redirect_uri, &pairs)
    }

    fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let field = |name: &str| form.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let state = field("state");
        if field("client_id") != Some(CLIENT_ID) {
            return error("invalid_client", "client_id is invalid", state);
        }
        let now = shared.now();
        match field("grant_type") {
            Some("authorization_code") => {
                let code = field("code").and_then(|code| code.strip_prefix("vk2.a.")).unwrap_or_default();
                let Some(grant) = self.books.take_code(code, now) else {
                    return error("invalid_grant", "code is invalid or expired", state);
                };
                let same = grant.redirect_uri.as_deref() == field("redirect_uri")
                    && grant.device_id.as_deref() == field("device_id")
                    && grant.nonce.as_deref() == state;
                if !same || !proven(grant.challenge.as_ref(), field("code_verifier")) {
                    return error("invalid_grant", "device_id, state, redirect_uri or code_verifier", state);
                }
                answer(shared, &self.books.issue(grant, HOUR, now), state)
            }
            Some("refresh_token") => {
                let old = self.books.take_by_refresh_token(field("refresh_token").unwrap_or_default());
                let Some(old) = old.filter(|old| old.grant.device_id.as_deref() == field("device_id")) else {
                    return error("invalid_grant", "refresh_token or device_id", state);
                };
                answer(shared, &self.books.issue(old.grant, HOUR, now), state)
            }
            _ => error("unsupported_grant_type", "", state),
        }
    }

    fn user_info(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let token = form.get("access_token").cloned().or_else(|| ask.authorization("Bearer")).unwrap_or_default();
        let Some(issued) = self.books.by_access_token(&token, shared.now()) else {
            return error("invalid_token", "access_token is missing or invalid", None);
        };
        if form.get("client_id").map(String::as_str) != Some(CLIENT_ID) {
            return error("invalid_client", "client_id is invalid", None);
        }
        let (person, grant) = (&issued.grant.person, &issued.grant);
        let number = if shared.knobs().other_user_in_info { person.number + 1 } else { person.number };
        let mut user = json!({
            // Text here, a number in the token answer.
            "user_id": number.to_string(), "first_name": person.first_name, "last_name": person.last_name,
            "sex": 0, "verified": false, "birthday": person.birthday.clone().unwrap_or_default(),
        });
        if person.avatar {
            user["avatar"] = format!("https://sun1.userapi.example/{}.jpg", person.key).into();
        }
        if let Some(email) = person.email.as_ref().filter(|_| grant.has_scope("email")) {
            user["email"] = email.as_str().into();
        }
        if let Some(phone) = person.phone.as_ref().filter(|_| grant.has_scope("phone")) {
            user["phone"] = phone.trim_start_matches('+').into();
        }
        reply::json(200, &json!({ "user": user }))
    }
}

fn answer(shared: &Shared<Knobs>, issued: &Issued, state: Option<&str>) -> Response {
    let echoed = if shared.knobs().wrong_state_in_answer { Some("another-state") } else { state };
    reply::json(
        200,
        &json!({
            "access_token": issued.access_token, "refresh_token": issued.refresh_token, "token_type": "Bearer",
            "id_token": id_token(issued), "expires_in": HOUR.as_secs(), "user_id": issued.grant.person.number,
            "scope": issued.grant.scope, "state": echoed,
        }),
    )
}

/// Shaped like a JWT, with a signature that nobody documents.
fn id_token(issued: &Issued) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": "VK", "sub": issued.grant.person.number, "app": CLIENT_ID });
    format!(
        "{}.{}.{}",
        encode(&json!({ "alg": "RS256", "typ": "JWT" })),
        encode(&claims),
        URL_SAFE_NO_PAD.encode("sig")
    )
}

/// Masked data for a token that came from here.
fn public_info(shared: &Shared<Knobs>, ask: &Ask) -> Response {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let form = ask.form();
    let payload = form.get("id_token").and_then(|token| token.split('.').nth(1));
    let claims =
        payload.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).and_then(|json| serde_json::from_slice(&json).ok());
    let number = claims.and_then(|claims: Value| claims["sub"].as_u64());
    match number.and_then(|number| shared.person_numbered(number)) {
        Some(person) => {
            let mask = |text: &Option<String>| {
                text.as_ref().map(|text| format!("{}***", text.chars().take(2).collect::<String>()))
            };
            let (email, phone) = (mask(&person.email), mask(&person.phone));
            let user = json!({ "user_id": person.number.to_string(), "first_name": person.first_name, "email": email, "phone": phone });
            reply::json(200, &json!({ "user": user }))
        }
        None => error("invalid_id_token", "id_token is invalid", None),
    }
}
