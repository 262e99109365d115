//! VK ID, Apple, GitHub and the friendly OpenID provider as their clients know them, quirk by quirk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use support::{VERIFIER, get, hidden_fields, open, post, wall_clock};
use userd_jose::{Algorithm, SigningKey, sign_compact};
use userd_stand_ins::{Fault, Options, TestUser, apple, github, oidc, vk};

const BACK: &str = "https://app.example/callback";

/// The parameters that come back from an authorize page.
async fn callback(url: &str) -> std::collections::BTreeMap<String, String> {
    let back = open(&format!("{url}&redirect_uri={BACK}&state=s&person=ivan&auto=1")).await.location.unwrap();
    url::Url::parse(&back).unwrap().query_pairs().into_owned().collect()
}

fn challenge(method: &str) -> String {
    format!("&code_challenge={}&code_challenge_method={method}", userd_providers::pkce_challenge(VERIFIER))
}

#[tokio::test]
async fn vk_wants_pkce_in_either_spelling_and_answers_errors_with_200() {
    let vk = vk::start(Options::default()).await.unwrap();
    let page = format!("{}/authorize?response_type=code&client_id={}", vk.base_url, vk::CLIENT_ID);
    assert_eq!(callback(&page).await["error"], "invalid_request");
    let token = format!("{}/oauth2/auth", vk.base_url);
    for method in ["s256", "S256"] {
        let back = callback(&format!("{page}{}", challenge(method))).await;
        assert_eq!((back["type"].as_str(), back["state"].as_str()), ("code_v2", "s"));
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", vk::CLIENT_ID),
            ("code", &back["code"]),
            ("code_verifier", VERIFIER),
            ("redirect_uri", BACK),
            ("device_id", &back["device_id"]),
            ("state", "s"),
        ];
        let (status, answer) = post(&token, &fields, &[]).await;
        assert_eq!((status, answer["state"].as_str()), (200, Some("s")));
        assert!(answer["user_id"].is_number());
        let access = answer["access_token"].as_str().unwrap();
        let info = format!("{}/oauth2/user_info", vk.base_url);
        let (_, info) = post(&info, &[("client_id", vk::CLIENT_ID), ("access_token", access)], &[]).await;
        assert_eq!(info["user"]["user_id"], "424242424242", "text here");
        let (status, answer) = post(&token, &fields, &[]).await;
        assert_eq!((status, answer["error"].as_str()), (200, Some("invalid_grant")), "used");
        let masked = format!("{}/oauth2/public_info", vk.base_url);
        let (status, answer) = post(&masked, &[("id_token", "x.y.z")], &[]).await;
        assert_eq!((status, answer["error"].as_str()), (200, Some("invalid_id_token")));
    }
}

#[tokio::test]
async fn vk_binds_the_code_to_the_device_and_the_state() {
    let vk = vk::start(Options::default()).await.unwrap();
    let page = format!("{}/authorize?response_type=code&client_id={}{}", vk.base_url, vk::CLIENT_ID, challenge("s256"));
    for (device, state) in [(None, "s"), (Some("another"), "s"), (None, "another")] {
        let back = callback(&page).await;
        let device = device.unwrap_or(if state == "s" { "" } else { &back["device_id"] });
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", vk::CLIENT_ID),
            ("code", &back["code"]),
            ("code_verifier", VERIFIER),
            ("redirect_uri", BACK),
            ("device_id", device),
            ("state", state),
        ];
        let (_, answer) = post(&format!("{}/oauth2/auth", vk.base_url), &fields, &[]).await;
        assert_eq!(answer["error"], "invalid_grant", "{device} {state}");
    }
}

async fn apple_token(apple: &apple::Apple, secret: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", apple::CLIENT_ID),
        ("client_secret", secret),
        ("code", "x"),
    ];
    post(&format!("{}/auth/token", apple.base_url), &fields, &[]).await
}

