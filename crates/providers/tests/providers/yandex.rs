//! Yandex ID: what is its own, and what we assume about it.

use crate::support::{self, Fault, Story, later, now, slug};
use serde_json::json;
use userd_jose::hs256;
use userd_model::Timestamp;
use userd_providers::{Kind, NativeProof, ProviderFault, Secret, SubjectKey, build};
use userd_stand_ins::generic;

/// Made with one library, accepted by three others; the secret is `0123456789abcdef0123456789abcdef`.
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjcyMjU2MDAsImp0aSI6IjZiYTE1ODg0LTljNGMtMTFlYi1hNDc4LTUyNTQwMDVkYmU3YiIsImV4cCI6MTc5ODc2MTYwMCwiaXNzIjoibG9naW4ueWFuZGV4LnJ1IiwidWlkIjozMDAwMjUwMDA5LCJsb2dpbiI6InVzZXIiLCJwc3VpZCI6IjEuQUFBQWZRLlk2TDdyS3p5X3c4YVdKSnU3NHRGOWcudkFGVE54cUkxNWJQQTRBXzM1RGZpdyIsIm5hbWUiOiJcdTA0MThcdTA0M2NcdTA0NGYgXHUwNDI0XHUwNDMwXHUwNDNjXHUwNDM4XHUwNDNiXHUwNDM4XHUwNDRmIiwiZW1haWwiOiJ1c2VyQHlhbmRleC5ydSIsImJpcnRoZGF5IjoiMDAwMC0xMi0yMyIsImdlbmRlciI6bnVsbCwiZGlzcGxheV9uYW1lIjoidXNlciIsImF2YXRhcl9pZCI6IjE4MjQvbW5MNm9MYkw1ZmhhQWlZNDJ1aXp2VUNMSkktMSJ9.tBFDOSD9NYXtI5-nlaAZ4EMXY9OFvUvLbAVAWQnzmro";
const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";

async fn with_jwt_secret() -> Story {
    Story::with(Kind::Yandex, |config| config.client_secret = Some(Secret::new(JWT_SECRET))).await
}

async fn jwt_at(story: &Story, token: &str, at: Timestamp) -> Result<userd_providers::Profile, ProviderFault> {
    story.provider.native(&NativeProof::IdToken { token, nonce: None }, at).await
}

#[tokio::test]
async fn the_profile_keeps_what_yandex_says_as_it_says_it() {
    let story = Story::new(Kind::Yandex).await;
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.issuer, "https://login.yandex.ru");
    assert_eq!(profile.birthday.as_deref(), Some("0000-12-23"));
    assert_eq!(profile.phone.as_deref(), Some("+79001234567"));
    assert_eq!(profile.picture.as_deref(), Some("https://avatars.yandex.net/get-yapic/131652443/abc-1/islands-200"));
    let psuid = SubjectKey { issuer: "https://login.yandex.ru#psuid".into(), subject: "1.AAf.Q".into() };
    assert_eq!(profile.secondary, Some(psuid));
    let info = &story.upstream.requests_to("/userinfo")[0];
    assert_eq!((info.header("authorization"), info.query.is_empty()), (Some("OAuth at-1"), true), "no token in a URL");
    assert!(info.header("user-agent").unwrap().starts_with("userd/"));
}

#[tokio::test]
async fn a_phone_only_account_without_an_avatar_signs_in() {
    let story = Story::new(Kind::Yandex).await;
    story.behave(|b| {
        b.email = None;
        b.info =
            json!({ "login": "", "default_phone": null, "is_avatar_empty": true, "birthday": null, "psuid": null });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.email, profile.phone, profile.picture, profile.username), (None, None, None, None));
    story.behave(|b| b.info = json!({ "default_avatar_id": "../../evil?x=", "emails": ["a@ya.ru"] }));
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.picture, profile.email.as_deref()), (None, Some("a@ya.ru")));
}

#[tokio::test]
async fn only_yandex_own_mailboxes_are_proven() {
    for (email, proven) in [
        ("a@yandex.ru", true),
        ("a@YA.RU", true),
        ("a@yandex.com.tr", true),
        ("a@gmail.com", false),
        ("a@notyandex.ru", false),
        ("a@yandex.ru.evil.example", false),
        ("a@evil.example@yandex.ru.", false),
    ] {
        let story = Story::new(Kind::Yandex).await;
        story.behave(|b| b.email = Some(email));
        assert_eq!(story.sign_in().await.unwrap().email_verified, proven, "{email}");
    }
}

