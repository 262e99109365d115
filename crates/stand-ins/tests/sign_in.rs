//! Our own providers, configured as the network writes it, against every stand-in: begin, page, callback, finish.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use support::{Story, entries, open, provider, slug};
use userd_providers::{NativeProof, callback_params};
use userd_stand_ins::{
    network::FakeNetwork,
    telegram::{self, NonceEcho, WidgetAnswer},
};

#[tokio::test]
async fn every_provider_of_the_written_configuration_signs_somebody_in() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    assert_eq!(entries(&yaml).len(), 7);
    for id in ["yandex", "telegram", "vk", "github", "apple", "friendly", "hostile"] {
        let story = Story::new(provider(&yaml, id, |_| {}));
        let profile = story.sign_in("ivan").await.unwrap_or_else(|e| panic!("{id}: {e}"));
        assert!(!profile.subject.is_empty(), "{id}");
        assert_eq!(profile.name.as_deref(), Some("Иван Петров"), "{id}");
        let email = profile.email.as_deref();
        assert_eq!(email, (id != "telegram").then_some("ivan.petrov@yandex.ru"), "{id}");
        let again = story.sign_in("ivan").await.unwrap();
        assert_eq!(again.subject, profile.subject, "{id}: the same person is the same subject");
        let other = story.sign_in("maria").await.unwrap();
        assert_ne!(other.subject, profile.subject, "{id}");
    }
}

#[tokio::test]
async fn every_provider_is_told_when_the_person_declines() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for entry in entries(&yaml) {
        let story = Story::new(provider(&yaml, &entry.id, |_| {}));
        assert_eq!(slug(story.sign_in("deny").await), "access_denied", "{}", entry.id);
    }
}

#[tokio::test]
async fn every_authorize_page_asks_who_it_is_and_its_buttons_lead_back() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for entry in entries(&yaml) {
        let story = Story::new(provider(&yaml, &entry.id, |_| {}));
        let page = open(story.begin().await.unwrap().url.as_str()).await;
        assert_eq!(page.status, 200, "{}", entry.id);
        for button in ["value=\"ivan\"", "value=\"maria\"", "value=\"deny\""] {
            assert!(page.body.contains(button), "{}: {button}", entry.id);
        }
        assert!(support::hidden_fields(&page.body).contains(&("state".into(), support::STATE.into())), "{}", entry.id);
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_only_with_its_verifier() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for entry in entries(&yaml) {
        let story = Story::new(provider(&yaml, &entry.id, |_| {}));
        let redirect = story.begin().await.unwrap();
        let params = story.click(&redirect, "ivan").await;
        story.finish(&redirect, &params).await.unwrap();
        assert_eq!(slug(story.finish(&redirect, &params).await), "code_refused", "{}", entry.id);
        // A code that was obtained with another challenge: injected.
        let mut foreign = redirect.clone();
        let other = userd_providers::pkce_challenge("another-verifier-another-verifier-another-ver");
        let pairs: Vec<(String, String)> = redirect.url.query_pairs().into_owned().collect();
        foreign.url.query_pairs_mut().clear().extend_pairs(
            pairs.iter().map(|(name, value)| (name, if name == "code_challenge" { &other } else { value })),
        );
        let params = story.click(&foreign, "ivan").await;
        assert_eq!(slug(story.finish(&redirect, &params).await), "code_refused", "{}", entry.id);
    }
}

