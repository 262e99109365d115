//! Upstreams that break or lie, and our own providers in front of them: nobody gets in, and nothing is sent elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use support::{Story, open, provider, slug, soon};
use userd_providers::ProviderFault;
use userd_stand_ins::{
    Fault, Options,
    oidc::{self, Twist},
    street::Street,
};

#[tokio::test]
async fn a_broken_upstream_is_unavailable_whoever_it_is() {
    let street = Street::start(0).await.unwrap();
    let yaml = street.config();
    let faults = [
        Fault::Status(500, serde_json::json!({})),
        Fault::Huge,
        Fault::HugeChunked,
        Fault::SlowLoris,
        Fault::Redirect("http://127.0.0.1:9/".into()),
        Fault::Text(200, "<html>".into()),
    ];
    let paths = [("yandex", "/token"), ("telegram", "/token"), ("vk", "/oauth2/auth"), ("apple", "/auth/token")];
    for (id, path) in paths {
        let story = Story::new(provider(&yaml, id, |entry| {
            entry.timeout = Some(userd_providers::Span(std::time::Duration::from_millis(300)));
        }));
        for fault in &faults {
            match id {
                "yandex" => street.yandex.fail(path, fault.clone()),
                "telegram" => street.telegram.fail(path, fault.clone()),
                "vk" => street.vk.fail(path, fault.clone()),
                _ => street.apple.fail(path, fault.clone()),
            }
            let result = soon(story.sign_in("ivan")).await;
            assert!(matches!(result, Err(ProviderFault::Unavailable(_))), "{id} {fault:?}: {result:?}");
        }
    }
    street.yandex.recover();
    Story::new(provider(&yaml, "yandex", |_| {})).sign_in("ivan").await.unwrap();
}

#[tokio::test]
async fn no_twist_of_a_hostile_provider_gets_anybody_in() {
    let street = Street::start(0).await.unwrap();
    let yaml = street.config();
    for twist in Twist::ALL {
        street.hostile.twist(Some(*twist));
        let story = Story::new(provider(&yaml, "hostile", |entry| {
            entry.timeout = Some(userd_providers::Span(std::time::Duration::from_millis(300)));
        }));
        let result = soon(story.sign_in("ivan")).await;
        if twist.is_survivable() {
            let profile = result.unwrap_or_else(|e| panic!("{}: {e}", twist.as_str()));
            assert!(!profile.email_verified, "{}", twist.as_str());
        } else {
            assert!(result.is_err(), "{} got in as {:?}", twist.as_str(), result.map(|profile| profile.subject));
        }
    }
    street.hostile.twist(None);
    Story::new(provider(&yaml, "hostile", |_| {})).sign_in("ivan").await.unwrap();
    assert!(street.hostile.requests_to("/elsewhere/jwks").is_empty(), "keys come from nowhere else");
    assert!(street.hostile.requests_to("/elsewhere/token").is_empty(), "redirects are not followed");
    assert!(street.hostile.requests_to("/elsewhere/userinfo").is_empty(), "and tokens not sent along");
}

#[tokio::test]
async fn a_twist_is_refused_for_its_own_reason() {
    let street = Street::start(0).await.unwrap();
    let yaml = street.config();
    for (twist, reason) in [
        (Twist::OtherIssuerInAnswer, "issuer_mismatch"),
        (Twist::NoIssuerInAnswer, "issuer_mismatch"),
        (Twist::OtherIssuerInToken, "issuer_mismatch"),
        (Twist::AlgorithmNone, "algorithm_not_allowed"),
        (Twist::Hs256WithPublicKey, "algorithm_not_allowed"),
        (Twist::StrangersKey, "signature_invalid"),
        (Twist::KeyInHeader, "signature_invalid"),
        (Twist::UnknownKid, "key_unknown"),
        (Twist::DuplicateKid, "key_unknown"),
        (Twist::Tampered, "signature_invalid"),
        (Twist::OtherAudience, "audience_mismatch"),
        (Twist::OtherNonce, "nonce_mismatch"),
        (Twist::Expired, "token_expired"),
        (Twist::FromTheFuture, "token_not_yet_valid"),
        (Twist::ZeroSubject, "subject_missing"),
        (Twist::UserinfoAboutSomebodyElse, "subject_mismatch"),
        (Twist::NoIdToken, "token_missing"),
    ] {
        street.hostile.twist(Some(twist));
        let story = Story::new(provider(&yaml, "hostile", |_| {}));
        assert_eq!(slug(story.sign_in("ivan").await), reason, "{}", twist.as_str());
    }
}

#[tokio::test]
async fn the_twist_is_chosen_by_hand_on_the_hostile_page_only() {
    let hostile = oidc::start_hostile(Options::default()).await.unwrap();
    let chosen = open(&format!("{}/twist?name=alg-none", hostile.base_url)).await;
    assert!(chosen.body.contains("<b>alg-none</b>"));
    assert_eq!(hostile.turn(|knobs| knobs.twist), Some(Twist::AlgorithmNone));
    let friendly = oidc::start(Options::default()).await.unwrap();
    assert_eq!(open(&format!("{}/twist?name=alg-none", friendly.base_url)).await.status, 404);
}

#[tokio::test]
async fn vk_echoes_the_state_and_names_one_person() {
    let street = Street::start(0).await.unwrap();
    let story = Story::new(provider(&street.config(), "vk", |_| {}));
    street.vk.turn(|knobs| knobs.wrong_state_in_answer = true);
    assert_eq!(slug(story.sign_in("ivan").await), "state_mismatch");
    street.vk.turn(|knobs| (knobs.wrong_state_in_answer, knobs.other_user_in_info) = (false, true));
    assert_eq!(slug(story.sign_in("ivan").await), "subject_mismatch");
    street.vk.turn(|knobs| (knobs.other_user_in_info, knobs.no_device_id) = (false, true));
    assert_eq!(slug(story.sign_in("ivan").await), "callback_malformed");
}
