//! Yandex as its documentation and its clients know it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use support::{ManualClock, VERIFIER, get, open, post};
use userd_stand_ins::{
    Options,
    yandex::{self, CLIENT_ID, CLIENT_SECRET, Yandex},
};

const BACK: &str = "https://app.example/callback";

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")))
}

/// A code for Ivan; `more` is added to the authorize URL.
async fn code(yandex: &Yandex, more: &str) -> String {
    let url = format!(
        "{}/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri={BACK}&state=s{more}&person=ivan&auto=1",
        yandex.base_url
    );
    let back = url::Url::parse(&open(&url).await.location.unwrap()).unwrap();
    assert!(back.query_pairs().any(|(name, value)| name == "state" && value == "s"));
    back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

async fn token(yandex: &Yandex, fields: &[(&str, &str)]) -> (u16, Value) {
    post(&format!("{}/token", yandex.base_url), fields, &[("authorization", &basic())]).await
}

async fn redeemed(yandex: &Yandex, more: &str) -> Value {
    let code = code(yandex, more).await;
    let (status, answer) = token(yandex, &[("grant_type", "authorization_code"), ("code", &code)]).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn tokens_live_for_a_year_and_are_refreshed_to_the_same_one() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let first = redeemed(&yandex, "").await;
    assert_eq!((first["token_type"].as_str(), first["expires_in"].as_u64()), (Some("bearer"), Some(31_536_000)));
    assert_eq!(first.get("scope"), None, "told only where it differs");
    let old = first["refresh_token"].as_str().unwrap();
    let (_, second) = token(&yandex, &[("grant_type", "refresh_token"), ("refresh_token", old)]).await;
    assert_eq!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    yandex.turn(|knobs| knobs.granted_scope = Some("login:info".into()));
    assert_eq!(redeemed(&yandex, "&scope=login:info%20login:email").await["scope"], "login:info");
}

#[tokio::test]
async fn errors_are_those_of_the_list_two_of_them_with_spaces() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let at = format!("{}/token", yandex.base_url);
    let fine = [("grant_type", "authorization_code"), ("code", "0123456789012345678901")];
    for (fields, header, status, error) in [
        (&fine[..], None, 400, "Basic auth required"),
        (&fine, Some("Basic ***"), 400, "Malformed Authorization header"),
        (&fine, Some("Basic YTpi"), 401, "invalid_client"),
        (&fine, Some(basic().as_str()), 400, "invalid_grant"),
        (&[("grant_type", "authorization_code"), ("code", "1")], Some(&basic()), 400, "bad_verification_code"),
        (&[("grant_type", "authorization_code")], Some(&basic()), 400, "invalid_request"),
        (&[("grant_type", "password")], Some(&basic()), 400, "unsupported_grant_type"),
        (&[fine[0], fine[0], fine[1]], Some(&basic()), 400, "invalid_request"),
    ] {
        let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
        let (got, answer) = post(&at, fields, &headers).await;
        assert_eq!((got, answer["error"].as_str()), (status, Some(error)), "{fields:?} {header:?}");
    }
    yandex.turn(|knobs| knobs.token_error = Some((400, "unauthorized_client".into())));
    assert_eq!(token(&yandex, &fine).await.1["error"], "unauthorized_client");
}

#[tokio::test]
async fn pkce_stands_in_for_the_secret_and_is_checked() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let challenge = userd_providers::pkce_challenge(VERIFIER);
    let more = format!("&code_challenge={challenge}&code_challenge_method=S256");
    let at = format!("{}/token", yandex.base_url);
    let public = |code: String, verifier: &'static str| {
        let at = at.clone();
        async move {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("client_id", CLIENT_ID),
                ("code_verifier", verifier),
            ];
            post(&at, &fields, &[]).await.0
        }
    };
    assert_eq!(public(code(&yandex, &more).await, VERIFIER).await, 200);
    let wrong = "another-verifier-another-verifier-another-ver";
    assert_eq!(public(code(&yandex, &more).await, wrong).await, 400);
    assert_eq!(public(code(&yandex, "").await, VERIFIER).await, 400, "a verifier without a challenge");
}

