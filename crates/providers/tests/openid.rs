//! Hostile OpenID providers: keys, algorithms, discovery, user-info. The cases that every kind shares are in
//! `contract.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::{Reply, Story, is_unavailable, later, now, slug};
use userd_jose::{Algorithm, SigningKey, hs256};
use userd_providers::{Kind, NativeProof, ProviderFault, Secret, TokenAuth, build};

const SIGNED: [Kind; 4] = [Kind::Oidc, Kind::Google, Kind::Apple, Kind::Telegram];

fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

/// ASVS V9.1.2
#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "ES256K", "RS512", "es256"] {
            story.behave(|b| b.id_token = Some(unsigned(&json!({ "alg": alg, "kid": "k1" }), &b.claims(), "")));
            assert_eq!(slug(story.sign_in().await), "algorithm_not_allowed", "{kind:?} {alg}");
        }
        story.behave(|b| b.id_token = Some(unsigned(&json!({ "alg": "ES256", "kid": "k1" }), &b.claims(), "")));
        assert_eq!(slug(story.sign_in().await), "signature_invalid", "{kind:?}");
    }
}

/// AC-074: HS256 signed with the provider's public key, in every spelling of that key.
#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        let jwk = story.behaviour.lock().unwrap().jwks["keys"][0].clone();
        for secret in [jwk.to_string(), jwk["x"].as_str().unwrap().to_owned(), support::SECRET.to_owned()] {
            story.behave(|b| b.id_token = Some(hs256::sign(&b.claims(), secret.as_bytes()).unwrap()));
            assert_eq!(slug(story.sign_in().await), "algorithm_not_allowed", "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_token_signed_by_somebody_else_is_refused() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        story.behave(|b| b.signs_with(SigningKey::generate(Algorithm::ES256).unwrap(), "k1", false));
        assert_eq!(slug(story.sign_in().await), "signature_invalid", "{kind:?}");
    }
}

/// The key comes from the issuer's set, never from the token.
#[tokio::test]
async fn a_key_inside_the_token_is_not_looked_at() {
    let story = Story::new(Kind::Oidc).await;
    story.behave(|b| {
        let mine = SigningKey::generate(Algorithm::ES256).unwrap();
        let jwk = mine.verifying_key(Some("mine".into())).unwrap().to_jwk();
        b.key = mine;
        b.header =
            json!({ "kid": "mine", "jwk": jwk, "jku": format!("{}/mine", b.base), "x5u": format!("{}/mine", b.base) });
    });
    assert_eq!(slug(story.sign_in().await), "key_unknown");
    assert!(story.upstream.asks("/mine").is_empty());
}

/// AC-058: our own access token, or any token that says it is something else, is no ID token.
#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let story = Story::new(Kind::Oidc).await;
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt"] {
        story.behave(|b| b.header = json!({ "kid": "k1", "typ": typ }));
        assert_eq!(slug(story.sign_in().await), "token_malformed", "{typ}");
    }
}

#[tokio::test]
async fn a_token_that_is_no_token_is_refused() {
    let story = Story::new(Kind::Oidc).await;
    let huge = "a".repeat(20_000);
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.e30", &huge] {
        story.behave(|b| b.id_token = Some(text.to_owned()));
        let result = story.sign_in().await;
        assert!(matches!(slug(result), "token_malformed" | "token_missing"), "{text}");
    }
}

