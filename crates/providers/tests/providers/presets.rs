//! The presets: what each provider does differently, and what we assume about it.

use crate::support::{self, Fault, Story, client_id, is_unavailable, now, slug};
use serde_json::json;
use userd_jose::{Algorithm, Compact, SigningKey};
use userd_providers::{Kind, NativeProof, UserinfoAuth, build, build_all};

#[tokio::test]
async fn google_writes_its_issuer_in_two_ways() {
    let story = Story::new(Kind::Google).await;
    let issuer = story.provider.issuer();
    let short = issuer.trim_start_matches("http://").to_owned();
    story.behave(|b| b.issuer = short);
    // The stand-in is plain http; for the real issuer the prefix is https, so here the short form is a stranger.
    assert_eq!(slug(story.sign_in().await), "issuer_mismatch");
    let real = Story::with(Kind::Google, |config| config.issuer = None).await;
    for spelling in ["https://accounts.google.com", "accounts.google.com"] {
        real.behave(|b| b.issuer = spelling.into());
        let profile = real.sign_in().await.unwrap();
        assert_eq!(profile.issuer, "https://accounts.google.com", "one spelling is kept");
    }
    real.behave(|b| b.issuer = "http://accounts.google.com".into());
    assert_eq!(slug(real.sign_in().await), "issuer_mismatch");
}

#[tokio::test]
async fn google_answers_for_its_own_and_hosted_addresses_only() {
    for (email, hd, claimed, proven) in [
        ("a@gmail.com", json!(null), json!(true), true),
        ("a@GMAIL.com", json!(null), json!(true), true),
        ("a@corp.example", json!("corp.example"), json!(true), true),
        ("a@corp.example", json!(null), json!(true), false),
        ("a@gmail.com", json!(null), json!(false), false),
        ("a@gmail.com.evil.example", json!(null), json!(true), false),
    ] {
        let story = Story::new(Kind::Google).await;
        story.behave(|b| {
            b.email = Some(email);
            b.claims = json!({ "hd": hd });
            b.email_verified = Some(claimed.clone());
        });
        assert_eq!(story.sign_in().await.unwrap().email_verified, proven, "{email} {hd} {claimed}");
    }
}

#[tokio::test]
async fn githubs_subject_is_the_number_not_the_name() {
    let story = Story::new(Kind::Github).await;
    story.behave(|b| b.email_verified = Some(json!(true)));
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.subject.as_str(), profile.username.as_deref()), ("4242", Some("person")));
    assert_eq!(profile.email.as_deref(), Some("person@elsewhere.example"), "the primary one, not the public one");
    assert!(profile.email_verified);
    let asks = story.upstream.requests_to("/userinfo");
    assert_eq!(
        (asks[0].header("accept"), asks[0].header("authorization")),
        (Some("application/json"), Some("Bearer at-1"))
    );
    assert!(asks[0].header("user-agent").unwrap().starts_with("userd/"), "GitHub refuses calls without it");
}

#[tokio::test]
async fn githubs_no_reply_address_is_nobodys() {
    let story = Story::new(Kind::Github).await;
    story.behave(|b| {
        b.email = Some("1+person@users.noreply.github.com");
        b.email_verified = Some(json!(true));
    });
    assert_eq!(story.sign_in().await.unwrap().email, None);
    for (status, body) in [(403, json!({ "message": "Forbidden" })), (404, json!({ "message": "Not Found" }))] {
        story.behave(|b| b.instead = vec![("/userinfo/emails", Fault::Status(status, body))]);
        assert_eq!(story.sign_in().await.unwrap().email, None, "the scope was not granted");
    }
    story.behave(|b| b.instead = vec![("/userinfo/emails", Fault::Status(500, json!({})))]);
    assert!(is_unavailable(&story.sign_in().await));
}

