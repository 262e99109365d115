//! Addresses and forgotten passwords over HTTP: routes, and the pages behind the links of mails.

use std::sync::Arc;

use axum::Router;
use userd_services::{
    Services, Settings,
    testing::{TestOptions, settings},
};
use userd_web::testing::*;

use crate::app::*;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PASSWORD: &str = "plum-Orchestra-19";

struct Place {
    services: Arc<Services>,
    router: Router,
}

impl Place {
    async fn open(email_confirmation_required: bool) -> Self {
        let settings = Settings { email_confirmation_required, ..settings() };
        let services = test_services(TestOptions { settings, ..TestOptions::default() }).await;
        Self { router: app_over(Arc::clone(&services)), services }
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> Answer {
        post_json(&self.router, path, body.to_string()).await
    }

    async fn form(&self, path: &str, body: &'static str) -> Answer {
        ask(&self.router, request("POST", path, &[FORM], body)).await
    }

    /// The token and code of the only mail whose subject has this word.
    async fn mail(&self, subject: &str) -> (String, String) {
        self.services.deliveries.tick().await.unwrap();
        let mails = self.services.deliveries.mails(&self.services.operator_context(), 50).await.unwrap();
        let text = &mails.iter().find(|mail| mail.subject.contains(subject)).unwrap().text;
        let token = text.split("/l/").nth(1).unwrap().split_whitespace().next().unwrap();
        let code = text.lines().find(|line| line.len() == 6 && line.parse::<u32>().is_ok());
        (token.to_owned(), code.unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn a_registration_that_waits_is_answered_202_and_goes_on_with_code_and_challenge() {
    let place = Place::open(true).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    let asked = place.post("/v1/auth/register", wanted).await;
    assert_eq!(asked.status, 202);
    let asked = asked.json();
    assert_eq!(asked["status"], "confirmation_required");
    let alone = place.post("/v1/auth/continue", serde_json::json!({ "challenge": asked["challenge"] })).await;
    assert_eq!(alone.status, 422);
    assert!(alone.text().contains("/v1/auth/email/verify"), "{}", alone.text());
    let (_, code) = place.mail("is your code").await;
    let wrong = serde_json::json!({ "email": "ada@example.org" });
    let problem = place.post("/v1/auth/email/verify", wrong).await;
    assert_eq!((problem.status.as_u16(), problem.json()["errors"][0]["pointer"].as_str()), (422, Some("/token")));
    let proof = serde_json::json!({ "email": "ada@example.org", "code": code, "challenge": asked["challenge"] });
    let signed_in = place.post("/v1/auth/email/verify", proof.clone()).await;
    assert_eq!(signed_in.status, 200);
    assert_eq!(signed_in.json()["user"]["email_verified"], true);
    assert!(signed_in.json()["access_token"].is_string());
    assert_eq!(signed_in.headers["cache-control"], "no-store");
    assert_eq!(place.post("/v1/auth/email/verify", proof).await.status, 422);
    let used = place.post("/v1/auth/continue", serde_json::json!({ "challenge": asked["challenge"] })).await;
    assert_eq!(used.status, 410);
}

#[tokio::test]
async fn the_page_behind_the_link_of_a_mail_asks_and_then_proves_the_address() {
    let place = Place::open(false).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(place.post("/v1/auth/register", wanted).await.status, 201);
    let (token, _) = place.mail("is your code").await;
    let path = format!("/l/{token}");
    let page = get(&place.router, &path, &[]).await;
    assert!(page.text().contains("Confirm your address"), "{}", page.text());
    let russian = get(&place.router, &path, &[("accept-language", "ru")]).await;
    assert!(russian.text().contains("Подтверждение адреса"));
    assert!(place.form(&path, "List-Unsubscribe=One-Click").await.text().contains("Confirm your address"));
    let done = place.form(&path, "confirm=yes").await;
    assert_eq!(done.status, 200);
    assert!(done.text().contains("The address is confirmed"), "{}", done.text());
    assert_eq!(place.form(&path, "confirm=yes").await.status, 410);
}

#[tokio::test]
async fn the_page_behind_a_reset_asks_for_a_password_until_it_is_accepted() {
    let place = Place::open(false).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "username": "ada", "password": PASSWORD });
    assert_eq!(place.post("/v1/auth/register", wanted).await.status, 201);
    for login in ["ada", "nobody"] {
        let answer = place.post("/v1/auth/password/forgot", serde_json::json!({ "login": login })).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (202, r#"{"status":"accepted"}"#));
    }
    let (token, _) = place.mail("A new password").await;
    let path = format!("/l/{token}");
    let page = get(&place.router, &path, &[]).await.text();
    assert!(page.contains("name=\"new_password\"") && page.contains("autocomplete=\"new-password\""), "{page}");
    for (body, about) in [
        ("confirm=yes", "is required"),
        ("confirm=yes&new_password=short", "must have at least"),
        ("confirm=yes&new_password=%3Cscript%3E", "must have at least"),
    ] {
        let again = place.form(&path, body).await;
        assert_eq!(again.status, 200);
        assert!(again.text().contains(about) && !again.text().contains("<script"), "{}", again.text());
    }
    let done = place.form(&path, "confirm=yes&new_password=velvet-Bassoon-88").await;
    assert!(done.text().contains("The password is set"), "{}", done.text());
    let login = |password: &str| serde_json::json!({ "login": "ada@example.org", "password": password });
    assert_eq!(place.post("/v1/auth/login", login("velvet-Bassoon-88")).await.status, 200);
    assert_eq!(place.post("/v1/auth/login", login(PASSWORD)).await.status, 401);
    assert_eq!(get(&place.router, &path, &[]).await.status, 410);
}

/// The token of the link is what the routes take, so that an app can have pages of its own.
#[tokio::test]
async fn the_token_of_a_link_is_good_for_the_routes_too() {
    let place = Place::open(false).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    let registered = place.post("/v1/auth/register", wanted).await.json();
    let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
    let (token, _) = place.mail("is your code").await;
    let proof = place.post("/v1/auth/email/verify", serde_json::json!({ "token": token })).await;
    assert_eq!((proof.status.as_u16(), proof.json()["status"].as_str()), (200, Some("confirmed")));
    let me = get(&place.router, "/v1/me", &[("authorization", &bearer)]).await.json();
    assert_eq!(me["email_verified"], true);
    let body = serde_json::json!({ "email": "new@example.org", "current_password": PASSWORD }).to_string();
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let asked = ask(&place.router, request("PUT", "/v1/me/email", &headers, body)).await;
    assert_eq!((asked.status.as_u16(), asked.json()["status"].as_str()), (202, Some("confirmation_required")));
    place.post("/v1/auth/password/forgot", serde_json::json!({ "login": "ada@example.org" })).await;
    let (token, _) = place.mail("A new password").await;
    let body = serde_json::json!({ "token": token, "new_password": "velvet-Bassoon-88" });
    assert_eq!(place.post("/v1/auth/password/reset", body.clone()).await.status, 204);
    assert_eq!(place.post("/v1/auth/password/reset", body).await.status, 422);
}

/// Signing in to a deleted account answers 403 with the token that gives it back.
#[tokio::test]
async fn a_deleted_account_is_offered_back_to_whoever_signs_in() {
    let place = Place::open(false).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    let registered = place.post("/v1/auth/register", wanted).await.json();
    let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = serde_json::json!({ "current_password": PASSWORD }).to_string();
    let deleted = ask(&place.router, request("DELETE", "/v1/me", &headers, body)).await;
    assert_eq!(deleted.status, 202);
    assert!(deleted.json()["restorable_until"].is_string());
    assert_eq!(get(&place.router, "/v1/me", &[("authorization", &bearer)]).await.status, 401);
    let login = serde_json::json!({ "login": "ada@example.org", "password": PASSWORD });
    let refused = place.post("/v1/auth/login", login.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.json()["type"].as_str()), (403, Some("/problems/account_deleted")));
    let restore = serde_json::json!({ "restore_token": refused.json()["restore_token"] });
    let restored = place.post("/v1/auth/restore", restore.clone()).await;
    assert_eq!(restored.status, 200);
    assert_eq!(restored.json()["user"]["id"], registered["user"]["id"]);
    assert_eq!(place.post("/v1/auth/restore", restore).await.status, 422);
    assert_eq!(place.post("/v1/auth/login", login).await.status, 200);
}

/// What the page showed has changed meanwhile: neither password nor address is, and a malformed tag is no tag.
#[tokio::test]
async fn a_password_and_an_address_are_changed_of_the_version_that_was_seen() {
    let place = Place::open(false).await;
    let wanted = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    let made = place.post("/v1/auth/register", wanted).await.json();
    let bearer = format!("Bearer {}", made["tokens"]["access_token"].as_str().unwrap());
    let put = async |path: &str, tag: &str, body: &serde_json::Value| {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("if-match", tag)];
        ask(&place.router, request("PUT", path, &headers, body.to_string())).await
    };
    let me = get(&place.router, "/v1/me", &[("authorization", &bearer)]).await;
    let (seen, stale) = (me.header("etag").to_owned(), format!("\"{}\"", me.json()["version"].as_i64().unwrap() + 1));
    let email = serde_json::json!({ "email": "ada@example.net", "current_password": PASSWORD });
    let password = serde_json::json!({ "current_password": PASSWORD, "new_password": "purple otters sing at noon" });
    for (path, body, done) in [("/v1/me/email", &email, 202), ("/v1/me/password", &password, 204)] {
        let refused = put(path, &stale, body).await;
        assert_eq!((refused.status.as_u16(), refused.slug().as_str()), (412, "version_mismatch"), "{path}");
        assert_eq!(put(path, "seen", body).await.status, 400, "{path}");
        assert_eq!(put(path, &seen, body).await.status, done, "{path}");
    }
}

/// Strangers use up the mails of an address; its owner is told from them by the token of their device.
#[tokio::test]
async fn whoever_shows_the_token_of_their_device_gets_a_mail_when_strangers_have_used_theirs_up() {
    let mut settings = Settings { email_code_sign_in: true, ..settings() };
    settings.limits.enabled = true;
    let services = test_services(TestOptions { settings, ..TestOptions::default() }).await;
    let place = Place { router: app_over(Arc::clone(&services)), services };
    let sent = async |subject: &str| {
        place.services.deliveries.tick().await.unwrap();
        let mails = place.services.deliveries.mails(&place.services.operator_context(), 100).await.unwrap();
        mails.iter().filter(|mail| mail.subject.contains(subject)).count()
    };
    let email = "ada@example.org";
    let ada = place.post("/v1/auth/register", serde_json::json!({ "email": email, "password": PASSWORD })).await.json();
    let device = &ada["tokens"]["device_token"];
    assert!(device.is_string());
    // Of the first kind the registration had one.
    for (path, field, subject, asked) in [
        ("/v1/auth/email/resend", "email", "is your code for", 5),
        ("/v1/auth/password/forgot", "login", "A new password", 6),
        ("/v1/auth/email-code/begin", "email", "is your code to sign in", 6),
    ] {
        for _ in 0..asked {
            assert_eq!(place.post(path, serde_json::json!({ field: email })).await.status, 202);
        }
        assert_eq!(sent(subject).await, 5, "{path}");
        let known = serde_json::json!({ field: email, "device_token": device });
        assert_eq!(place.post(path, known).await.status, 202);
        assert_eq!(sent(subject).await, 6, "{path}");
        if path.ends_with("resend") {
            // A link of the newest mail: the others are void.
            let mails = place.services.deliveries.mails(&place.services.operator_context(), 100).await.unwrap();
            let tokens = mails.iter().filter_map(|mail| mail.text.split("/l/").nth(1)?.split_whitespace().next());
            let mut proven = 0;
            for token in tokens {
                let proof = place.post("/v1/auth/email/verify", serde_json::json!({ "token": token })).await;
                proven += usize::from(proof.status == 200);
            }
            assert_eq!(proven, 1);
        }
    }
}