#[tokio::test]
async fn apple_wants_a_client_secret_signed_by_the_team() {
    let apple = apple::start(Options::default()).await.unwrap();
    let now = wall_clock().seconds();
    let key = SigningKey::from_pem(Algorithm::ES256, apple.private_key_pem()).unwrap();
    let claims = json!({
        "iss": apple::TEAM_ID, "sub": apple::CLIENT_ID, "aud": apple.base_url, "iat": now, "exp": now + 300,
    });
    let good = sign_compact(&key, &json!({ "kid": apple::KEY_ID }), &claims).unwrap();
    assert_eq!(apple_token(&apple, &good).await.1["error"], "invalid_grant", "the client is known, the code is not");
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign_compact(&key, &json!({ "kid": apple::KEY_ID }), &claims).unwrap()
    };
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    for secret in [
        changed("iss", "ANOTHERTEAM".into()),
        changed("sub", "com.example.another".into()),
        changed("aud", "https://elsewhere.example".into()),
        changed("exp", (now - 1).into()),
        changed("exp", (now + 200 * 86_400).into()),
        sign_compact(&key, &json!({ "kid": "ANOTHERKEY" }), &claims).unwrap(),
        sign_compact(&stranger, &json!({ "kid": apple::KEY_ID }), &claims).unwrap(),
        "plain".to_owned(),
    ] {
        assert_eq!(apple_token(&apple, &secret).await.1["error"], "invalid_client", "{secret}");
    }
}

#[tokio::test]
async fn apple_posts_its_answer_and_tells_the_name_at_the_first_consent() {
    let apple = apple::start(Options::default()).await.unwrap();
    let page = format!(
        "{}/auth/authorize?client_id={}&response_type=code&redirect_uri={BACK}&state=s&scope=name%20email&person=ivan&auto=1",
        apple.base_url,
        apple::CLIENT_ID
    );
    assert_eq!(open(&page).await.status, 400, "a scope needs form_post");
    let first = open(&format!("{page}&response_mode=form_post")).await;
    assert!(first.body.contains(&format!("method=\"post\" action=\"{BACK}\"")));
    let user = |body: &str| hidden_fields(body).into_iter().find(|(name, _)| name == "user").map(|(_, value)| value);
    let told: Value = serde_json::from_str(&user(&first.body).unwrap()).unwrap();
    assert_eq!(told["name"]["firstName"], "Иван");
    let second = open(&format!("{page}&response_mode=form_post")).await;
    assert_eq!(user(&second.body), None);
}

#[tokio::test]
async fn apples_booleans_are_text_until_told_otherwise() {
    let apple = apple::start(Options::default()).await.unwrap();
    let (_, jwks) = get(&format!("{}/auth/keys", apple.base_url), &[]).await;
    let keys = userd_jose::JwkSet::parse(jwks.to_string().as_bytes()).unwrap();
    let verified = || {
        let token = apple.id_token("ivan", None).unwrap();
        let compact = userd_jose::Compact::parse(&token, 8192).unwrap();
        compact.verify_claims(&keys.keys[0]).unwrap().get("email_verified").cloned().unwrap()
    };
    assert_eq!(verified(), json!("true"));
    apple.turn(|knobs| knobs.real_booleans = true);
    assert_eq!(verified(), json!(true));
}

#[tokio::test]
async fn github_answers_errors_with_200_and_forms_unless_json_is_asked_for() {
    let github = github::start(Options::default()).await.unwrap();
    let token = format!("{}/login/oauth/access_token", github.base_url);
    let json_please = [("accept", "application/json")];
    let client = [("client_id", github::CLIENT_ID), ("client_secret", github::CLIENT_SECRET)];
    for (fields, error) in [
        (vec![("client_id", github::CLIENT_ID), ("client_secret", "no")], "incorrect_client_credentials"),
        (client.to_vec(), "bad_verification_code"),
    ] {
        let (status, answer) = post(&token, &fields, &json_please).await;
        assert_eq!((status, answer["error"].as_str()), (200, Some(error)));
    }
    let page = format!("{}/login/oauth/authorize?client_id={}&scope=user:email", github.base_url, github::CLIENT_ID);
    let code = callback(&page).await["code"].clone();
    let mut fields = client.to_vec();
    fields.push(("code", &code));
    fields.push(("redirect_uri", "https://app.example/another"));
    assert_eq!(post(&token, &fields, &json_please).await.1["error"], "redirect_uri_mismatch");
    let code = callback(&page).await["code"].clone();
    let answer = support::browser().post(&token).form(&[client[0], client[1], ("code", &code)]).send().await.unwrap();
    assert!(answer.text().await.unwrap().starts_with("access_token=at-"), "form-encoded by default");
}