#[tokio::test]
async fn github_says_itself_whose_token_it_is() {
    let story = Story::new(Kind::Github).await;
    let check = "/applications/our-client/token";
    let answer = |client: &str| json!({ "app": { "client_id": client }, "user": { "id": 9, "login": "p" } });
    story.behave(|b| b.instead = vec![(check, Fault::Status(200, answer("our-client")))]);
    assert_eq!(story.native(NativeProof::AccessToken("at-9")).await.unwrap().subject, "9");
    let ask = &story.upstream.requests_to(check)[0];
    assert_eq!((ask.method.as_str(), ask.json()["access_token"].as_str()), ("POST", Some("at-9")));
    assert!(ask.header("authorization").unwrap().starts_with("Basic "));
    story.behave(|b| b.instead = vec![(check, Fault::Status(200, answer("other")))]);
    assert_eq!(slug(story.native(NativeProof::AccessToken("at-9")).await), "client_mismatch");
    story.behave(|b| b.instead = vec![(check, Fault::Status(404, json!({ "message": "Not Found" })))]);
    assert_eq!(slug(story.native(NativeProof::AccessToken("at-9")).await), "client_mismatch");
}

#[tokio::test]
async fn apple_gets_a_secret_that_we_sign_for_minutes() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let story = Story::with(Kind::Apple, |config| config.private_key = Some(support::pem(&key))).await;
    story.sign_in().await.unwrap();
    let form = story.upstream.requests_to("/token")[0].form();
    let secret = Compact::parse(&form["client_secret"], 4096).unwrap();
    assert_eq!(secret.header().kid.as_deref(), Some("KEY1234567"));
    let claims = secret.verify_claims(&key.verifying_key(Some("KEY1234567".into())).unwrap()).unwrap();
    assert_eq!(claims.text("iss").unwrap(), Some("TEAM123456"));
    assert_eq!(claims.text("sub").unwrap(), Some(client_id(Kind::Apple)));
    assert_eq!(claims.text("aud").unwrap(), Some("https://appleid.apple.com"));
    assert_eq!(claims.integer("exp").unwrap().unwrap() - claims.integer("iat").unwrap().unwrap(), 300);
}

#[tokio::test]
async fn apple_answers_by_post_and_tells_the_name_once() {
    let story = Story::new(Kind::Apple).await;
    let redirect = story.begin().await.unwrap();
    assert!(redirect.form_post && redirect.url.query().unwrap().contains("response_mode=form_post"));
    let user = r#"{"name":{"firstName":"Ann","lastName":"Lee"},"email":"victim@example.com"}"#;
    let profile = story.sign_in_at(&[("user", user)], now()).await.unwrap();
    assert_eq!(profile.name.as_deref(), Some("Ann Lee"));
    assert_eq!(profile.email.as_deref(), Some("person@elsewhere.example"), "never the unsigned one");
    let bare = Story::with(Kind::Apple, |config| config.scopes = Some(Vec::new())).await;
    let redirect = bare.begin().await.unwrap();
    assert!(!redirect.form_post && redirect.url.query().unwrap().contains("response_mode=query"));
}

#[tokio::test]
async fn apple_writes_booleans_as_text() {
    for (claimed, proven) in
        [(json!("true"), true), (json!(true), true), (json!("false"), false), (json!("TRUE"), false)]
    {
        let story = Story::new(Kind::Apple).await;
        story.behave(|b| {
            b.email_verified = Some(claimed.clone());
            b.claims = json!({ "is_private_email": "true" });
        });
        let profile = story.sign_in().await.unwrap();
        assert_eq!(profile.email_verified, proven, "{claimed}");
        assert_eq!(profile.extra["is_private_email"], json!(true));
    }
}

#[tokio::test]
async fn apple_is_told_when_an_account_is_unlinked() {
    let story = Story::new(Kind::Apple).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    story.behave(|b| b.instead = vec![("/revoke", Fault::Text(200, String::new()))]);
    story.provider.revoke(&tokens, now()).await.unwrap();
    let form = story.upstream.requests_to("/revoke")[0].form();
    assert_eq!((form["token"].as_str(), form["token_type_hint"].as_str()), ("rt-1", "refresh_token"));
    assert!(form.contains_key("client_secret"));
}

