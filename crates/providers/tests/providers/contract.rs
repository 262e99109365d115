//! One list of cases that every provider passes: what must never be accepted, and what must not get in the way.

use crate::support::{self, Fault, Knobs, REDIRECT_URI, SECRET, STATE, Story, client_id, is_unavailable, now, slug};
use serde_json::json;
use userd_providers::{Kind, NativeProof, ProviderFault, pkce_challenge};

/// Kinds whose answer to the code is an ID token that we read.
const WITH_ID_TOKEN: [Kind; 5] = [Kind::Oidc, Kind::Google, Kind::Apple, Kind::Telegram, Kind::Sber];
/// Kinds whose ID token's signature we verify.
const SIGNED: [Kind; 4] = [Kind::Oidc, Kind::Google, Kind::Apple, Kind::Telegram];
/// Kinds whose user-info answer is asked.
const WITH_USERINFO: [Kind; 8] =
    [Kind::Yandex, Kind::Oauth2, Kind::Github, Kind::Vk, Kind::Mailru, Kind::Ok, Kind::Sber, Kind::Tid];

/// The flow of a kind whose upstream was changed first.
async fn after(kind: Kind, change: impl FnOnce(&mut Knobs)) -> Result<userd_providers::Profile, ProviderFault> {
    let story = Story::new(kind).await;
    story.behave(change);
    story.sign_in().await
}

#[tokio::test]
async fn an_honest_upstream_gives_a_profile() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        let profile = story.sign_in().await.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!((profile.provider.as_str(), profile.subject.as_str()), ("p", "4242"), "{kind:?}");
        assert_eq!(profile.issuer, story.provider.issuer(), "{kind:?}");
        assert_eq!(profile.client_id, client_id(kind), "{kind:?}");
        assert_eq!(profile.name.is_some(), kind != Kind::Apple, "{kind:?}");
        let kept = story.provider.policy().keep_tokens;
        assert_eq!(profile.tokens.is_some(), kept, "{kind:?} keeps tokens only when told to");
        assert!(!format!("{profile:?}").contains("at-1"), "{kind:?} hides tokens");
    }
}

/// ASVS V4.2.5
#[tokio::test]
async fn the_authorize_url_binds_the_flow_and_tells_no_secret() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        let redirect = story.begin().await.unwrap();
        let pairs: Vec<(String, String)> = redirect.url.query_pairs().into_owned().collect();
        let one = |name: &str| {
            let found: Vec<_> = pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
            assert_eq!(found.len(), 1, "{kind:?} {name}");
            found[0].to_owned()
        };
        assert_eq!(one("response_type"), "code", "{kind:?}");
        assert_eq!(one("client_id"), client_id(kind), "{kind:?}");
        assert_eq!(one("redirect_uri"), REDIRECT_URI, "{kind:?}");
        assert_eq!(one("state"), STATE, "{kind:?}");
        assert_eq!(one("code_challenge"), pkce_challenge(support::VERIFIER), "{kind:?}");
        assert!(one("code_challenge_method").eq_ignore_ascii_case("S256"), "{kind:?}");
        assert!(!redirect.url.as_str().contains(SECRET), "{kind:?}");
        assert!(redirect.url.as_str().len() < 2_048, "{kind:?}: what every browser and proxy takes");
        if WITH_ID_TOKEN.contains(&kind) {
            assert_eq!(one("nonce"), support::NONCE, "{kind:?}");
        }
    }
}

/// Who is asked for more consents to less.
/// ASVS V10.2.3
#[tokio::test]
async fn each_kind_asks_for_what_identifies_a_person_and_no_more() {
    for (kind, expected) in [
        (Kind::Yandex, ""),
        (Kind::Telegram, "openid profile"),
        (Kind::Oidc, "openid email profile"),
        (Kind::Oauth2, ""),
        (Kind::Google, "openid email profile"),
        (Kind::Github, "read:user user:email"),
        (Kind::Apple, "name email"),
        (Kind::Vk, "vkid.personal_info email"),
        (Kind::Mailru, "userinfo"),
        (Kind::Ok, "VALUABLE_ACCESS"),
        (Kind::Sber, "openid name email mobile"),
        (Kind::Tid, "profile phone"),
    ] {
        let redirect = Story::new(kind).await.begin().await.unwrap();
        let scope = redirect.url.query_pairs().find(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned());
        assert_eq!(scope.unwrap_or_default(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn the_verifier_goes_with_every_code() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        story.sign_in().await.unwrap();
        let form = story.upstream.requests_to("/token")[0].form();
        assert_eq!(form["code_verifier"], support::VERIFIER, "{kind:?}");
        assert_eq!(form["redirect_uri"], REDIRECT_URI, "{kind:?}");
    }
}

#[tokio::test]
async fn a_callback_without_a_code_is_refused() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        assert_eq!(slug(story.sign_in_at(&[("code", "")], now()).await), "code_missing", "{kind:?}");
        let long = "x".repeat(5000);
        assert_eq!(slug(story.sign_in_at(&[("code", &long)], now()).await), "code_missing", "{kind:?}");
        assert!(story.upstream.requests_to("/token").is_empty(), "{kind:?} asks nothing for no code");
    }
}