#[tokio::test]
async fn tokens_are_bound_to_a_device_so_that_they_can_be_revoked() {
    let story = Story::new(Kind::Yandex).await;
    let redirect = story.begin().await.unwrap();
    let device = redirect.remember["device_id"].as_str().unwrap();
    assert!(redirect.url.query().unwrap().contains(&format!("device_id={device}")));
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    assert_eq!(story.upstream.requests_to("/token")[0].form()["device_id"], device);
    assert_eq!(tokens.device_id.as_deref(), Some(device));
    story.provider.revoke(&tokens, now()).await.unwrap();
    assert_eq!(story.upstream.requests_to("/revoke")[0].form()["access_token"], "at-1");
}

#[tokio::test]
async fn a_refresh_may_bring_the_same_access_token_back() {
    let story = Story::new(Kind::Yandex).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    story.behave(|b| b.token = json!({ "refresh_token": "rt-2" }));
    let newer = story.provider.refresh(&tokens, now()).await.unwrap();
    assert_eq!((newer.access_token.expose(), newer.refresh_token.unwrap().expose()), ("at-1", "rt-2"));
}

/// Any other Yandex app's token opens the same user-info page: it must not sign anybody in here.
#[tokio::test]
async fn an_apps_token_must_be_issued_to_us_or_our_app() {
    let story = Story::with(Kind::Yandex, |config| config.native_client_ids = vec!["our-app".into()]).await;
    for (client, fine) in [("our-client", true), ("our-app", true), ("other-app", false), ("", false)] {
        story.behave(|b| b.client = json!(client));
        let result = story.native(NativeProof::AccessToken("at-9")).await;
        if fine {
            let profile = result.unwrap();
            assert_eq!((profile.client_id.as_str(), profile.tokens.is_none()), (client, true));
        } else {
            assert_eq!(slug(result), "client_mismatch", "{client}");
        }
    }
    story.behave(|b| b.instead = vec![("/userinfo", Fault::Text(401, String::new()))]);
    assert_eq!(slug(story.native(NativeProof::AccessToken("at-9")).await), "token_refused");
}

#[tokio::test]
async fn errors_that_are_sentences_are_understood() {
    for text in ["Basic auth required", "Malformed Authorization header"] {
        let story = Story::new(Kind::Yandex).await;
        story.behave(|b| b.instead = vec![("/token", Fault::Status(400, json!({ "error": text })))]);
        assert!(matches!(story.sign_in().await, Err(ProviderFault::Misconfigured(_))), "{text}");
    }
}

/// Nobody documents how the secret becomes the key; other implementations use its UTF-8 bytes.
#[tokio::test]
async fn pinned_assumption_yandex_jwt_key_is_the_secret_as_utf8() {
    let story = with_jwt_secret().await;
    let profile = jwt_at(&story, JWT, now()).await.unwrap();
    assert_eq!(profile.subject, "3000250009");
    assert_eq!((profile.email.as_deref(), profile.email_verified), (Some("user@yandex.ru"), true));
    assert_eq!(profile.name.as_deref(), Some("Имя Фамилия"));
    let use_once = profile.replay_keys[0];
    assert_eq!((use_once.purpose, use_once.until), ("yandex_jwt", later(360)));
    assert_eq!(
        jwt_at(&story, JWT, later(1)).await.unwrap().replay_keys[0].hash,
        use_once.hash,
        "a replay is the same use"
    );
}

#[tokio::test]
async fn pinned_assumption_yandex_json_and_jwt_name_the_same_id() {
    let story = with_jwt_secret().await;
    story.behave(|b| b.subject = json!("3000250009"));
    let by_json = story.sign_in().await.unwrap();
    assert_eq!(by_json.subject, jwt_at(&story, JWT, now()).await.unwrap().subject);
}

/// The JWT lives for a year, names no client and no flow: only a fresh one counts.
#[tokio::test]
async fn a_jwt_that_lay_around_is_refused() {
    let story = with_jwt_secret().await;
    assert!(jwt_at(&story, JWT, later(300)).await.is_ok());
    assert_eq!(slug(jwt_at(&story, JWT, later(301)).await), "token_stale");
    let early = |seconds| Timestamp::from_seconds(now().seconds() - seconds);
    assert!(jwt_at(&story, JWT, early(60)).await.is_ok(), "their clock may be a minute ahead");
    assert_eq!(slug(jwt_at(&story, JWT, early(61)).await), "token_not_yet_valid");
}

