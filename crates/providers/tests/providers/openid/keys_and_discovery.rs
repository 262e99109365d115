//! Key sets and discovery documents that change, break or lie.

use super::*;

#[tokio::test]
async fn a_new_key_is_fetched_once_it_is_named() {
    let story = Story::new(Kind::Oidc).await;
    story.sign_in().await.unwrap();
    story.behave(|b| b.signs_with(SigningKey::generate(Algorithm::EdDSA).unwrap(), "k2", true));
    assert_eq!(slug(story.sign_in_at(&[], later(29)).await), "key_unknown");
    assert_eq!(story.upstream.requests_to("/jwks").len(), 1, "not more often than every thirty seconds");
    assert!(story.sign_in_at(&[], later(30)).await.is_ok());
    assert_eq!(story.upstream.requests_to("/jwks").len(), 2);
}

#[tokio::test]
async fn keys_stay_good_while_their_endpoint_is_down() {
    let story = Story::new(Kind::Oidc).await;
    story.sign_in().await.unwrap();
    for (seconds, down) in [(3601, true), (3700, false), (7400, true), (7500, true)] {
        let ill = Fault::Status(500, json!({}));
        story.behave(|b| {
            b.instead =
                if down { vec![("/jwks", ill.clone()), ("/.well-known/openid-configuration", ill)] } else { vec![] };
            b.expires = 100_000;
        });
        assert!(story.sign_in_at(&[], later(seconds)).await.is_ok(), "{seconds}");
    }
    let fresh = Story::new(Kind::Oidc).await;
    fresh.behave(|b| b.instead = vec![("/jwks", Fault::Status(500, json!({})))]);
    assert!(is_unavailable(&fresh.sign_in().await));
    fresh.behave(|b| b.instead.clear());
    assert!(fresh.sign_in().await.is_ok(), "a first failure is not held against it");
}

#[tokio::test]
async fn a_set_with_two_keys_of_one_name_chooses_neither() {
    let story = Story::new(Kind::Oidc).await;
    story.behave(|b| {
        let other = SigningKey::generate(Algorithm::ES256).unwrap().verifying_key(Some("k1".into())).unwrap().to_jwk();
        let first = b.jwks["keys"][0].clone();
        b.jwks = json!({ "keys": [other, first] });
    });
    assert_eq!(slug(story.sign_in().await), "key_unknown");
}

/// The set as Telegram publishes it has a curve that we do not know; the other keys must not suffer.
#[tokio::test]
async fn keys_that_we_cannot_use_are_skipped() {
    let telegram: Value = serde_json::from_str(include_str!("../../data/telegram_jwks.json")).unwrap();
    for kind in SIGNED {
        let story = Story::new(kind).await;
        story.behave(|b| {
            let mut keys = telegram["keys"].as_array().unwrap().clone();
            keys.extend([
                json!({ "kty": "future" }),
                json!(7),
                json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
            ]);
            keys.push(b.jwks["keys"][0].clone());
            b.jwks = json!({ "keys": keys });
        });
        assert!(story.sign_in().await.is_ok(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_discovery_document_about_another_issuer_is_refused() {
    let story = Story::new(Kind::Oidc).await;
    let base = story.upstream.base_url.clone();
    for named in [json!(format!("{base}/")), json!("https://evil.example"), json!(null), json!(7)] {
        story.behave(|b| b.discovery = json!({ "issuer": named }));
        let result = story.begin().await;
        assert!(matches!(result, Err(ProviderFault::Misconfigured(_))), "{named}: {result:?}");
    }
}

#[tokio::test]
async fn a_discovery_document_that_lacks_an_endpoint_is_no_use() {
    for missing in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let story = Story::new(Kind::Oidc).await;
        story.behave(|b| b.discovery = json!({ missing: null }));
        assert!(is_unavailable(&story.begin().await), "{missing}");
        story.behave(|b| b.discovery = json!({ missing: "javascript:alert(1)" }));
        assert!(is_unavailable(&story.begin().await), "{missing}");
    }
}

/// AC-120: what a discovery document names must be public, even when the issuer itself was configured as private.
#[tokio::test]
async fn a_discovered_address_inside_is_not_called() {
    let inside = support::upstream(Kind::Oauth2).await;
    inside.fail("*", Fault::Status(200, json!({})));
    let port = inside.base_url.rsplit(':').next().unwrap().to_owned();
    for url in [
        inside.base_url.clone(),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://[::1]:{port}"),
        "https://169.254.169.254".into(),
        "https://2130706433".into(),
        "https://10.0.0.1".into(),
    ] {
        for name in ["token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            let story = Story::with(Kind::Oidc, |config| config.userinfo = Some(true)).await;
            story.behave(|b| b.discovery = json!({ name: format!("{url}/x") }));
            let result = story.sign_in().await;
            let Err(ProviderFault::Unavailable(why)) = result else { panic!("{name} {url}: {result:?}") };
            assert!(why.contains("allow_private_addresses"), "{name} {url}: {why}");
        }
    }
    assert!(inside.requests().is_empty());
    let story = Story::with(Kind::Oidc, |config| config.allow_private_addresses = true).await;
    story.behave(|b| b.discovery = json!({ "token_endpoint": format!("{}/x", inside.base_url) }));
    assert_eq!(slug(story.sign_in().await), "token_missing", "the operator may allow it");
}

/// AC-055: a provider that promises `iss` in its answers must keep the promise.
#[tokio::test]
async fn a_promised_issuer_parameter_may_not_be_missing() {
    let story = Story::new(Kind::Oidc).await;
    story.behave(|b| b.discovery = json!({ "authorization_response_iss_parameter_supported": true }));
    assert_eq!(slug(story.sign_in().await), "issuer_mismatch");
    assert_eq!(
        slug(story.sign_in_at(&[("iss", "https://evil.example"), ("code", ""), ("error", "x")], now()).await),
        "issuer_mismatch"
    );
    let issuer = story.provider.issuer();
    assert!(story.sign_in_at(&[("iss", &issuer)], now()).await.is_ok());
}