#[tokio::test]
async fn only_tokens_with_a_device_are_revoked_and_the_thirty_first_ends_the_first() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let revoke = async |token: &Value| {
        let at = format!("{}/revoke_token", yandex.base_url);
        post(&at, &[("access_token", token["access_token"].as_str().unwrap())], &[("authorization", &basic())]).await
    };
    let (status, answer) = revoke(&redeemed(&yandex, "").await).await;
    assert_eq!((status, answer["error"].as_str()), (400, Some("unsupported_token_type")));
    let first = redeemed(&yandex, "&device_id=device-0").await;
    for device in 1..=30 {
        redeemed(&yandex, &format!("&device_id=device-{device}")).await;
    }
    assert_eq!(revoke(&first).await.1["error"], "invalid_grant", "ended silently");
    let last = redeemed(&yandex, "&device_id=device-31").await;
    assert_eq!(revoke(&last).await.1["status"], "ok");
    assert_eq!(revoke(&last).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn user_info_wants_the_oauth_header_and_tells_by_scope() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let at = format!("{}/info", yandex.base_url);
    assert_eq!(get(&at, &[]).await.0, 401);
    let narrow = redeemed(&yandex, "&scope=login:info").await;
    let header = format!("OAuth {}", narrow["access_token"].as_str().unwrap());
    let (_, info) = get(&at, &[("authorization", &header)]).await;
    assert_eq!((info["id"].as_str(), info["client_id"].as_str()), (Some("424242424242"), Some(CLIENT_ID)));
    assert_eq!((info.get("default_email"), info.get("default_phone")), (None, None));
    assert!(info["psuid"].is_string());
    let wide = redeemed(&yandex, "").await;
    let header = format!("Bearer {}", wide["access_token"].as_str().unwrap());
    let (_, info) = get(&at, &[("authorization", &header)]).await;
    assert_eq!(info["emails"][0], info["default_email"]);
    assert_eq!(info["default_phone"]["number"], "+79001234567");
    assert!(info["default_avatar_id"].as_str().unwrap().contains('/'));
}

#[tokio::test]
async fn the_jwt_is_signed_with_the_secret_or_with_the_callers() {
    let yandex = yandex::start(Options::default()).await.unwrap();
    let access = redeemed(&yandex, "").await["access_token"].as_str().unwrap().to_owned();
    let jwt =
        async |more: &str| open(&format!("{}/info?format=jwt&oauth_token={access}{more}", yandex.base_url)).await.body;
    let own = jwt("").await;
    let claims = userd_jose::hs256::verify(&own, CLIENT_SECRET.as_bytes(), 4096).unwrap();
    assert_eq!(claims.integer("uid").unwrap(), Some(424_242_424_242), "a number here, text in the JSON");
    assert_eq!(claims.text("iss").unwrap(), Some("login.yandex.ru"));
    assert_eq!((claims.get("aud"), claims.get("client_id")), (None, None));
    let foreign = jwt("&jwt_secret=the-apps-own").await;
    assert!(userd_jose::hs256::verify(&foreign, CLIENT_SECRET.as_bytes(), 4096).is_err());
}

/// PINNED: an unregistered redirect URI is a page and no redirect.
#[tokio::test]
async fn what_is_not_registered_is_a_page_and_no_redirect() {
    let options = Options { redirect_uris: vec![BACK.into()], ..Options::default() };
    let yandex = yandex::start(options).await.unwrap();
    for query in [
        format!("response_type=code&client_id={CLIENT_ID}&redirect_uri=https://evil.example/"),
        format!("response_type=code&client_id=another&redirect_uri={BACK}"),
        format!("response_type=token&client_id={CLIENT_ID}&redirect_uri={BACK}"),
        format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={BACK}&device_id=short"),
        format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={BACK}&login_hint=nobody"),
        format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={BACK}&scope="),
    ] {
        let page = open(&format!("{}/authorize?{query}&person=ivan&auto=1", yandex.base_url)).await;
        assert_eq!((page.status, page.location), (400, None), "{query}");
    }
    let first = format!("{}/authorize?response_type=code&client_id={CLIENT_ID}&person=ivan&auto=1", yandex.base_url);
    assert!(open(&first).await.location.unwrap().starts_with(BACK), "without one, the first registered");
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_everything_with_the_password() {
    let clock = ManualClock::new();
    let yandex = yandex::start(Options::with_clock(Arc::clone(&clock) as _)).await.unwrap();
    let old = code(&yandex, "").await;
    clock.move_by(600);
    let (_, answer) = token(&yandex, &[("grant_type", "authorization_code"), ("code", &old)]).await;
    assert_eq!(answer["error"], "invalid_grant");
    let access = redeemed(&yandex, "").await["access_token"].as_str().unwrap().to_owned();
    open(&format!("{}/forget?person=ivan", yandex.base_url)).await;
    let header = format!("OAuth {access}");
    assert_eq!(get(&format!("{}/info", yandex.base_url), &[("authorization", &header)]).await.0, 401);
}