#[tokio::test]
async fn a_jwt_with_anything_changed_is_refused() {
    let story = with_jwt_secret().await;
    let mut refused = 0;
    for (at, byte) in JWT.bytes().enumerate() {
        let mut changed = JWT.as_bytes().to_vec();
        changed[at] = if byte == b'A' { b'B' } else { b'A' };
        if byte == b'.' || at % 7 == 0 || at > JWT.len() - 44 {
            let text = String::from_utf8(changed).unwrap();
            assert!(jwt_at(&story, &text, now()).await.is_err(), "at {at}");
            refused += 1;
        }
    }
    assert!(refused > 100);
}

#[tokio::test]
async fn a_jwt_of_another_secret_issuer_or_shape_is_refused() {
    let story = with_jwt_secret().await;
    let good =
        json!({ "iss": "login.yandex.ru", "iat": now().seconds(), "exp": later(3600).seconds(), "uid": 7, "jti": "j" });
    let sign = |changes: serde_json::Value, secret: &str| {
        hs256::sign(&generic::merged(good.clone(), &changes), secret.as_bytes()).unwrap()
    };
    assert!(jwt_at(&story, &sign(json!({}), JWT_SECRET), now()).await.is_ok());
    for (changes, secret, expected) in [
        (json!({}), "a-secret-that-the-app-chose-itself", "signature_invalid"),
        (json!({ "iss": "login.yandex.com" }), JWT_SECRET, "issuer_mismatch"),
        (json!({ "iss": null }), JWT_SECRET, "issuer_mismatch"),
        (json!({ "exp": now().seconds() - 60 }), JWT_SECRET, "token_expired"),
        (json!({ "exp": null }), JWT_SECRET, "token_malformed"),
        (json!({ "iat": null }), JWT_SECRET, "token_malformed"),
        (json!({ "jti": null }), JWT_SECRET, "token_malformed"),
        (json!({ "jti": "" }), JWT_SECRET, "token_malformed"),
        (json!({ "uid": null }), JWT_SECRET, "subject_missing"),
        (json!({ "uid": 0 }), JWT_SECRET, "subject_missing"),
        (json!({ "uid": "7" }), JWT_SECRET, "token_malformed"),
    ] {
        assert_eq!(slug(jwt_at(&story, &sign(changes.clone(), secret), now()).await), expected, "{changes}");
    }
    let with_nonce = NativeProof::IdToken { token: JWT, nonce: Some("n") };
    assert_eq!(slug(story.native(with_nonce).await), "nonce_missing", "it cannot carry one");
}

#[tokio::test]
async fn a_public_client_needs_no_secret() {
    let story = Story::with(Kind::Yandex, |config| config.client_secret = None).await;
    story.sign_in().await.unwrap();
    assert!(story.upstream.requests_to("/token")[0].header("authorization").is_none());
    assert_eq!(slug(jwt_at(&story, JWT, now()).await), "not_supported", "no secret, no JWT");
    let code = NativeProof::Code { code: "good-code", verifier: "v", redirect_uri: None, nonce: None };
    assert_eq!(story.native(code).await.unwrap().subject, "4242");
}

/// Yandex may name a revoked or foreign token in words of its own: none of them keeps an account linked.
#[tokio::test]
async fn pinned_assumption_yandex_revoke_error_texts_do_not_matter() {
    let story = Story::new(Kind::Yandex).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    for text in ["unsupported_token_type", "invalid_grant", "some other words"] {
        story.behave(|b| b.instead = vec![("/revoke", Fault::Status(400, json!({ "error": text })))]);
        story.provider.revoke(&tokens, now()).await.unwrap();
    }
}

/// Yandex sends no `iss` in its answer: a callback of its own per provider instance is what keeps answers apart.
#[tokio::test]
async fn pinned_assumption_yandex_answers_are_told_apart_by_redirect_uri() {
    let story = Story::new(Kind::Yandex).await;
    story.sign_in().await.unwrap();
    assert_eq!(story.upstream.requests_to("/token")[0].form()["redirect_uri"], support::REDIRECT_URI);
}

#[test]
fn regional_hosts_keep_authorize_and_token_together() {
    let mut config = userd_providers::ProviderConfig::new("y", Kind::Yandex, "c");
    config.region = Some("kz".into());
    assert!(build(&config, &support::dependencies()).is_ok());
    config.region = Some("evil.example/".into());
    assert_eq!(build(&config, &support::dependencies()).err().unwrap().field, "region");
}
