//! Second factors as a client meets them: the whole way over HTTP, and what answers say and do not say.

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use serde_json::{Value, json};
use userd_crypto::{TotpSecret, Zeroizing};
use userd_model::Document;
use userd_services::{MfaSettings, Services, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

const PASSWORD: &str = "velvet-Trombone-87";

struct Client {
    app: Router,
    services: Arc<Services>,
    bearer: String,
}

impl Client {
    async fn with(options: TestOptions) -> Self {
        let services = test_services(options).await;
        Self { app: app_over(Arc::clone(&services)), services, bearer: String::new() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        if !self.bearer.is_empty() {
            headers.push(("authorization", &self.bearer));
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(&self.app, request(method, path, &headers[usize::from(body.is_empty())..], body)).await
    }

    fn is(&mut self, tokens: &Value) {
        self.bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    }

    /// A code of the app that reads this secret: the one after the current one, which is good too.
    fn code(&self, secret: &str, steps: i64) -> String {
        let value = |c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
        let bits: String = secret.chars().map(|c| format!("{:05b}", value(c))).collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        let bytes = bytes.map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap()).collect();
        let at = userd_model::Timestamp::from_seconds(self.services.deps.now().seconds() + 30 * steps);
        TotpSecret::from_bytes(Zeroizing::new(bytes)).code(at)
    }
}

/// AC-029: no answer has a code in it but the set of recovery codes, once.
#[tokio::test]
async fn an_app_is_set_up_shown_and_removed() {
    let mut client = Client::with(TestOptions::default()).await;
    let made = client.send("POST", "/v1/auth/register", json!({"username": "ada", "password": PASSWORD})).await.json();
    client.is(&made["tokens"]);
    let begun = client.send("POST", "/v1/me/factors/totp", json!({"name": "phone"})).await;
    assert_eq!((begun.status, begun.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let begun = begun.json();
    let secret = begun["secret"].as_str().unwrap();
    let confirm = format!("/v1/me/factors/totp/{}/confirm", begun["id"].as_str().unwrap());
    let confirmed = client.send("POST", &confirm, json!({"code": client.code(secret, 0)})).await;
    let codes = confirmed.json()["recovery_codes"].clone();
    assert_eq!(codes.as_array().unwrap().len(), 10);

    let weak = client.send("POST", "/v1/me/recovery-codes", Value::Null).await;
    assert_eq!(weak.status, StatusCode::FORBIDDEN);
    assert_eq!(weak.json()["type"], "/problems/insufficient_user_authentication");
    let asked = r#"Bearer realm="userd", error="insufficient_user_authentication", acr_values="aal2", max_age="300""#;
    assert_eq!(weak.header("www-authenticate"), asked);

    client.bearer.clear();
    let first = client.send("POST", "/v1/auth/login", json!({"login": "ada", "password": PASSWORD})).await;
    assert_eq!((first.status, first.header("cache-control")), (StatusCode::ACCEPTED, "no-store"));
    let (first, text) = (first.json(), first.text());
    assert_eq!(first["status"], "second_factor_required");
    assert_eq!(first["methods"], json!(["totp", "recovery_code"]));
    let members: Vec<_> = first.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["challenge", "expires_in", "methods", "status"]);
    let elsewhere = client.send("POST", "/v1/auth/continue", json!({"challenge": first["challenge"]})).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(elsewhere.text().contains("/v1/auth/second-factor"), "{}", elsewhere.text());
    let next = client.code(secret, 1);
    assert!(!text.contains(&next) && !text.contains(secret), "{text}");
    let second = |code: &str| json!({"challenge": first["challenge"], "method": "totp", "code": code});
    let wrong = client.send("POST", "/v1/auth/second-factor", second("00000x")).await;
    assert_eq!(
        (wrong.status, wrong.json()["type"].clone()),
        (StatusCode::UNPROCESSABLE_ENTITY, json!("/problems/invalid_code"))
    );
    assert!(!wrong.text().contains(&next));
    let signed_in = client.send("POST", "/v1/auth/second-factor", second(&next)).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    let again = client.send("POST", "/v1/auth/second-factor", second(&next)).await;
    assert_eq!((again.status, again.json()["type"].clone()), (StatusCode::GONE, json!("/problems/challenge_gone")));
    client.is(&signed_in.json());

    let list = client.send("GET", "/v1/me/factors", Value::Null).await;
    assert_eq!(list.json()["recovery_codes_left"], 10);
    assert_eq!((&list.json()["items"][0]["kind"], &list.json()["items"][0]["name"]), (&json!("totp"), &json!("phone")));
    assert!(!list.text().contains(secret));
    let raised = client.send("POST", "/v1/auth/step-up", json!({"code": codes[0]})).await;
    assert_eq!((raised.status, &raised.json()["session_id"]), (StatusCode::OK, &signed_in.json()["session_id"]));
    let factor = format!("/v1/me/factors/{}", begun["id"].as_str().unwrap());
    assert_eq!(client.send("DELETE", &factor, Value::Null).await.status, StatusCode::NO_CONTENT);
    client.bearer.clear();
    let one = client.send("POST", "/v1/auth/login", json!({"login": "ada", "password": PASSWORD})).await;
    assert_eq!(one.status, StatusCode::OK);
}

#[tokio::test]
async fn who_must_have_a_factor_sets_one_up_at_sign_in() {
    let mut options = TestOptions::default();
    options.settings.mfa = MfaSettings { required_for: vec!["admin".to_owned()], ..MfaSettings::default() };
    let client = Client::with(options).await;
    let token = client.services.setup.open(&client.services.operator_context()).await.unwrap().unwrap();
    let body = json!({"setup_token": token, "username": "root1", "password": PASSWORD});
    let asked = client.send("POST", "/v1/setup", body).await;
    assert_eq!((asked.status, asked.json()["status"].clone()), (StatusCode::ACCEPTED, json!("factor_setup_required")));
    let challenge = asked.json()["challenge"].clone();
    let neither = client.send("POST", "/v1/auth/continue", json!({"challenge": challenge})).await;
    assert_eq!(neither.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(neither.json()["errors"][0]["pointer"], "/method", "and the challenge stays");
    let second = json!({"challenge": challenge, "method": "totp", "code": "000000"});
    let elsewhere = client.send("POST", "/v1/auth/second-factor", second).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", elsewhere.text());
    let detail = "is answered at /v1/auth/continue: `method`; then `code` or `credential`";
    assert_eq!(elsewhere.json()["errors"], json!([{"pointer": "/challenge", "detail": detail}]), "and it stays");
    let begun = client.send("POST", "/v1/auth/continue", json!({"challenge": challenge, "method": "totp"})).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let code = client.code(begun.json()["secret"].as_str().unwrap(), 0);
    let done = client.send("POST", "/v1/auth/continue", json!({"challenge": challenge, "code": code})).await;
    assert_eq!(done.status, StatusCode::OK);
    assert_eq!(done.json()["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(done.json()["user"]["roles"], json!(["admin"]));
    let refresh = json!({"refresh_token": done.json()["refresh_token"]});
    assert_eq!(client.send("POST", "/v1/auth/refresh", refresh).await.status, StatusCode::OK);
}

/// An answer that was lost is asked for again: the same secret while it waits, and no other set-up in its place.
#[tokio::test]
async fn a_repeated_set_up_of_an_app_is_the_same() {
    let mut client = Client::with(TestOptions::default()).await;
    let made = client.send("POST", "/v1/auth/register", json!({"username": "ada", "password": PASSWORD})).await.json();
    client.is(&made["tokens"]);
    let begin = async |key: &str, name: &str| {
        let headers =
            [("content-type", "application/json"), ("authorization", client.bearer.as_str()), ("idempotency-key", key)];
        ask(&client.app, request("POST", "/v1/me/factors/totp", &headers, json!({ "name": name }).to_string())).await
    };
    let first = begin("one", "phone").await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = begin("one", "phone").await;
    assert_eq!((again.status, again.json()), (StatusCode::CREATED, first.json()));
    assert_eq!(begin("one", "other").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_ne!(begin("two", "phone").await.json()["secret"], first.json()["secret"]);
    let late = begin("one", "phone").await;
    assert_eq!((late.status, late.slug().as_str()), (StatusCode::CONFLICT, "secret_already_shown"));
}

/// Recovery codes are shown where they are made or never: also where another step comes before the tokens.
#[tokio::test]
async fn recovery_codes_are_shown_although_terms_come_next() {
    let mut options = TestOptions::default();
    options.settings.mfa = MfaSettings { required_for: vec!["admin".to_owned()], ..MfaSettings::default() };
    let (id, version, url) = ("terms".to_owned(), "1".to_owned(), "https://example.org/terms".to_owned());
    options.settings.documents = vec![Document { id, version, url, required: true }];
    let client = Client::with(options).await;
    let token = client.services.setup.open(&client.services.operator_context()).await.unwrap().unwrap();
    let body = json!({"setup_token": token, "username": "root1", "password": PASSWORD});
    let asked = client.send("POST", "/v1/setup", body).await.json();
    assert_eq!(asked["status"], "factor_setup_required");
    assert!(asked.get("recovery_codes").is_none(), "none are made yet");
    let go_on = |body: Value| client.send("POST", "/v1/auth/continue", body);
    let begun = go_on(json!({"challenge": asked["challenge"], "method": "totp"})).await.json();
    let code = client.code(begun["secret"].as_str().unwrap(), 0);
    let next = go_on(json!({"challenge": asked["challenge"], "code": code})).await;
    assert_eq!((next.status, next.header("cache-control")), (StatusCode::ACCEPTED, "no-store"));
    let next = next.json();
    assert_eq!(next["status"], "terms_required");
    assert_eq!(next["recovery_codes"].as_array().unwrap().len(), 10);
    let alone = go_on(json!({"challenge": next["challenge"]})).await;
    assert_eq!((alone.status, alone.slug().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid_input"));
    assert_eq!(alone.json()["errors"][0]["pointer"], "/accept");
    let accept = json!([{"id": "terms", "version": "1"}]);
    let done = go_on(json!({"challenge": next["challenge"], "accept": accept})).await;
    assert_eq!((done.status, done.json().get("recovery_codes")), (StatusCode::OK, None));
}

#[tokio::test]
async fn a_demanded_password_is_asked_for_at_sign_in_and_set_there() {
    let mut client = Client::with(TestOptions::default()).await;
    let made = client.send("POST", "/v1/auth/register", json!({"username": "ada", "password": PASSWORD})).await.json();
    let id = made["user"]["id"].as_str().unwrap().parse().unwrap();
    let services = Arc::clone(&client.services);
    services.users.require_password_change(&services.operator_context(), id).await.unwrap();
    let login = json!({"login": "ada", "password": PASSWORD});
    let asked = client.send("POST", "/v1/auth/login", login.clone()).await;
    assert_eq!(
        (asked.status, asked.json()["status"].clone()),
        (StatusCode::ACCEPTED, json!("password_change_required"))
    );
    let challenge = asked.json()["challenge"].clone();
    let alone = client.send("POST", "/v1/auth/continue", json!({"challenge": challenge})).await;
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(alone.json()["errors"][0]["pointer"], "/new_password");
    // What answers another step does not answer this one, and says so.
    for answer in [json!({"challenge": challenge, "code": "000000"}), json!({"challenge": challenge, "method": "totp"})]
    {
        let other = client.send("POST", "/v1/auth/continue", answer).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.text());
        assert_eq!(other.json()["errors"][0]["pointer"], "/new_password");
    }
    let second = json!({"challenge": challenge, "method": "recovery_code", "code": "000000"});
    let elsewhere = client.send("POST", "/v1/auth/second-factor", second).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", elsewhere.text());
    assert_eq!(elsewhere.json()["errors"][0]["detail"], "is answered at /v1/auth/continue: `new_password`");
    let both = json!({"challenge": challenge, "new_password": "velvet-Bassoon-88", "code": "000000"});
    assert_eq!(client.send("POST", "/v1/auth/continue", both).await.status, StatusCode::BAD_REQUEST);
    let body = json!({"challenge": challenge, "new_password": "velvet-Bassoon-88"});
    let set = client.send("POST", "/v1/auth/continue", body.clone()).await;
    assert_eq!((set.status, set.header("cache-control")), (StatusCode::OK, "no-store"));
    client.is(&set.json());
    assert_eq!(client.send("GET", "/v1/me", Value::Null).await.status, StatusCode::OK);
    assert_eq!(client.send("POST", "/v1/auth/continue", body).await.status, StatusCode::GONE);
    assert_eq!(client.send("POST", "/v1/auth/login", login).await.status, StatusCode::UNAUTHORIZED);
}
