//! A provider that is hostile in every way we know. Each ends on the application's page with a reason, or before it
//! begins; nobody is created and nobody is signed in.

use serde_json::{Value, json};
use userd_stand_ins::{
    Options,
    oidc::{self, FaultMode},
};

use crate::{
    browser::Browser,
    fixture::{APP, Fixture, ProofKey, as_person},
    providers,
    support::{Engine, TestApp},
};

/// The reasons that may be shown for a mode.
fn reasons(mode: FaultMode) -> &'static [&'static str] {
    match mode {
        FaultMode::OtherIssuerInAnswer | FaultMode::NoIssuerInAnswer | FaultMode::OtherIssuerInToken => {
            &["issuer_mismatch"]
        }
        FaultMode::AlgorithmNone | FaultMode::Hs256WithPublicKey => &["algorithm_not_allowed"],
        FaultMode::DuplicateKid | FaultMode::StrangersKey | FaultMode::Tampered | FaultMode::KeyInHeader => {
            &["signature_invalid", "key_unknown", "token_malformed"]
        }
        FaultMode::UnknownKid => &["key_unknown"],
        FaultMode::CriticalHeader => &["token_malformed"],
        FaultMode::EmptySubject
        | FaultMode::NullSubject
        | FaultMode::ZeroSubject
        | FaultMode::NumericSubject
        | FaultMode::NoSubject => &["subject_missing", "token_malformed"],
        FaultMode::UserinfoAboutSomebodyElse => &["subject_mismatch"],
        FaultMode::OtherAudience | FaultMode::ManyAudiences | FaultMode::OtherParty => &["audience_mismatch"],
        FaultMode::OtherNonce => &["nonce_mismatch"],
        FaultMode::NoNonce => &["nonce_missing"],
        FaultMode::Expired => &["token_expired"],
        FaultMode::FromTheFuture => &["token_not_yet_valid"],
        FaultMode::OtherAccessTokenHash => &["token_hash_mismatch"],
        FaultMode::NoIdToken => &["token_missing"],
        _ => &["provider_unavailable"],
    }
}

on_each_engine! {
    /// AC-038: a subject that is empty, null, zero, a number or absent is nobody's.
    /// AC-053: an ID token without our nonce, or with another one.
    /// AC-054: an ID token of another issuer, or by a key that the issuer does not publish.
    /// AC-055: the callback's issuer is another, or missing where it was promised.
    /// ASVS V6.8.2, V10.2.2, V10.5.1, V10.5.2, V10.5.3, V10.5.4
    async fn every_hostile_answer_ends_with_a_reason_and_without_a_user(app: TestApp) {
        let upstream = oidc::start(Options::default()).await.unwrap();
        // One entry per mode, so that nothing learned from an honest answer helps.
        let entries: Vec<Value> =
            FaultMode::ALL.iter().map(|mode| providers::oidc(mode.as_str(), &upstream, true)).collect();
        let mut fixture = Fixture::open(&Fixture::address(&app), json!(entries)).await;
        let mut wrong = Vec::new();
        for mode in FaultMode::ALL.iter().copied().filter(|mode| !mode.is_survivable()) {
            let (name, mut browser) = (mode.as_str(), Browser::new());
            upstream.set_fault_mode(Some(mode));
            let pairs = [("return_to", APP), ("code_challenge", &ProofKey::new().challenge)];
            let begun = browser.get(&fixture.start_url(name, &pairs)).await;
            if mode == FaultMode::OtherIssuerInDiscovery {
                assert_eq!(begun.status, 503, "{name}: {}", begun.text);
                continue;
            }
            let landed = browser.go(&as_person(begun.location().unwrap(), "ivan")).await;
            if !landed.is_at_app()
                || landed.param("code").is_some()
                || !reasons(mode).contains(&landed.error().as_str())
            {
                wrong.push(format!("{name}: {}", landed.url));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(fixture.users().await, 0);
        assert!(upstream.requests_to("/elsewhere/token").is_empty(), "no redirect of the back channel is followed");
        assert!(upstream.requests_to("/elsewhere/userinfo").is_empty());
        assert!(upstream.requests_to("/elsewhere/jwks").is_empty());

        // Inconveniences let people in, without an address. Honest again, every one of them would do.
        for mode in [FaultMode::UnverifiedEmail, FaultMode::NoEmail] {
            upstream.set_fault_mode(Some(mode));
            let tokens = fixture.sign_in(mode.as_str(), "ivan").await;
            assert_eq!(fixture.me(&tokens).await["email"], Value::Null);
        }
        upstream.set_fault_mode(None);
        let tokens = fixture.sign_in("alg-none", "zoe").await;
        assert_eq!(fixture.me(&tokens).await["email"], Value::Null, "the provider itself says that nobody proved it");
        // An ID token of the provider, and its access token, open nothing here.
        let id_token = upstream.id_token("ivan", None).unwrap();
        assert_eq!(fixture.visitor().bearing(&id_token).get("/v1/me").await.status, 401);
        fixture = fixture.reopen_with(json!({ "providers": entries })).await;
        assert_eq!(fixture.sign_in("alg-none", "zoe").await.user_id(), tokens.user_id());
    }

    /// AC-058: an ID token, a token of another party, a one-time code: none of them is an access token here.
    async fn what_providers_sign_opens_nothing_here(app: TestApp) {
        let upstream = oidc::start(Options::default()).await.unwrap();
        let fixture = Fixture::open(&Fixture::address(&app), json!([providers::oidc("corp", &upstream, true)])).await;
        let landed = fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await;
        let bearer =
            upstream.requests_to("/userinfo").pop().and_then(|ask| ask.header("authorization").map(str::to_owned));
        let mut strangers = vec![upstream.id_token("ivan", None).unwrap(), landed.code()];
        strangers.extend(bearer.and_then(|header| header.strip_prefix("Bearer ").map(str::to_owned)));
        for stranger in strangers {
            let caller = fixture.visitor().bearing(&stranger);
            caller.get("/v1/me").await.refused(401, "not_signed_in");
            caller.get("/v1/me/identities").await.refused(401, "not_signed_in");
            assert_eq!(fixture.visitor().refresh(&stranger).await.status, 401);
        }
        let ivan = fixture.exchange(&landed, None).await;
        // The refresh token is no access token, and the other way round.
        fixture.visitor().bearing(&ivan.refresh).get("/v1/me").await.refused(401, "not_signed_in");
        fixture.visitor().refresh(&ivan.access).await.refused(401, "invalid_refresh_token");
        // Not even as what an app hands over: this provider takes none.
        let body = json!({ "id_token": upstream.id_token("ivan", None).unwrap() });
        let answer = fixture.visitor().post("/v1/auth/corp/token", body).await;
        assert_eq!(answer.refused(401, "provider_refused")["reason"], "not_supported");
    }
}