#[tokio::test]
async fn a_person_who_declines_is_told_so() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        let declined = [("code", ""), ("error", "access_denied")];
        assert_eq!(slug(story.sign_in_at(&declined, now()).await), "access_denied", "{kind:?}");
        let odd = [("error", "<script>alert(1)</script>")];
        assert_eq!(slug(story.sign_in_at(&odd, now()).await), "provider_error", "{kind:?}");
    }
}

#[tokio::test]
async fn a_wrong_or_used_code_is_refused() {
    for kind in Kind::ALL {
        let story = Story::new(kind).await;
        assert_eq!(slug(story.sign_in_at(&[("code", "used")], now()).await), "code_refused", "{kind:?}");
    }
}

#[tokio::test]
async fn credentials_that_the_provider_refuses_are_the_operators_matter() {
    for kind in Kind::ALL {
        let result = after(kind, |b| {
            let body = json!({ "error": "invalid_client", "error_description": "no\nsuch client" });
            b.instead.push(("/token", Fault::Status(401, body)));
        });
        let Err(ProviderFault::Misconfigured(text)) = result.await else { panic!("{kind:?}") };
        assert!(!text.contains('\n') && !text.contains(SECRET), "{kind:?}: {text}");
    }
}

/// AC-120: nothing follows a redirect, and no answer is longer than a mebibyte.
#[tokio::test]
async fn an_upstream_that_is_ill_is_unavailable() {
    for kind in Kind::ALL {
        let mut paths = vec!["/token"];
        paths.extend(WITH_USERINFO.contains(&kind).then_some("/userinfo"));
        paths.extend(SIGNED.contains(&kind).then_some("/jwks"));
        let story = Story::new(kind).await;
        for path in paths {
            for ill in [
                Fault::Status(500, json!({ "error": "server_error" })),
                Fault::Text(502, "<html>".into()),
                Fault::Text(200, "<html>".into()),
                Fault::Text(200, r#"{"id":"1","id":"2","keys":[],"keys":[]}"#.into()),
                Fault::Redirect(format!("{}/elsewhere", story.upstream.base_url)),
                Fault::Huge,
                Fault::HugeChunked,
            ] {
                story.behave(|b| b.instead = vec![(path, ill.clone())]);
                let result = story.sign_in().await;
                assert!(is_unavailable(&result), "{kind:?} {path} {ill:?}: {result:?}");
            }
        }
        assert!(story.upstream.requests_to("/elsewhere").is_empty(), "{kind:?}");
    }
}

/// F32: a provider that does not answer.
#[tokio::test]
async fn a_slow_upstream_is_given_up_in_time() {
    let slow = |kind: Kind| async move {
        for slow in [Fault::Hang, Fault::SlowLoris] {
            let started = std::time::Instant::now();
            let result = after(kind, |b| b.instead.push(("/token", slow))).await;
            assert!(is_unavailable(&result), "{kind:?}: {result:?}");
            assert!(started.elapsed().as_secs() < 5, "{kind:?}");
        }
    };
    futures_util::future::join_all(Kind::ALL.map(slow)).await;
}

/// AC-038: an empty, null, zero or missing subject names nobody, so nobody shares an account.
#[tokio::test]
async fn an_empty_subject_is_refused() {
    for kind in Kind::ALL {
        for nobody in [json!(""), json!(null), json!(0), json!("0"), json!([]), json!({}), json!(true), json!(-1)] {
            let result = after(kind, |b| {
                b.subject = nobody.clone();
                if SIGNED.contains(&kind) && kind != Kind::Telegram {
                    b.claims = json!({ "sub": nobody });
                }
            });
            let slug = slug(result.await);
            let fine = match kind {
                Kind::Telegram => slug == "telegram_id_missing",
                // A `sub` of another type makes a malformed token.
                _ if SIGNED.contains(&kind) => slug == "subject_missing" || slug == "token_malformed",
                _ => slug == "subject_missing",
            };
            assert!(fine, "{kind:?} {nobody}: {slug}");
        }
    }
}

#[tokio::test]
async fn an_overlong_subject_is_refused() {
    for kind in Kind::ALL {
        if matches!(kind, Kind::Telegram | Kind::Github) {
            continue;
        }
        let result = after(kind, |b| b.subject = "7".repeat(256).into()).await;
        assert_eq!(slug(result), "subject_missing", "{kind:?}");
    }
}

#[tokio::test]
async fn an_account_without_an_address_signs_in() {
    for kind in Kind::ALL {
        let story = Story::with(kind, |config| config.trust_email = Some(true)).await;
        story.behave(|b| {
            b.email = None;
            b.email_verified = Some(json!(true));
        });
        let profile = story.sign_in().await.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!((profile.email, profile.email_verified), (None, false), "{kind:?}");
    }
}

#[tokio::test]
async fn an_address_that_nobody_verified_stays_unverified() {
    for kind in Kind::ALL {
        for claimed in [None, Some(json!(false)), Some(json!("false"))] {
            let profile = after(kind, |b| b.email_verified = claimed.clone()).await.unwrap();
            assert!(!profile.email_verified, "{kind:?} {claimed:?}");
            assert_eq!(profile.email.is_some(), kind != Kind::Telegram, "{kind:?}");
        }
    }
}

/// AC-037: a provider's claim alone proves no address: the operator's word or the provider's own domain does.
#[tokio::test]
async fn only_a_trusted_provider_proves_an_address() {
    for kind in Kind::ALL {
        let claimed = |b: &mut Knobs| b.email_verified = Some(json!(true));
        let trusted_by_default = matches!(kind, Kind::Apple | Kind::Github);
        assert_eq!(after(kind, claimed).await.unwrap().email_verified, trusted_by_default, "{kind:?} by default");
        let never = Story::with(kind, |config| config.trust_email = Some(false)).await;
        never.behave(claimed);
        assert!(!never.sign_in().await.unwrap().email_verified, "{kind:?} never");
        let always = Story::with(kind, |config| config.trust_email = Some(true)).await;
        always.behave(claimed);
        assert_eq!(always.sign_in().await.unwrap().email_verified, kind != Kind::Telegram, "{kind:?} always");
        always.behave(|b| b.email_verified = Some(json!(false)));
        let has_flag = matches!(kind, Kind::Oidc | Kind::Oauth2 | Kind::Google | Kind::Apple | Kind::Github);
        let verified = always.sign_in().await.unwrap().email_verified;
        assert_eq!(verified, !has_flag && kind != Kind::Telegram, "{kind:?} against the provider's own word");
    }
}

/// AC-058: a token for another client, or for us among others, is not for us.
#[tokio::test]
async fn another_clients_token_is_refused() {
    for kind in Kind::ALL {
        let expected = match kind {
            _ if WITH_ID_TOKEN.contains(&kind) => "audience_mismatch",
            Kind::Yandex | Kind::Mailru | Kind::Oauth2 => "client_mismatch",
            // Nothing in their answers names the client; the code was redeemed with our credentials.
            _ => continue,
        };
        for other in [json!("other-client"), json!(["other-client"]), json!(null), json!(7), json!("")] {
            assert_eq!(slug(after(kind, |b| b.client = other.clone()).await), expected, "{kind:?} {other}");
        }
        if WITH_ID_TOKEN.contains(&kind) {
            let us_too = json!([client_id(kind), "other-client"]);
            assert_eq!(slug(after(kind, |b| b.client = us_too).await), expected, "{kind:?} without azp");
        }
        if SIGNED.contains(&kind) {
            let result = after(kind, |b| b.claims = json!({ "azp": "other-client" })).await;
            assert_eq!(slug(result), expected, "{kind:?} azp");
        }
    }
}

/// AC-054: an ID token of any other issuer is refused, however close its name.
#[tokio::test]
async fn another_issuers_token_is_refused() {
    for kind in SIGNED {
        let issuer = Story::new(kind).await.provider.issuer();
        for other in [format!("{issuer}/"), issuer.to_uppercase(), "https://evil.example".into(), String::new()] {
            assert_eq!(slug(after(kind, |b| b.issuer.clone_from(&other)).await), "issuer_mismatch", "{kind:?} {other}");
        }
    }
}

/// AC-053: an ID token without the nonce that was sent is refused.
#[tokio::test]
async fn a_missing_or_wrong_nonce_is_refused() {
    for kind in WITH_ID_TOKEN {
        assert_eq!(slug(after(kind, |b| b.nonce = Some("somebody-else's")).await), "nonce_mismatch", "{kind:?}");
        assert!(slug(after(kind, |b| b.nonce = Some("")).await).starts_with("nonce_mi"), "{kind:?}");
        if kind != Kind::Telegram {
            assert_eq!(slug(after(kind, |b| b.nonce = None).await), "nonce_missing", "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_token_out_of_its_time_is_refused() {
    for kind in SIGNED {
        assert_eq!(slug(after(kind, |b| b.expires = -60).await), "token_expired", "{kind:?}");
        assert!(after(kind, |b| b.expires = -59).await.is_ok(), "{kind:?} clocks may differ by a minute");
        assert_eq!(slug(after(kind, |b| b.issued = 61).await), "token_not_yet_valid", "{kind:?}");
        assert!(after(kind, |b| b.issued = 60).await.is_ok(), "{kind:?}");
        let later = json!({ "nbf": now().seconds() + 61 });
        assert_eq!(slug(after(kind, |b| b.claims = later).await), "token_not_yet_valid", "{kind:?}");
        for odd in
            [json!({ "exp": null }), json!({ "exp": "1999999999" }), json!({ "exp": 1e300 }), json!({ "iat": null })]
        {
            assert_eq!(slug(after(kind, |b| b.claims = odd.clone()).await), "token_malformed", "{kind:?} {odd}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_the_token_is_refused() {
    for kind in Kind::ALL {
        let nothing = json!({ "access_token": null, "id_token": null });
        assert_eq!(slug(after(kind, |b| b.token = nothing).await), "token_missing", "{kind:?}");
    }
}

/// AC-055: the callback of a flow that was begun with another issuer is refused.
#[tokio::test]
async fn a_login_flow_remembers_its_issuer() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        let params = [("code", "good-code"), ("state", STATE)].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        for remember in [json!(null), json!({}), json!({ "issuer": "https://evil.example" })] {
            assert_eq!(slug(story.finish(&params, &remember, now()).await), "issuer_mismatch", "{kind:?}");
        }
        assert!(story.upstream.requests_to("/token").is_empty(), "{kind:?}: the code goes nowhere");
    }
}

/// AC-055: an answer that names another issuer (RFC 9207) is refused before the code is sent anywhere.
#[tokio::test]
async fn a_mixed_up_answer_is_refused() {
    for kind in SIGNED {
        let story = Story::new(kind).await;
        let result = story.sign_in_at(&[("iss", "https://evil.example")], now()).await;
        assert_eq!(slug(result), "issuer_mismatch", "{kind:?}");
        assert!(story.upstream.requests_to("/token").is_empty(), "{kind:?}");
        let issuer = story.provider.issuer();
        assert!(story.sign_in_at(&[("iss", &issuer)], now()).await.is_ok(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_way_in_that_does_not_exist_is_refused() {
    for kind in Kind::ALL {
        let story = Story::with(kind, |config| config.native = Some(false)).await;
        let fields = std::collections::BTreeMap::new();
        for proof in [
            NativeProof::AccessToken("at"),
            NativeProof::IdToken { token: "a.b.c", nonce: None },
            NativeProof::Code { code: "good-code", verifier: "v", redirect_uri: None, nonce: None },
        ] {
            assert_eq!(slug(story.native(proof).await), "not_supported", "{kind:?}");
        }
        if kind != Kind::Telegram {
            for proof in
                [NativeProof::Widget(&fields), NativeProof::WidgetFragment("e30"), NativeProof::InitData("a=b")]
            {
                assert_eq!(slug(story.native(proof).await), "not_supported", "{kind:?}");
            }
        }
        assert!(story.upstream.requests().iter().all(|ask| ask.path.contains("well-known")), "{kind:?}");
    }
}