#[tokio::test]
async fn vk_binds_everything_to_the_device_of_the_callback() {
    let story = Story::with(Kind::Vk, |config| config.keep_tokens = Some(true)).await;
    let tokens = story.sign_in().await.unwrap().tokens.unwrap();
    let form = story.upstream.requests_to("/token")[0].form();
    assert_eq!((form["device_id"].as_str(), form["state"].as_str()), ("vk-device", support::STATE));
    assert_eq!(tokens.device_id.as_deref(), Some("vk-device"));
    story.provider.refresh(&tokens, now()).await.unwrap();
    assert_eq!(story.upstream.requests_to("/token")[1].form()["device_id"], "vk-device");
    for device in ["", "with space", "\u{7f}", &"x".repeat(256)] {
        assert_eq!(slug(story.sign_in_at(&[("device_id", device)], now()).await), "callback_malformed", "{device}");
    }
}

#[tokio::test]
async fn vk_must_echo_our_state_and_the_same_person() {
    let story = Story::new(Kind::Vk).await;
    for echoed in [json!("another"), json!(null), json!("")] {
        story.behave(|b| b.token = json!({ "state": echoed }));
        assert_eq!(slug(story.sign_in().await), "state_mismatch", "{echoed}");
    }
    story.behave(|b| b.token = json!({ "user_id": 4243 }));
    assert_eq!(slug(story.sign_in().await), "subject_mismatch");
}

/// `verified` in VK's answer is the tick of a famous account.
#[tokio::test]
async fn vks_tick_is_no_proof_of_an_address() {
    let profile = Story::new(Kind::Vk).await.sign_in().await.unwrap();
    assert_eq!((profile.email.is_some(), profile.email_verified), (true, false));
    assert_eq!(profile.phone.as_deref(), Some("+79001234567"));
}

/// VK's SDKs and documentation write it in lower case.
#[tokio::test]
async fn pinned_assumption_vk_names_the_challenge_method_in_lower_case() {
    let url = Story::new(Kind::Vk).await.begin().await.unwrap().url;
    assert!(url.query().unwrap().contains("code_challenge_method=s256"));
}

/// How VK signs ID tokens is not documented, so what is in one does not matter.
#[tokio::test]
async fn pinned_assumption_vk_id_tokens_are_not_read() {
    let story = Story::new(Kind::Vk).await;
    story.behave(|b| b.token = json!({ "id_token": "anything" }));
    assert_eq!(story.sign_in().await.unwrap().subject, "4242");
}

/// Mailboxes are given out again: the id is the subject, whatever the address.
#[tokio::test]
async fn mailrus_subject_is_the_id_not_the_mailbox() {
    for (email, proven) in [("a@mail.ru", true), ("a@BK.ru", true), ("a@corp.example", false), ("a@notmail.ru", false)]
    {
        let story = Story::new(Kind::Mailru).await;
        story.behave(|b| b.email = Some(email));
        let profile = story.sign_in().await.unwrap();
        assert_eq!((profile.subject.as_str(), profile.email_verified), ("4242", proven), "{email}");
    }
    let story = Story::new(Kind::Mailru).await;
    story.behave(|b| b.client = json!("other"));
    assert_eq!(slug(story.native(NativeProof::AccessToken("at")).await), "client_mismatch");
    let error = json!({ "error": "token not found", "error_code": 6, "error_description": "token not found" });
    story.behave(|b| b.instead = vec![("/userinfo", Fault::Status(200, error))]);
    assert_eq!(slug(story.sign_in().await), "provider_error");
}