#[tokio::test]
async fn github_wants_a_user_agent_and_the_scope_for_addresses() {
    let github = github::start(Options::default()).await.unwrap();
    let client = [("client_id", github::CLIENT_ID), ("client_secret", github::CLIENT_SECRET)];
    let access = async |scope: &str| {
        let page = format!("{}/login/oauth/authorize?client_id={}&scope={scope}", github.base_url, github::CLIENT_ID);
        let code = callback(&page).await["code"].clone();
        let at = format!("{}/login/oauth/access_token", github.base_url);
        let (_, answer) = post(&at, &[client[0], client[1], ("code", &code)], &[("accept", "application/json")]).await;
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let narrow = access("read:user").await;
    let bearer = format!("Bearer {narrow}");
    let user = format!("{}/user", github.base_url);
    assert_eq!(get(&user, &[("authorization", &bearer)]).await.0, 403, "no User-Agent");
    let (_, info) = get(&user, &[("authorization", &bearer), ("user-agent", "userd")]).await;
    assert!(info["id"].is_number());
    let emails = format!("{}/user/emails", github.base_url);
    assert_eq!(get(&emails, &[("authorization", &bearer), ("user-agent", "userd")]).await.0, 404);
    let bearer = format!("Bearer {}", access("user:email").await);
    let (_, list) = get(&emails, &[("authorization", &bearer), ("user-agent", "userd")]).await;
    let primary = list.as_array().unwrap().iter().find(|entry| entry["primary"] == true).unwrap();
    assert_eq!((primary["email"].as_str(), primary["verified"].as_bool()), (Some("ivan.petrov@yandex.ru"), Some(true)));
    let check = format!("{}/applications/{}/token", github.base_url, github::CLIENT_ID);
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", github::CLIENT_ID, github::CLIENT_SECRET)));
    let ask = support::browser().post(&check).body(json!({ "access_token": narrow }).to_string());
    let checked = ask.header("authorization", basic).send().await.unwrap();
    let checked: Value = serde_json::from_slice(&checked.bytes().await.unwrap()).unwrap();
    assert_eq!(checked["app"]["client_id"], github::CLIENT_ID);
}

#[tokio::test]
async fn the_friendly_provider_names_itself_in_every_answer() {
    let oidc = oidc::start(Options::default()).await.unwrap();
    let (_, document) = get(&format!("{}/.well-known/openid-configuration", oidc.base_url), &[]).await;
    assert_eq!(document["issuer"], oidc.base_url);
    let page = format!("{}/authorize?client_id={}&response_type=code", oidc.base_url, oidc::CLIENT_ID);
    let refused = callback(&page).await;
    assert_eq!((refused["error"].as_str(), refused["iss"].as_str()), ("invalid_scope", oidc.base_url.as_str()));
    let refused = callback(&format!("{page}&scope=openid")).await;
    assert_eq!(refused["error"], "invalid_request", "PKCE is required");
    let back = callback(&format!("{page}&scope=openid{}", challenge("S256"))).await;
    assert_eq!(back["iss"], oidc.base_url);
}

#[tokio::test]
async fn a_stand_in_remembers_fails_recovers_and_ends() {
    let oidc = oidc::start(Options::default()).await.unwrap();
    let url = format!("{}/jwks", oidc.base_url);
    oidc.fail("*", Fault::Status(503, json!({ "error": "temporarily_unavailable" })));
    assert_eq!(get(&url, &[]).await.0, 503);
    oidc.recover();
    assert_eq!(get(&url, &[]).await.0, 200);
    assert_eq!((oidc.requests_to("/jwks").len(), oidc.requests().len()), (2, 2));
    oidc.welcome(TestUser::new("ann", 5).with_email("ann@example.org", true));
    oidc.decide_at_once(Some("ann"));
    let page = format!("{}/authorize?client_id={}&response_type=code&scope=openid", oidc.base_url, oidc::CLIENT_ID);
    let page = format!("{page}&redirect_uri={BACK}&state=s{}", challenge("S256"));
    assert!(open(&page).await.location.unwrap().contains("code="));
    drop(oidc);
    let gone = async {
        // The port closes with the task, which ends at its next turn.
        while support::browser().get(&url).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    support::soon(gone).await;
}
