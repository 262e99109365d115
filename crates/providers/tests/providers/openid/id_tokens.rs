//! ID tokens: forged, foreign, swapped, handed over.

use super::*;

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
        let jwk = story.upstream.turn(|knobs| knobs.jwks["keys"][0].clone());
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
    assert!(story.upstream.requests_to("/mine").is_empty());
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

/// RFC 7519 section 2: a `NumericDate` may have a fraction (fault 15).
#[tokio::test]
async fn times_may_have_a_fraction() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        let at = f64::from(u32::try_from(now().seconds()).unwrap());
        story.behave(|b| b.claims = json!({ "iat": at + 0.25, "exp": at + 3600.75, "nbf": at - 0.5 }));
        assert!(story.sign_in().await.is_ok(), "{kind:?}");
        story.behave(|b| b.claims = json!({ "iat": at - 7200.5, "exp": at - 60.5 }));
        assert_eq!(slug(story.sign_in().await), "token_expired", "{kind:?}");
        story.behave(|b| b.claims = json!({ "iat": at + 62.5 }));
        assert_eq!(slug(story.sign_in().await), "token_not_yet_valid", "{kind:?}");
    }
}

/// Hundreds of groups, or a picture in the token (fault 15).
#[tokio::test]
async fn a_long_token_is_read() {
    let story = Story::with(Kind::Oidc, |config| {
        config.mapping = Some(serde_json::from_value(json!({ "groups": "groups" })).unwrap());
    })
    .await;
    let groups: Vec<String> = (0..400).map(|n| format!("11111111-2222-3333-4444-{n:012}")).collect();
    let picture = format!("data:image/png;base64,{}", "A".repeat(200_000));
    story.behave(|b| b.claims = json!({ "groups": groups, "picture": picture }));
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.groups, profile.picture), (groups, None));
    story.behave(|b| b.claims = json!({ "picture": "A".repeat(600_000) }));
    assert_eq!(slug(story.sign_in().await), "token_malformed", "but not without an end");
}

/// A second member of `aud` that the operator knows (fault 15).
#[tokio::test]
async fn an_audience_that_was_configured_may_stand_beside_us() {
    for kind in SIGNED {
        let us = support::client_id(kind);
        let story = Story::with(kind, |config| config.trusted_audiences = vec!["https://api.example".into()]).await;
        for aud in [json!([us, "https://api.example"]), json!(["https://api.example", us]), json!([us, us])] {
            story.behave(|b| b.client = aud.clone());
            assert_eq!(story.sign_in().await.unwrap().client_id, us, "{kind:?} {aud}");
        }
        for aud in [json!(["https://api.example"]), json!("https://api.example"), json!([us, "https://other.example"])]
        {
            story.behave(|b| b.client = aud.clone());
            assert_eq!(slug(story.sign_in().await), "audience_mismatch", "{kind:?} {aud}");
        }
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
        let hand = |change: fn(&mut support::Knobs), nonce: Option<&'static str>| {
            story.behave(|b| {
                b.nonce = None;
                b.claims = json!({});
                b.issued = 0;
                b.client = support::client_id(kind).into();
                change(b);
            });
            let token = story.upstream.turn(|knobs| knobs.sign());
            let story = &story;
            async move { story.native(NativeProof::IdToken { token: &token, nonce }).await }
        };
        let profile = hand(|_| {}, None).await.unwrap_or_else(|e| panic!("{kind:?} {e}"));
        assert_eq!(profile.replay_keys.len(), 1, "{kind:?}");
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

/// The SDKs of Google and Apple add a nonce, as the app gave it or hashed (fault 10).
#[tokio::test]
async fn a_nonce_that_the_app_shows_may_be_hashed_in_the_token() {
    const RAW: &str = "b6f2c0e7-nonce";
    const OTHER: &str = "somebody-elses";
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, RAW.as_bytes());
    let (hex, base64): (&str, &str) = (hex::encode(hash.as_ref()).leak(), URL_SAFE_NO_PAD.encode(hash.as_ref()).leak());
    for kind in SIGNED {
        let story = Story::new(kind).await;
        let native_code = story.provider.capabilities().native_code;
        let hand = |inside: Option<&'static str>, shown: Option<&'static str>, by_code: bool| {
            story.behave(|b| b.nonce = inside);
            let token = story.upstream.turn(|knobs| knobs.sign());
            let story = &story;
            async move {
                let proof = if by_code {
                    NativeProof::Code { code: "good-code", verifier: "v", redirect_uri: None, nonce: shown }
                } else {
                    NativeProof::IdToken { token: &token, nonce: shown }
                };
                story.native(proof).await
            }
        };
        for by_code in [false, true] {
            if by_code && !native_code {
                continue;
            }
            for inside in [RAW, hex, base64] {
                assert!(hand(Some(inside), Some(RAW), by_code).await.is_ok(), "{kind:?} {inside}");
            }
            for (inside, shown) in [(RAW, hex), (OTHER, RAW), ("", ""), (RAW, "")] {
                assert_eq!(slug(hand(Some(inside), Some(shown), by_code).await), "nonce_mismatch", "{kind:?} {shown}");
            }
            assert_eq!(slug(hand(None, Some(RAW), by_code).await), "nonce_missing", "{kind:?}");
            assert_eq!(slug(hand(Some(hex), None, by_code).await), "nonce_mismatch", "{kind:?}: none shown");
        }
        assert_eq!(slug(story.sign_in().await), "nonce_mismatch", "{kind:?}: the browser flow takes no hashes");
    }
}

/// Where there is no ID token a nonce could not be compared, so it is not silently passed over (fault 10).
#[tokio::test]
async fn a_nonce_is_refused_where_nothing_carries_one() {
    for kind in [Kind::Yandex, Kind::Github, Kind::Oauth2] {
        let story = Story::new(kind).await;
        let proof = NativeProof::Code { code: "good-code", verifier: "v", redirect_uri: None, nonce: Some("n") };
        assert_eq!(slug(story.native(proof).await), "not_supported", "{kind:?}");
    }
}