/// OK documents GET and POST alike; a POST keeps the token out of logs.
#[tokio::test]
async fn pinned_assumption_ok_calls_may_be_posts() {
    let story = Story::new(Kind::Ok).await;
    story.sign_in().await.unwrap();
    let ask = &story.upstream.requests_to("/userinfo")[0];
    let form = ask.form();
    assert_eq!((ask.method.as_str(), ask.query.len()), ("POST", 0));
    assert_eq!((form["method"].as_str(), form["sig"].len()), ("users.getCurrentUser", 32));
    story.behave(|b| {
        b.instead = vec![("/userinfo", Fault::Status(200, json!({ "error_code": 102, "error_msg": "SESSION" })))]
    });
    assert_eq!(slug(story.sign_in().await), "provider_error");
}

#[tokio::test]
async fn sber_gets_another_request_id_with_every_call() {
    let story = Story::with(Kind::Sber, |config| {
        config.endpoints.completed = config.endpoints.token.as_ref().map(|t| t.replace("/token", "/completed"));
    })
    .await;
    story.sign_in().await.unwrap();
    let ids: Vec<String> = ["/token", "/userinfo", "/completed"]
        .iter()
        .map(|path| story.upstream.requests_to(path)[0].header("rquid").unwrap().to_owned())
        .collect();
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

/// The signature is GOST, so the token proves nothing by itself: nonce, audience and subject are compared, and who it
/// is comes from user-info.
#[tokio::test]
async fn pinned_assumption_sber_id_tokens_are_compared_not_verified() {
    let story = Story::new(Kind::Sber).await;
    story.behave(|b| b.info = json!({ "sub": "somebody-else" }));
    assert_eq!(slug(story.sign_in().await), "subject_mismatch");
    for text in ["", "a.b", "a.!!!.c", "a.W10.c"] {
        story.behave(|b| b.id_token = Some(text.to_owned()));
        assert!(matches!(slug(story.sign_in().await), "token_malformed" | "token_missing"), "{text}");
    }
}

/// Whether Sber ID checks PKCE is not documented; it is sent.
#[tokio::test]
async fn pinned_assumption_sber_tolerates_pkce() {
    let story = Story::new(Kind::Sber).await;
    assert!(story.begin().await.unwrap().url.query().unwrap().contains("code_challenge_method=S256"));
    story.sign_in().await.unwrap();
    assert!(story.upstream.requests_to("/token")[0].form().contains_key("code_verifier"));
}

/// Sber ID moves its pages between hosts: the built-in one can be replaced, and needs our certificate.
#[test]
fn pinned_assumption_sber_hosts_are_replaceable() {
    let mut config = userd_providers::ProviderConfig::new("s", Kind::Sber, "c");
    config.client_secret = Some(userd_providers::Secret::new("s"));
    assert_eq!(build(&config, &support::dependencies()).err().unwrap().field, "client_certificate_file");
    config.endpoints.authorize = Some("https://online.sberbank.ru/CSAFront/oidc/authorize.do".into());
    config.endpoints.token = Some("https://oauth-ift.sber.ru/ru/prod/tokens/v2/oidc".into());
    assert!(build(&config, &support::dependencies()).is_ok());
}

#[tokio::test]
async fn tid_wants_our_credentials_beside_the_token() {
    let story = Story::new(Kind::Tid).await;
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.phone.as_deref(), profile.email_verified), (Some("+79001234567"), false));
    let ask = &story.upstream.requests_to("/userinfo")[0];
    let form = ask.form();
    assert_eq!((ask.method.as_str(), ask.header("authorization")), ("POST", Some("Bearer at-1")));
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("our-client", support::SECRET));
    assert_eq!(story.upstream.requests_to("/token")[0].header("x-sso-no-adapter"), Some("true"));
}

/// The bank calls its ID token technical: whatever is in it is not read.
#[tokio::test]
async fn pinned_assumption_tid_id_tokens_are_not_read() {
    let story = Story::new(Kind::Tid).await;
    story.behave(|b| b.token = json!({ "id_token": "anything" }));
    assert_eq!(story.sign_in().await.unwrap().subject, "4242");
}

