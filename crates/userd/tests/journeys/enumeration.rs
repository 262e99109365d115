//! Nobody learns from a sign-in whether an account exists: not from the bytes, and not from the work done.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, Caller, Engine, PASSWORD, TestApp, unique, unique_email, until};

/// An answer without what differs between any two requests.
fn shape(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let id = answer.header("x-request-id").to_owned();
    let headers = answer.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (answer.status, headers, answer.text.replace(&id, "ID"))
}

async fn try_to_sign_in(visitor: &Caller, login: &str) -> Answer {
    visitor.post("/v1/auth/login", json!({ "login": login, "password": "not the right one 1" })).await
}

/// Waits until so many hashes were made. A hash is counted a moment after its answer.
async fn hashes(visitor: &Caller, count: usize) {
    let metric = async || visitor.metric("userd_argon2_seconds_count").await;
    until("hashes", Duration::from_secs(5), async || metric().await >= count as f64).await;
    assert!((metric().await - count as f64).abs() < 0.1, "{} hashes instead of {count}", metric().await);
}

on_each_engine! {
    /// AC-010: an unknown login answers like a wrong password, byte by byte, after the same one hash.
    /// ASVS V6.3.8
    async fn an_unknown_login_answers_like_a_wrong_password(app: TestApp) {
        let replica = app.open().await;
        let visitor = replica.visitor();
        let (email, username) = (unique_email(), unique("ann"));
        let body = json!({ "email": email, "username": username, "password": PASSWORD });
        visitor.post("/v1/auth/register", body).await.expect(201);

        hashes(&visitor, 1).await;
        let known = try_to_sign_in(&visitor, &email).await;
        known.refused(401, "wrong_credentials");
        hashes(&visitor, 2).await;
        let strangers = [unique_email(), unique("bob"), "+79990001122".to_owned(), "not a login \u{0}".to_owned()];
        for (before, login) in strangers.iter().chain([&username]).enumerate() {
            assert_eq!(shape(&try_to_sign_in(&visitor, login).await), shape(&known), "{login:?}");
            hashes(&visitor, before + 3).await;
        }
    }
}
