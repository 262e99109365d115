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
    network::FakeNetwork,
    oidc::{self, FaultMode},
};

#[tokio::test]
async fn a_broken_upstream_is_unavailable_whoever_it_is() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
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
                "yandex" => network.yandex.fail(path, fault.clone()),
                "telegram" => network.telegram.fail(path, fault.clone()),
                "vk" => network.vk.fail(path, fault.clone()),
                _ => network.apple.fail(path, fault.clone()),
            }
            let result = soon(story.sign_in("ivan")).await;
            assert!(matches!(result, Err(ProviderFault::Unavailable(_))), "{id} {fault:?}: {result:?}");
        }
    }
    network.yandex.recover();
    Story::new(provider(&yaml, "yandex", |_| {})).sign_in("ivan").await.unwrap();
}

#[tokio::test]
async fn no_fault_mode_of_a_hostile_provider_gets_anybody_in() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for fault_mode in FaultMode::ALL {
        network.hostile.set_fault_mode(Some(*fault_mode));
        let story = Story::new(provider(&yaml, "hostile", |entry| {
            entry.timeout = Some(userd_providers::Span(std::time::Duration::from_millis(300)));
        }));
        let result = soon(story.sign_in("ivan")).await;
        if fault_mode.is_survivable() {
            let profile = result.unwrap_or_else(|e| panic!("{}: {e}", fault_mode.as_str()));
            assert!(!profile.email_verified, "{}", fault_mode.as_str());
        } else {
            assert!(result.is_err(), "{} got in as {:?}", fault_mode.as_str(), result.map(|profile| profile.subject));
        }
    }
    network.hostile.set_fault_mode(None);
    Story::new(provider(&yaml, "hostile", |_| {})).sign_in("ivan").await.unwrap();
    assert!(network.hostile.requests_to("/elsewhere/jwks").is_empty(), "keys come from nowhere else");
    assert!(network.hostile.requests_to("/elsewhere/token").is_empty(), "redirects are not followed");
    assert!(network.hostile.requests_to("/elsewhere/userinfo").is_empty(), "and tokens not sent along");
}

#[tokio::test]
async fn a_fault_mode_is_refused_for_its_own_reason() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for (fault_mode, reason) in [
        (FaultMode::OtherIssuerInAnswer, "issuer_mismatch"),
        (FaultMode::NoIssuerInAnswer, "issuer_mismatch"),
        (FaultMode::OtherIssuerInToken, "issuer_mismatch"),
        (FaultMode::AlgorithmNone, "algorithm_not_allowed"),
        (FaultMode::Hs256WithPublicKey, "algorithm_not_allowed"),
        (FaultMode::StrangersKey, "signature_invalid"),
        (FaultMode::KeyInHeader, "signature_invalid"),
        (FaultMode::UnknownKid, "key_unknown"),
        (FaultMode::DuplicateKid, "key_unknown"),
        (FaultMode::Tampered, "signature_invalid"),
        (FaultMode::OtherAudience, "audience_mismatch"),
        (FaultMode::OtherNonce, "nonce_mismatch"),
        (FaultMode::Expired, "token_expired"),
        (FaultMode::FromTheFuture, "token_not_yet_valid"),
        (FaultMode::ZeroSubject, "subject_missing"),
        (FaultMode::UserinfoAboutSomebodyElse, "subject_mismatch"),
        (FaultMode::NoIdToken, "token_missing"),
    ] {
        network.hostile.set_fault_mode(Some(fault_mode));
        let story = Story::new(provider(&yaml, "hostile", |_| {}));
        assert_eq!(slug(story.sign_in("ivan").await), reason, "{}", fault_mode.as_str());
    }
}

#[tokio::test]
async fn the_fault_mode_is_chosen_by_hand_on_the_hostile_page_only() {
    let hostile = oidc::start_hostile(Options::default()).await.unwrap();
    let chosen = open(&format!("{}/fault-mode?name=alg-none", hostile.base_url)).await;
    assert!(chosen.body.contains("<b>alg-none</b>"));
    assert_eq!(hostile.turn(|knobs| knobs.fault_mode), Some(FaultMode::AlgorithmNone));
    let friendly = oidc::start(Options::default()).await.unwrap();
    assert_eq!(open(&format!("{}/fault-mode?name=alg-none", friendly.base_url)).await.status, 404);
}

#[tokio::test]
async fn vk_echoes_the_state_and_names_one_person() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "vk", |_| {}));
    network.vk.turn(|knobs| knobs.wrong_state_in_answer = true);
    assert_eq!(slug(story.sign_in("ivan").await), "state_mismatch");
    network.vk.turn(|knobs| (knobs.wrong_state_in_answer, knobs.other_user_in_info) = (false, true));
    assert_eq!(slug(story.sign_in("ivan").await), "subject_mismatch");
    network.vk.turn(|knobs| (knobs.other_user_in_info, knobs.no_device_id) = (false, true));
    assert_eq!(slug(story.sign_in("ivan").await), "callback_malformed");
}