#[tokio::test]
async fn a_generic_provider_shows_the_token_as_configured() {
    for (auth, method, header, in_query, in_form) in [
        (UserinfoAuth::Bearer, "GET", "Bearer at-1", false, false),
        (UserinfoAuth::OAuth, "GET", "OAuth at-1", false, false),
        (UserinfoAuth::Query, "GET", "", true, false),
        (UserinfoAuth::Form, "POST", "", false, true),
    ] {
        let story = Story::with(Kind::Oauth2, |config| config.userinfo_auth = Some(auth)).await;
        story.sign_in().await.unwrap();
        let ask = &story.upstream.requests_to("/userinfo")[0];
        assert_eq!(
            (ask.method.as_str(), ask.header("authorization").unwrap_or_default()),
            (method, header),
            "{auth:?}"
        );
        assert_eq!(
            (ask.query_param("access_token").is_some(), ask.form().contains_key("access_token")),
            (in_query, in_form)
        );
    }
}

#[tokio::test]
async fn a_generic_provider_finds_the_subject_by_its_mapping() {
    let story = Story::with(Kind::Oauth2, |config| {
        config.mapping =
            Some(serde_json::from_value(json!({ "subject": "/data/0/uid", "name": "/data/0/~1odd~0" })).unwrap());
    })
    .await;
    story.behave(|b| b.info = json!({ "data": [{ "uid": 77, "/odd~": "Odd" }] }));
    let profile = story.sign_in().await.unwrap();
    assert_eq!((profile.subject.as_str(), profile.name.as_deref()), ("77", Some("Odd")));
    story.behave(|b| b.info = json!({ "data": [] }));
    assert_eq!(slug(story.sign_in().await), "subject_missing");
    // Without a mapping for the client id nobody can tell whose token an app hands over.
    assert_eq!(slug(story.native(NativeProof::AccessToken("at")).await), "not_supported");
}

#[test]
fn two_entries_with_one_id_are_refused() {
    let one = support::config(Kind::Yandex, "https://upstream.example");
    let mut two = one.clone();
    assert_eq!(
        build_all(&[one.clone(), two.clone()], &support::dependencies()).err().unwrap().field,
        "providers[1].id"
    );
    two.id = "q".into();
    let ids = build_all(&[one.clone(), two.clone()], &support::dependencies()).unwrap();
    assert_eq!(ids.iter().map(|p| p.id()).collect::<Vec<_>>(), ["p", "q"]);
    two.client_id.clear();
    let error = build_all(&[one, two], &support::dependencies()).err().unwrap();
    assert_eq!(error.field, "providers[1].client_id");
}

#[test]
fn a_key_that_a_kind_does_not_read_is_refused() {
    for kind in Kind::ALL {
        let mut config = support::config(kind, "https://upstream.example");
        config.region = (kind != Kind::Yandex).then(|| "ru".into());
        config.require_nonce = (kind == Kind::Yandex).then_some(true);
        let error = build(&config, &support::dependencies()).err().unwrap_or_else(|| panic!("{kind:?}"));
        assert!(matches!(error.field.as_str(), "region" | "require_nonce"), "{error}");
    }
}

#[test]
fn every_kind_builds_on_its_own_defaults() {
    for kind in Kind::ALL {
        let mut config = support::config(kind, "https://upstream.example");
        if kind != Kind::Oauth2 && kind != Kind::Sber {
            config.endpoints = Default::default();
        }
        let provider = build(&config, &support::dependencies()).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!((provider.kind(), provider.display_name()), (kind, kind.brand()));
        assert!(provider.capabilities().browser && provider.policy().enabled && provider.policy().allow_sign_up);
        assert!(!provider.policy().trust_email, "{kind:?}: nobody is trusted unless the operator says so");
    }
}
