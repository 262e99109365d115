//! Passkeys as a page meets them: JSON in the browser's own form, from a set-up to a sign-in, and what is told on the way.

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use serde_json::{Value, json};
use userd_services::testing::TestOptions;
use userd_stand_ins::authenticator::Authenticator;
use userd_web::testing::*;

use crate::app::*;

const PASSWORD: &str = "velvet-Trombone-87";

struct Page {
    app: Router,
    bearer: String,
}

impl Page {
    async fn with(options: TestOptions) -> Self {
        Self { app: app_over(Arc::clone(&test_services(options).await)), bearer: String::new() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        if !self.bearer.is_empty() {
            headers.push(("authorization", &self.bearer));
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(&self.app, request(method, path, &headers[usize::from(body.is_empty())..], body)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, body).await
    }

    fn is(&mut self, tokens: &Value) {
        self.bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    }
}

fn laptop() -> Authenticator {
    Authenticator::at("http://localhost:8080")
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_page_sets_a_passkey_up_signs_in_by_it_and_takes_it_away() {
    let (mut page, mut laptop) = (Page::with(TestOptions::default()).await, laptop());
    let made = page.post("/v1/auth/register", json!({"username": "ada", "password": PASSWORD})).await.json();
    page.is(&made["tokens"]);
    let begun = page.post("/v1/me/factors/passkeys/begin", json!({"name": "my laptop"})).await;
    assert_eq!((begun.status, begun.header("cache-control")), (StatusCode::OK, "no-store"));
    let begun = begun.json();
    assert_eq!((members(&begun), &begun["expires_in"]), (vec!["challenge", "expires_in", "options"], &json!(600)));
    let credential = laptop.create(&begun["options"]).unwrap();
    let finish = json!({"challenge": begun["challenge"], "credential": credential});
    let added = page.post("/v1/me/factors/passkeys/finish", finish.clone()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    let added = added.json();
    let all = ["created_at", "credential_id", "id", "kind", "last_used_at", "name", "recovery_codes"];
    assert_eq!(members(&added), all);
    assert_eq!((&added["kind"], &added["name"]), (&json!("passkey"), &json!("my laptop")));
    assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
    // Once there is a factor, the next one needs more than the password of this session.
    assert_eq!(page.post("/v1/me/factors/passkeys/finish", finish).await.status, StatusCode::FORBIDDEN);

    page.bearer.clear();
    let begun = page.post("/v1/auth/passkey/begin", json!({})).await.json();
    let answer = json!({"challenge": begun["challenge"], "credential": laptop.get(&begun["options"]).unwrap()});
    let signed_in = page.post("/v1/auth/passkey/finish", answer.clone()).await;
    assert_eq!((signed_in.status, signed_in.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_eq!(signed_in.json()["user"]["username"], "ada");
    let again = page.post("/v1/auth/passkey/finish", answer).await;
    assert_eq!((again.status, &again.json()["type"]), (StatusCode::GONE, &json!("/problems/challenge_gone")));

    page.is(&signed_in.json());
    let factor = format!("/v1/me/factors/{}", added["id"].as_str().unwrap());
    let renamed = page.send("PATCH", &factor, json!({"name": "old laptop"})).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (StatusCode::OK, &json!("old laptop")));
    let listed = page.send("GET", "/v1/me/factors", Value::Null).await.json();
    assert_eq!(listed["items"][0]["credential_id"], added["credential_id"]);
    let signal = &listed["accepted_passkeys"];
    assert_eq!(members(signal), ["allAcceptedCredentialIds", "rpId", "userId"]);
    assert_eq!(signal["allAcceptedCredentialIds"], json!([added["credential_id"]]));
    assert_eq!(page.send("DELETE", &factor, Value::Null).await.status, StatusCode::NO_CONTENT);
    let begun = page.post("/v1/auth/passkey/begin", json!({})).await.json();
    let answer = json!({"challenge": begun["challenge"], "credential": laptop.get(&begun["options"]).unwrap()});
    let gone = page.post("/v1/auth/passkey/finish", answer).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["type"]), (422, &json!("/problems/invalid_passkey")));
}

#[tokio::test]
async fn a_page_shows_a_passkey_after_the_password_and_steps_up_by_it() {
    let (mut page, mut laptop) = (Page::with(TestOptions::default()).await, laptop());
    let made = page.post("/v1/auth/register", json!({"username": "ada", "password": PASSWORD})).await.json();
    page.is(&made["tokens"]);
    let nothing = page.post("/v1/auth/step-up/begin", Value::Null).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND, "there is none to be shown");
    let begun = page.post("/v1/me/factors/passkeys/begin", Value::Null).await.json();
    let credential = laptop.create(&begun["options"]).unwrap();
    page.post("/v1/me/factors/passkeys/finish", json!({"challenge": begun["challenge"], "credential": credential}))
        .await;
    let begun = page.post("/v1/auth/step-up/begin", Value::Null).await.json();
    assert_eq!(members(&begun), ["expires_in", "options"]);
    let shown = laptop.get(&begun["options"]).unwrap();
    let both = page.post("/v1/auth/step-up", json!({"credential": shown, "code": "287082"})).await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    let raised = page.post("/v1/auth/step-up", json!({"credential": shown})).await;
    assert_eq!((raised.status, &raised.json()["session_id"]), (StatusCode::OK, &made["tokens"]["session_id"]));

    page.bearer.clear();
    let first = page.post("/v1/auth/login", json!({"login": "ada", "password": PASSWORD})).await.json();
    assert_eq!(first["methods"], json!(["passkey", "recovery_code"]));
    let begun = page.post("/v1/auth/passkey/begin", json!({"challenge": first["challenge"]})).await.json();
    assert_eq!(begun["challenge"], first["challenge"]);
    let shown = laptop.get(&begun["options"]).unwrap();
    let finish = json!({"challenge": first["challenge"], "credential": shown});
    let elsewhere = page.post("/v1/auth/passkey/finish", finish).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", elsewhere.text());
    assert!(elsewhere.text().contains("is answered at /v1/auth/second-factor"), "{}", elsewhere.text());
    let second = |body: Value| page.post("/v1/auth/second-factor", body);
    let mixed = json!({"challenge": first["challenge"], "method": "passkey", "code": "287082"});
    assert_eq!(second(mixed).await.status, StatusCode::BAD_REQUEST);
    let mixed = json!({"challenge": first["challenge"], "method": "totp", "credential": shown});
    assert_eq!(second(mixed).await.status, StatusCode::BAD_REQUEST);
    let right = json!({"challenge": first["challenge"], "method": "passkey", "credential": shown});
    assert_eq!(second(right).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_must_have_a_factor_makes_a_passkey_at_sign_in() {
    let mut options = TestOptions::default();
    options.settings.mfa.required_for = vec!["admin".to_owned()];
    let services = test_services(options).await;
    let token = services.setup.open(&services.operator_context()).await.unwrap().unwrap();
    let (page, mut laptop) = (Page { app: app_over(Arc::clone(&services)), bearer: String::new() }, laptop());
    let body = json!({"setup_token": token, "username": "root1", "password": PASSWORD});
    let asked = page.post("/v1/setup", body).await.json();
    assert_eq!(asked["methods"], json!(["totp", "passkey"]));
    let elsewhere = page.post("/v1/auth/passkey/begin", json!({"challenge": asked["challenge"]})).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", elsewhere.text());
    assert!(elsewhere.text().contains("is answered at /v1/auth/continue"), "{}", elsewhere.text());
    let go_on = |body: Value| page.post("/v1/auth/continue", body);
    let begun = go_on(json!({"challenge": asked["challenge"], "method": "passkey", "name": "key"})).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let made = laptop.create(&begun.json()["options"]).unwrap();
    let both = json!({"challenge": asked["challenge"], "credential": made, "code": "287082"});
    assert_eq!(go_on(both).await.status, StatusCode::BAD_REQUEST);
    let done = go_on(json!({"challenge": asked["challenge"], "credential": made})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert_eq!(done.json()["recovery_codes"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn browsers_and_password_managers_find_what_they_look_up() {
    let bare = Page::with(TestOptions::default()).await;
    let get = |page: &Page, path: &'static str| {
        let app = page.app.clone();
        async move { ask(&app, request("GET", path, &[], "")).await }
    };
    assert_eq!(get(&bare, "/.well-known/webauthn").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&bare, "/.well-known/passkey-endpoints").await.json(), json!({}));
    assert_eq!(get(&bare, "/.well-known/change-password").await.status, StatusCode::NOT_FOUND);
    let mut options = TestOptions::default();
    let known = &mut options.settings.well_known;
    known.related_origins = vec!["https://example.net".to_owned()];
    known.passkey_enroll = Some("https://id.example.org/account/passkey/add".to_owned());
    known.passkey_manage = Some("https://id.example.org/account/passkeys".to_owned());
    known.change_password = Some("https://id.example.org/account/password".to_owned());
    let page = Page::with(options).await;
    assert_eq!(get(&page, "/.well-known/webauthn").await.json(), json!({"origins": ["https://example.net"]}));
    let endpoints = get(&page, "/.well-known/passkey-endpoints").await.json();
    assert_eq!(endpoints["enroll"], "https://id.example.org/account/passkey/add");
    assert_eq!(endpoints["manage"], "https://id.example.org/account/passkeys");
    let change = get(&page, "/.well-known/change-password").await;
    assert_eq!(change.status, StatusCode::SEE_OTHER);
    assert_eq!(change.header("location"), "https://id.example.org/account/password");
    let off = Page::with(TestOptions { passkeys: None, ..TestOptions::default() }).await;
    for path in ["/.well-known/webauthn", "/.well-known/passkey-endpoints"] {
        assert_eq!(get(&off, path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(off.post("/v1/auth/passkey/begin", json!({})).await.status, StatusCode::NOT_FOUND);
}
