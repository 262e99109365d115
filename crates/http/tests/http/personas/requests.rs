//! One lawful request for each route, so that what comes back is the decision about the caller.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use userd_http::policy::RouteAccess;
use userd_web::testing::request;

use super::callers::{App, Hand, PASSWORD, PROVIDER, Persona};

/// An id that nothing has.
const NOTHING: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

/// What is sent with a request.
pub enum Sent {
    Nothing,
    Json(Value),
    Form(String),
}

/// The request to a route as a caller would send it.
pub async fn request_for(app: &mut App, route: &RouteAccess, persona: Persona) -> Request<Body> {
    let hand = app.hand(persona).await;
    let path = path_for(app, route, &hand).await;
    let (media_type, body) = match body_for(route, persona, &hand) {
        Sent::Nothing => ("", String::new()),
        Sent::Json(json) => ("application/json", json.to_string()),
        Sent::Form(form) => ("application/x-www-form-urlencoded", form),
    };
    let mut headers = Vec::new();
    if !media_type.is_empty() {
        headers.push(("content-type", media_type));
    }
    if let Some(authorization) = &hand.authorization {
        headers.push(("authorization", authorization));
    }
    request(route.method, &path, &headers, body)
}

/// The path with parameters that exist, where that can be.
pub async fn path_for(app: &App, route: &RouteAccess, hand: &Hand) -> String {
    let parameter = match route.path {
        "/v1/ssf/status" if route.method == "GET" => return format!("{}?stream_id={NOTHING}", route.path),
        "/v1/ssf/streams" if route.method == "DELETE" => return format!("{}?stream_id={NOTHING}", route.path),
        path if !path.contains('{') => return path.to_owned(),
        "/docs/{file}" => "start.js".to_owned(),
        "/pages/{file}" => "page.js".to_owned(),
        "/problems/{slug}" => "not_found".to_owned(),
        "/l/{token}" => format!("udl_{}", "A".repeat(43)),
        "/v1/me/sessions/{id}" if !hand.session.is_empty() => hand.session.clone(),
        "/v1/me/sessions/{id}" | "/v1/me/identities/{id}" | "/v1/me/factors/{id}" => NOTHING.to_owned(),
        "/v1/deliveries/{id}/retry" | "/v1/deliveries/{id}/resend" => NOTHING.to_owned(),
        "/v1/me/emails/{id}" | "/v1/me/emails/{id}/primary" => NOTHING.to_owned(),
        "/v1/invitations/{id}" | "/v1/me/factors/totp/{id}/confirm" => NOTHING.to_owned(),
        path if path.starts_with("/v1/me/notifications/{id}") => NOTHING.to_owned(),
        "/v1/audit-events/{id}/proof" => NOTHING.to_owned(),
        "/v1/notifications/{id}" => NOTHING.to_owned(),
        path if path.contains("/access-requests/{id}") => NOTHING.to_owned(),
        // Without permissions, so that nobody lacks one to give.
        "/v1/roles/{name}" => {
            app.role("moderator", &[]).await;
            "moderator".to_owned()
        }
        "/v1/permissions/{name}" => "billing.invoices.read".to_owned(),
        path if path.contains("{provider}") => PROVIDER.to_owned(),
        path if path.starts_with("/v1/users/{id}") => {
            let name = app.new_name();
            app.user(&name, &[]).await;
            app.id_of(&name).await
        }
        // Without permissions, so that nobody lacks one to give.
        path if path.starts_with("/v1/webhooks/{id}") => app.webhook().await,
        "/v1/clients/{id}/enable" => app.disabled_client().await,
        "/v1/ssf/streams/{id}/poll" => NOTHING.to_owned(),
        path if path.starts_with("/v1/clients/{id}") => app.client(&[]).await.0,
        "/v1/signing-keys/{kid}/revoke" => app.services.deps.crypto.tokens.active_kid().unwrap(),
        other => panic!("say which parameter of {other} exists"),
    };
    route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { parameter.as_str() } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// The least that the route takes.
pub fn body_for(route: &RouteAccess, persona: Persona, hand: &Hand) -> Sent {
    if route.method == "GET" {
        return Sent::Nothing;
    }
    let refresh_token = if hand.refresh_token.is_empty() { "unknown" } else { &hand.refresh_token };
    match (route.method, route.path) {
        ("POST", "/v1/auth/register") => Sent::Json(json!({"username": "newcomer", "password": PASSWORD})),
        ("POST", "/v1/auth/login") => Sent::Json(json!({"login": hand.login, "password": PASSWORD})),
        ("POST", "/v1/auth/refresh") => Sent::Json(json!({"refresh_token": refresh_token})),
        ("POST", "/_userd/sign-out") => Sent::Nothing,
        ("POST", "/v1/me/notifications/read-all" | "/v1/deliveries/{id}/retry" | "/v1/deliveries/{id}/resend") => {
            Sent::Nothing
        }
        ("POST", "/v1/me/notifications/{id}/read" | "/v1/me/notifications/{id}/archive") => Sent::Nothing,
        ("POST", "/v1/me/notifications/seen") => Sent::Json(json!({"up_to": NOTHING})),
        ("POST", "/v1/auth/second-factor") => {
            Sent::Json(json!({"challenge": "unknown", "method": "totp", "code": "000000"}))
        }
        ("POST", "/v1/auth/continue") => Sent::Json(json!({"challenge": "unknown", "code": "000000"})),
        ("POST", "/v1/auth/step-up") => Sent::Json(json!({"password": PASSWORD})),
        ("POST", "/v1/me/factors/totp/{id}/confirm") => Sent::Json(json!({"code": "000000"})),
        ("POST", "/v1/me/factors/totp" | "/v1/me/recovery-codes") => Sent::Nothing,
        ("POST", "/v1/setup") => {
            Sent::Json(json!({"setup_token": "unknown", "username": "newcomer", "password": PASSWORD}))
        }
        ("POST", "/v1/auth/{provider}/callback") => Sent::Form("state=unknown&code=unknown".to_owned()),
        ("POST", "/v1/auth/exchange") => Sent::Json(json!({"code": "unknown"})),
        ("POST", "/v1/me/identities/move") => Sent::Json(json!({"code": "unknown"})),
        ("POST", "/v1/auth/{provider}/token") => Sent::Json(json!({"access_token": "unknown"})),
        ("POST", "/v1/auth/telegram/widget") => Sent::Json(json!({"id": 1, "auth_date": 1, "hash": "00"})),
        ("POST", "/v1/auth/telegram/mini-app") => Sent::Json(json!({"init_data": "hash=00"})),
        ("POST", "/v1/auth/telegram/bot/poll") => Sent::Json(json!({"attempt": "unknown", "secret": "unknown"})),
        ("POST", "/v1/telegram/webhook") => Sent::Json(json!({"update_id": 1})),
        ("POST", "/l/{token}") => Sent::Form("confirm=yes".to_owned()),
        ("PATCH", "/v1/me" | "/v1/users/{id}") => Sent::Json(json!({"display_name": "Ada"})),
        ("PUT", "/v1/me/password") => {
            Sent::Json(json!({"current_password": PASSWORD, "new_password": "velvet-Bassoon-88"}))
        }
        ("POST", "/v1/auth/email/verify") => Sent::Json(json!({"token": "unknown"})),
        ("POST", "/v1/auth/email-code/begin") => Sent::Json(json!({"email": "nobody@example.org"})),
        ("POST", "/v1/auth/email-code/finish") => Sent::Json(json!({"challenge": "unknown", "code": "000000"})),
        ("POST", "/v1/auth/passkey/begin") => Sent::Json(json!({})),
        ("POST", "/v1/auth/passkey/finish" | "/v1/me/factors/passkeys/finish") => {
            Sent::Json(json!({"challenge": "unknown", "credential": {}}))
        }
        ("POST", "/v1/auth/step-up/begin" | "/v1/me/factors/passkeys/begin") => Sent::Nothing,
        ("PATCH", "/v1/me/factors/{id}") => Sent::Json(json!({"name": "phone"})),
        ("POST", "/v1/auth/email/resend") => Sent::Json(json!({"email": "nobody@example.org"})),
        ("POST", "/v1/auth/password/forgot") => Sent::Json(json!({"login": "nobody"})),
        ("POST", "/v1/auth/password/reset") => Sent::Json(json!({"token": "unknown", "new_password": PASSWORD})),
        ("PATCH", "/v1/me/sessions/{id}") => Sent::Json(json!({"device_name": "Firefox at work"})),
        ("DELETE", "/v1/me") => Sent::Json(json!({"current_password": PASSWORD})),
        ("POST", "/v1/auth/restore") => Sent::Json(json!({"restore_token": "unknown"})),
        ("PUT", "/v1/users/{id}/legal-hold") => Sent::Json(json!({"reason": "case 17"})),
        ("POST", "/v1/me/emails") => Sent::Json(json!({"email": "further@example.org"})),
        ("POST", "/v1/me/emails/{id}/primary") => Sent::Nothing,
        ("PUT", "/v1/me/email") => Sent::Json(json!({"email": "new@example.org", "current_password": PASSWORD})),
        ("PUT", "/v1/me/username") => Sent::Json(json!({"username": "newcomer"})),
        ("PUT", "/v1/me/notification-preferences") => Sent::Json(json!({"categories": {}, "quiet_hours": null})),
        ("POST", "/oauth2/introspect" | "/oauth2/revoke") => Sent::Form("token=unknown".to_owned()),
        ("POST", "/oauth2/token") if persona == Persona::Basic => {
            Sent::Form("grant_type=client_credentials".to_owned())
        }
        ("POST", "/oauth2/token") => Sent::Form(format!("grant_type=refresh_token&refresh_token={refresh_token}")),
        ("POST", "/v1/notifications") => {
            Sent::Json(json!({"to": {"user_ids": [NOTHING]}, "category": "news", "title": "New", "body": "Look."}))
        }
        ("POST", "/v1/users") => Sent::Json(json!({"email": format!("{}@example.org", persona.name())})),
        ("POST", "/v1/invitations") => Sent::Json(json!({"uses": 2})),
        ("POST", "/v1/webhooks") => Sent::Json(json!({"url": "https://shop.example/", "events": ["*"]})),
        ("POST", "/v1/webhooks/{id}/resend") => Sent::Json(json!({"from": "2026-01-01T00:00:00Z"})),
        ("PATCH", "/v1/webhooks/{id}") => Sent::Json(json!({"events": ["user.*"]})),
        ("POST", "/v1/ssf/streams" | "/v1/ssf/streams/{id}/poll") => Sent::Json(json!({})),
        ("PATCH" | "PUT", "/v1/ssf/streams") | ("POST", "/v1/ssf/verify") => Sent::Json(json!({"stream_id": NOTHING})),
        ("POST", "/v1/ssf/status") => Sent::Json(json!({"stream_id": NOTHING, "status": "paused"})),
        ("POST", "/v1/global-token-revocation") => Sent::Json(json!({"sub_id": {"format": "opaque", "id": NOTHING}})),
        ("PATCH", "/v1/clients/{id}") => Sent::Json(json!({"name": "automaton"})),
        ("POST", "/v1/roles") => Sent::Json(json!({"name": format!("made-by-{}", persona.name())})),
        ("PUT", "/v1/roles/{name}") => Sent::Json(json!({"description": "Helps people"})),
        ("POST", "/v1/permissions") => {
            Sent::Json(json!({"name": format!("made.by.{}", persona.name().replace(' ', "_"))}))
        }
        ("POST", "/v1/permissions/check") => Sent::Json(json!({"subject": NOTHING, "permission": "users.read"})),
        ("POST", "/v1/me/access-requests") => {
            Sent::Json(json!({"kind": "role", "name": "support", "action": "grant", "reason": "I help people"}))
        }
        ("POST", "/v1/access-requests/{id}/approve" | "/v1/access-requests/{id}/decline") => {
            Sent::Json(json!({"comment": "so be it"}))
        }
        ("POST", "/v1/me/access-requests/{id}/withdraw")
        | ("PUT", "/v1/users/{id}/roles/{role}" | "/v1/users/{id}/permissions/{permission}") => Sent::Nothing,
        ("POST", "/v1/clients") => Sent::Json(json!({"name": "robot", "permissions": []})),
        (
            "POST",
            "/v1/auth/logout"
            | "/v1/auth/logout-all"
            | "/v1/auth/telegram/bot/start"
            | "/v1/me/identities/{provider}/start"
            | "/v1/users/{id}/block"
            | "/v1/users/{id}/unblock"
            | "/v1/users/{id}/sign-out"
            | "/v1/users/{id}/send-password-reset"
            | "/v1/users/{id}/require-password-change"
            | "/v1/users/{id}/restore"
            | "/v1/users/{id}/purge"
            | "/v1/webhooks/{id}/test"
            | "/v1/webhooks/{id}/rotate-secret"
            | "/v1/clients/{id}/enable"
            | "/v1/clients/{id}/rotate-secret"
            | "/v1/signing-keys/rotate"
            | "/v1/signing-keys/{kid}/revoke",
        )
        | ("DELETE", _) => Sent::Nothing,
        (method, path) => panic!("say what a lawful {method} {path} sends"),
    }
}