#[tokio::test]
async fn people_without_an_address_or_a_phone_come_in_too() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    let yandex = Story::new(provider(&yaml, "yandex", |_| {}));
    let maria = yandex.sign_in("maria").await.unwrap();
    assert_eq!((maria.email.as_deref(), maria.phone.as_deref()), (None, Some("+79007654321")));
    assert_eq!((maria.birthday.as_deref(), maria.username), (Some("0000-12-23"), None));
    let oleg = yandex.sign_in("oleg").await.unwrap();
    assert_eq!((oleg.email, oleg.phone, oleg.picture), (None, None, None));
    let zoe = Story::new(provider(&yaml, "friendly", |_| {})).sign_in("zoe").await.unwrap();
    assert_eq!((zoe.email.as_deref(), zoe.email_verified), (Some("zoe@example.org"), false));
    let apple = Story::new(provider(&yaml, "apple", |_| {})).sign_in("oleg").await.unwrap();
    assert!(apple.email.unwrap().ends_with("@privaterelay.appleid.com"));
    assert_eq!(apple.extra["is_private_email"], true);
}

#[tokio::test]
async fn apple_tells_the_name_once() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "apple", |_| {}));
    assert!(story.begin().await.unwrap().form_post);
    assert_eq!(story.sign_in("ivan").await.unwrap().name.as_deref(), Some("Иван Петров"));
    assert_eq!(story.sign_in("ivan").await.unwrap().name, None);
    let proof = network.apple.id_token("ivan", None).unwrap();
    let profile = story.provider.native(&NativeProof::IdToken { token: &proof, nonce: None }, story.now).await.unwrap();
    assert!(profile.email_verified);
}

#[tokio::test]
async fn telegrams_ways_in_lead_to_one_identity() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "telegram", |_| {}));
    let by_code = story.sign_in("ivan").await.unwrap();
    assert_eq!(by_code.subject, "424242424242");
    assert_eq!((by_code.phone.as_deref(), by_code.bot_access), (Some("+79001234567"), Some(true)));
    assert_ne!(by_code.secondary.as_ref().unwrap().subject, by_code.subject);
    let telegram = &network.telegram;
    let (token, fields, data) = (
        telegram.id_token("ivan", None).unwrap(),
        telegram.widget_fields("ivan").unwrap(),
        telegram.init_data("ivan").unwrap(),
    );
    let fragment = telegram::widget::fragment(&fields);
    for proof in [
        NativeProof::IdToken { token: &token, nonce: None },
        NativeProof::Widget(&fields),
        NativeProof::WidgetFragment(&fragment),
        NativeProof::InitData(&data),
    ] {
        let profile = story.provider.native(&proof, story.now).await.unwrap();
        assert_eq!((profile.issuer, profile.subject), (by_code.issuer.clone(), by_code.subject.clone()));
    }
}

#[tokio::test]
async fn telegram_signs_with_any_of_its_algorithms_and_its_nonce_habits_are_knobs() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "telegram", |_| {}));
    for algorithm in userd_jose::Algorithm::ALL {
        network.telegram.turn(|knobs| knobs.algorithm = algorithm);
        assert_eq!(story.sign_in("ivan").await.unwrap().subject, "424242424242", "{algorithm:?}");
    }
    network.telegram.turn(|knobs| knobs.nonce = NonceEcho::Absent);
    story.sign_in("ivan").await.unwrap();
    network.telegram.turn(|knobs| knobs.nonce = NonceEcho::Wrong);
    assert_eq!(slug(story.sign_in("ivan").await), "nonce_mismatch");
    network.telegram.turn(|knobs| (knobs.nonce, knobs.no_numeric_id) = (NonceEcho::Present, true));
    assert_eq!(slug(story.sign_in("ivan").await), "telegram_id_missing");
    network.telegram.turn(|knobs| (knobs.no_numeric_id, knobs.other_audience) = (false, true));
    assert_eq!(slug(story.sign_in("ivan").await), "audience_mismatch");
}

#[tokio::test]
async fn the_widgets_page_answers_in_the_fragment_or_the_query() {
    let network = FakeNetwork::start(0).await.unwrap();
    let provider = provider(&network.config(), "telegram", |entry| {
        let options = serde_json::json!({ "start": "widget" });
        entry.telegram = Some(serde_json::from_value(options).unwrap());
    });
    let story = Story::new(provider);
    for answer in [WidgetAnswer::Fragment, WidgetAnswer::Query] {
        network.telegram.turn(|knobs| knobs.widget = answer);
        let profile = story.sign_in("ivan").await.unwrap();
        assert_eq!(profile.subject, "424242424242", "{answer:?}");
    }
}