#[tokio::test]
async fn only_configured_algorithms_are_accepted() {
    let story = Story::with(Kind::Oidc, |config| config.algorithms = Some(vec!["EdDSA".into()])).await;
    assert_eq!(slug(story.sign_in().await), "algorithm_not_allowed");
    for algorithm in Algorithm::ALL {
        let story = Story::new(Kind::Oidc).await;
        let key = if algorithm == Algorithm::RS256 { continue } else { SigningKey::generate(algorithm).unwrap() };
        story.behave(|b| b.signs_with(key, "k2", true));
        assert!(story.sign_in().await.is_ok(), "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_once_it_is_named() {
    let story = Story::new(Kind::Oidc).await;
    story.sign_in().await.unwrap();
    story.behave(|b| b.signs_with(SigningKey::generate(Algorithm::EdDSA).unwrap(), "k2", true));
    assert_eq!(slug(story.sign_in_at(&[], later(29)).await), "key_unknown");
    assert_eq!(story.upstream.asks("/jwks").len(), 1, "not more often than every thirty seconds");
    assert!(story.sign_in_at(&[], later(30)).await.is_ok());
    assert_eq!(story.upstream.asks("/jwks").len(), 2);
}

#[tokio::test]
async fn keys_stay_good_while_their_endpoint_is_down() {
    let story = Story::new(Kind::Oidc).await;
    story.sign_in().await.unwrap();
    for (seconds, down) in [(3601, true), (3700, false), (7400, true), (7500, true)] {
        let ill = Reply::Json(500, json!({}));
        story.behave(|b| {
            b.instead =
                if down { vec![("/jwks", ill.clone()), ("/.well-known/openid-configuration", ill)] } else { vec![] };
            b.expires = 100_000;
        });
        assert!(story.sign_in_at(&[], later(seconds)).await.is_ok(), "{seconds}");
    }
    let fresh = Story::new(Kind::Oidc).await;
    fresh.behave(|b| b.instead = vec![("/jwks", Reply::Json(500, json!({})))]);
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
    let telegram: Value = serde_json::from_str(include_str!("data/telegram_jwks.json")).unwrap();
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
    let base = story.upstream.base.clone();
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
    let inside = support::Upstream::start(|_| Reply::Json(200, json!({}))).await;
    let port = inside.base.rsplit(':').next().unwrap().to_owned();
    for url in [
        inside.base.clone(),
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
    assert!(inside.asked.lock().unwrap().is_empty());
    let story = Story::with(Kind::Oidc, |config| config.allow_private_addresses = true).await;
    story.behave(|b| b.discovery = json!({ "token_endpoint": format!("{}/x", inside.base) }));
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

#[tokio::test]
async fn user_info_about_somebody_else_is_refused() {
    let story = Story::with(Kind::Oidc, |config| config.userinfo = Some(true)).await;
    assert!(story.sign_in().await.is_ok());
    for sub in [json!("4243"), json!(null), json!(4242), json!("")] {
        story.behave(|b| b.info = json!({ "sub": sub }));
        assert_eq!(slug(story.sign_in().await), "subject_mismatch", "{sub}");
    }
}

#[tokio::test]
async fn user_info_fills_gaps_and_overrides_nothing() {
    let story = Story::with(Kind::Oidc, |config| config.trust_email = Some(true)).await;
    story.behave(|b| {
        b.claims = json!({ "email": null, "email_verified": true, "name": "Signed" });
        b.info = json!({ "email": "info@elsewhere.example", "email_verified": false, "name": "Unsigned" });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.email.as_deref(), Some("info@elsewhere.example"));
    assert!(!profile.email_verified, "the flag belongs to the address it came with");
    assert_eq!(profile.name.as_deref(), Some("Signed"));
}

#[tokio::test]
async fn an_access_token_that_was_swapped_is_refused() {
    let story = Story::new(Kind::Oidc).await;
    let half = |text: &str, hash: &'static aws_lc_rs::digest::Algorithm| {
        let digest = aws_lc_rs::digest::digest(hash, text.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..digest.as_ref().len() / 2])
    };
    story.behave(|b| b.claims = json!({ "at_hash": half("at-1", &aws_lc_rs::digest::SHA256) }));
    assert!(story.sign_in().await.is_ok());
    story.behave(|b| b.claims = json!({ "at_hash": half("another", &aws_lc_rs::digest::SHA256) }));
    assert_eq!(slug(story.sign_in().await), "token_hash_mismatch");
    story.behave(|b| {
        b.signs_with(SigningKey::generate(Algorithm::EdDSA).unwrap(), "ed", true);
        b.claims = json!({ "at_hash": half("at-1", &aws_lc_rs::digest::SHA512) });
    });
    assert!(story.sign_in_at(&[], later(60)).await.is_ok(), "Ed25519 hashes with SHA-512");
}

#[tokio::test]
async fn a_nonce_may_be_optional_only_by_an_explicit_switch() {
    let story = Story::with(Kind::Oidc, |config| config.require_nonce = Some(false)).await;
    story.behave(|b| b.nonce = None);
    assert!(story.sign_in().await.is_ok());
    story.behave(|b| b.nonce = Some("somebody-else's"));
    assert_eq!(slug(story.sign_in().await), "nonce_mismatch");
}

#[tokio::test]
async fn a_tenant_answers_only_for_itself() {
    let template = "https://login.example/{tenantid}/v2.0";
    let story = Story::with(Kind::Oidc, |config| {
        config.issuer_template = Some(template.into());
        config.tenants = vec!["tenant-a".into(), "tenant-b".into()];
        config.trust_email = Some(true);
    })
    .await;
    let tenant = |iss: &str, tid: &str| {
        let (iss, tid) = (iss.to_owned(), tid.to_owned());
        story.behave(|b| {
            b.discovery = json!({ "issuer": template });
            b.issuer = format!("https://login.example/{iss}/v2.0");
            b.claims = json!({ "tid": tid });
        });
    };
    tenant("tenant-a", "tenant-a");
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.issuer, "https://login.example/tenant-a/v2.0");
    assert!(!profile.email_verified, "a tenant's administrator writes any address there");
    for (iss, tid) in
        [("tenant-a", "tenant-b"), ("tenant-c", "tenant-c"), ("tenant-a/x", "tenant-a/x"), ("", ""), ("tenant-a", "")]
    {
        tenant(iss, tid);
        assert_eq!(slug(story.sign_in().await), "issuer_mismatch", "{iss} {tid}");
    }
}

#[tokio::test]
async fn a_token_handed_over_is_young_ours_and_counted_once() {
    for kind in SIGNED {
        let story = Story::with(kind, |config| config.native_client_ids = vec!["our-app".into()]).await;
        let hand = |change: fn(&mut support::Behaviour), nonce: Option<&'static str>| {
            story.behave(|b| {
                b.nonce = None;
                b.claims = json!({});
                b.issued = 0;
                b.client = support::client_id(kind).into();
                change(b);
            });
            let token = story.behaviour.lock().unwrap().sign();
            let story = &story;
            async move { story.native(NativeProof::IdToken { token: &token, nonce }).await }
        };
        let profile = hand(|_| {}, None).await.unwrap_or_else(|e| panic!("{kind:?} {e}"));
        assert_eq!(profile.single_use.len(), 1, "{kind:?}");
        assert_eq!(profile.subject, "4242");
        let app = hand(|b| b.client = json!("our-app"), None).await.unwrap();
        assert_eq!(app.client_id, "our-app", "{kind:?}");
        assert_eq!(slug(hand(|b| b.client = json!("other"), None).await), "audience_mismatch", "{kind:?}");
        assert_eq!(slug(hand(|b| b.issued = -301, None).await), "token_stale", "{kind:?}");
        assert_eq!(slug(hand(|_| {}, Some("n")).await), "nonce_missing", "{kind:?}");
        assert_eq!(slug(hand(|b| b.nonce = Some("m"), Some("n")).await), "nonce_mismatch", "{kind:?}");
        assert_eq!(slug(hand(|b| b.nonce = Some("m"), None).await), "nonce_mismatch", "{kind:?}");
        assert!(hand(|b| b.nonce = Some("n"), Some("n")).await.is_ok(), "{kind:?}");
    }
}

/// AC-067: each client assertion has its own `jti`, names the issuer as its audience and lives for minutes.
#[tokio::test]
async fn a_client_assertion_is_for_the_issuer_and_for_once() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = key.verifying_key(Some("ours".into())).unwrap();
    let story = Story::with(Kind::Oidc, |config| {
        config.token_auth = Some(TokenAuth::PrivateKeyJwt);
        config.private_key = Some(support::pem(&key));
        config.key_id = Some("ours".into());
    })
    .await;
    story.sign_in().await.unwrap();
    story.sign_in().await.unwrap();
    let mut ids = Vec::new();
    for ask in story.upstream.asks("/token") {
        let form = ask.form();
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
        let compact = userd_jose::Compact::parse(&form["client_assertion"], 4096).unwrap();
        let claims = compact.verify_claims(&public).unwrap();
        assert_eq!(claims.text("aud").unwrap(), Some(story.upstream.base.as_str()));
        assert_eq!(claims.integer("exp").unwrap(), Some(now().seconds() + 300));
        ids.push(claims.text("jti").unwrap().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn the_secret_goes_where_the_provider_takes_it() {
    let basic = Story::new(Kind::Oidc).await;
    basic.sign_in().await.unwrap();
    let ask = &basic.upstream.asks("/token")[0];
    assert!(ask.header("authorization").starts_with("Basic ") && !ask.form().contains_key("client_secret"));
    let post = Story::new(Kind::Oidc).await;
    post.behave(|b| b.discovery = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    post.sign_in().await.unwrap();
    let ask = &post.upstream.asks("/token")[0];
    assert_eq!((ask.header("authorization"), ask.form()["client_secret"].as_str()), ("", support::SECRET));
    let public = Story::with(Kind::Oidc, |config| config.client_secret = None).await;
    public.sign_in().await.unwrap();
    let ask = &public.upstream.asks("/token")[0];
    assert!(ask.header("authorization").is_empty() && ask.form()["client_id"] == "our-client");
}

#[tokio::test]
async fn tokens_are_refreshed_and_revoked() {
    let story = Story::with(Kind::Oidc, |config| config.keep_tokens = Some(true)).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    assert_eq!(tokens.expires_at, Some(later(3600)));
    story.behave(|b| b.token = json!({ "access_token": "at-2", "refresh_token": null }));
    let newer = story.provider.refresh(&tokens, now()).await.unwrap();
    assert_eq!(newer.access_token.expose(), "at-2");
    assert_eq!(newer.refresh_token.as_ref().map(Secret::expose), Some("rt-1"), "what is left out stays");
    story.provider.revoke(&newer, now()).await.unwrap();
    assert_eq!(story.upstream.asks("/revoke")[0].form()["token"], "rt-1");
}

#[tokio::test]
async fn groups_and_claims_are_found_where_the_mapping_says() {
    let story = Story::with(Kind::Oidc, |config| {
        config.mapping = Some(
            serde_json::from_value(
                json!({ "groups": "/realm/roles", "username": "/people/0/login", "phone": "mobile" }),
            )
            .unwrap(),
        );
    })
    .await;
    story.behave(|b| {
        b.claims = json!({ "realm": { "roles": ["a", "b", 7, null] }, "people": [{ "login": "p" }], "mobile": "79001234567" });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.groups, ["a", "b", "7"]);
    assert_eq!(profile.username.as_deref(), Some("p"));
    assert_eq!(profile.phone.as_deref(), Some("+79001234567"));
}

#[test]
fn a_wrong_configuration_names_its_key() {
    type Change = fn(&mut userd_providers::ProviderConfig);
    let cases: [(&str, Change); 14] = [
        ("id", |c| c.id = "../x".into()),
        ("client_id", |c| c.client_id.clear()),
        ("issuer", |c| c.issuer = None),
        ("issuer", |c| c.issuer = Some("https://user:pw@idp.example".into())),
        ("issuer", |c| c.issuer = Some("https://idp.example?x=1".into())),
        ("endpoints", |c| c.issuer = Some("http://idp.example".into())),
        ("endpoints.token", |c| c.endpoints.token = Some("file:///etc/passwd".into())),
        ("authorize_params", |c| drop(c.authorize_params.insert("redirect_uri".into(), "x".into()))),
        ("algorithms", |c| c.algorithms = Some(vec!["HS256".into()])),
        ("scopes", |c| c.scopes = Some(vec!["email".into()])),
        ("timeout", |c| c.timeout = Some(userd_providers::Span(std::time::Duration::from_secs(11)))),
        ("client_secret_file", |c| c.client_secret_file = Some("/nonexistent".into())),
        ("ca_file", |c| c.ca_file = Some("/nonexistent".into())),
        ("proxy", |c| c.proxy = Some(Secret::new("::not a url::"))),
    ];
    for (field, change) in cases {
        let mut config = support::config(Kind::Oidc, "https://idp.example");
        if field == "client_secret_file" {
            config.client_secret = None;
        }
        change(&mut config);
        let error = build(&config, &support::surroundings()).err().unwrap_or_else(|| panic!("{field} was accepted"));
        assert_eq!(error.field, field, "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}