#[tokio::test]
async fn a_telegram_app_without_a_secret_signs_in_with_pkce() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "telegram", |entry| entry.client_secret = None));
    let link = format!(
        "{}/crossapp?client_id={}&response_type=code&scope=openid%20profile&android_sdk=1&code_challenge_method=S256\
         &redirect_uri=https%3A%2F%2Fapp1-login.tg.dev%2Ftglogin&code_challenge={}",
        network.telegram.base_url,
        telegram::BOT_ID,
        userd_providers::pkce_challenge(support::VERIFIER),
    );
    let (_, answer) = support::get(&link, &[]).await;
    assert!(answer["url"].as_str().unwrap().starts_with("tg://resolve?"));
    let back = open(&format!("{}&person=ivan&auto=1", answer["page"].as_str().unwrap())).await.location.unwrap();
    let params = callback_params(url::Url::parse(&back).unwrap().query().unwrap().as_bytes()).unwrap();
    let proof = NativeProof::Code {
        code: &params["code"],
        verifier: support::VERIFIER,
        redirect_uri: Some("https://app1-login.tg.dev/tglogin"),
        nonce: None,
    };
    assert_eq!(story.provider.native(&proof, story.now).await.unwrap().subject, "424242424242");
}

#[tokio::test]
async fn tokens_are_refreshed_and_revoked_where_the_provider_can() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for id in ["yandex", "vk", "apple", "friendly"] {
        let story = Story::new(provider(&yaml, id, |entry| entry.keep_tokens = Some(true)));
        let tokens = story.sign_in("ivan").await.unwrap().tokens.unwrap();
        let fresh = story.provider.refresh(&tokens, story.now).await.unwrap_or_else(|e| panic!("{id}: {e}"));
        let same = fresh.access_token.expose() == tokens.access_token.expose();
        assert_eq!(same, id == "yandex", "{id}: only Yandex gives the same access token again");
        story.provider.revoke(&fresh, story.now).await.unwrap();
        assert!(story.provider.refresh(&fresh, story.now).await.is_err(), "{id}: revoked");
    }
}

#[tokio::test]
async fn tokens_that_apps_hand_over_are_checked_for_their_client() {
    let network = FakeNetwork::start(0).await.unwrap();
    let yaml = network.config();
    for id in ["yandex", "github"] {
        let story =
            Story::new(provider(&yaml, id, |entry| (entry.keep_tokens, entry.native) = (Some(true), Some(true))));
        let tokens = story.sign_in("ivan").await.unwrap().tokens.unwrap();
        let proof = NativeProof::AccessToken(tokens.access_token.expose());
        story.provider.native(&proof, story.now).await.unwrap();
        match id {
            "yandex" => network.yandex.turn(|knobs| knobs.client_id_in_info = Some("another-app".into())),
            _ => network.github.turn(|knobs| knobs.other_app_in_check = true),
        }
        assert_eq!(slug(story.provider.native(&proof, story.now).await), "client_mismatch", "{id}");
    }
}

#[tokio::test]
async fn github_lists_the_real_address_and_hides_it_when_told() {
    let network = FakeNetwork::start(0).await.unwrap();
    let story = Story::new(provider(&network.config(), "github", |_| {}));
    let ivan = story.sign_in("ivan").await.unwrap();
    assert_eq!((ivan.email.as_deref(), ivan.email_verified), (Some("ivan.petrov@yandex.ru"), true));
    assert!(!story.sign_in("zoe").await.unwrap().email_verified);
    network.github.turn(|knobs| knobs.no_reply_only = true);
    assert_eq!(story.sign_in("ivan").await.unwrap().email, None);
}
