//! One identity behind all ways in, and what is assumed of Telegram's OpenID Connect.

use userd_providers::telegram::bot_profile;

use super::*;

/// A payload of one way in is no payload of another: their keys differ although the token is one.
#[tokio::test]
async fn a_widget_signature_is_no_mini_app_signature() {
    let story = telegram().await;
    let fields = widget_vectors()[1].clone();
    let raw = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    assert_eq!(slug(init_data_at(&story, &raw, now()).await), "signature_invalid");
}

#[tokio::test]
async fn every_way_in_leads_to_the_same_account() {
    let story = telegram().await;
    story.behave(|b| b.subject = json!(424_242_424_242_u64));
    let by_oidc = story.sign_in().await.unwrap();
    let by_widget = widget_at(&story, &widget_vectors()[0], now()).await.unwrap();
    let by_mini_app = init_data_at(&story, &init_data_vectors()[0], now()).await.unwrap();
    for profile in [&by_widget, &by_mini_app] {
        assert_eq!(
            (&profile.provider, &profile.issuer, &profile.subject),
            (&by_oidc.provider, &by_oidc.issuer, &by_oidc.subject)
        );
    }
    let opaque = SubjectKey { issuer: "https://oauth.telegram.org#sub".into(), subject: "99887766554433".into() };
    assert_eq!(by_oidc.secondary, Some(opaque), "the opaque sub has a namespace of its own");
}

#[tokio::test]
async fn the_id_token_fills_the_profile_without_a_user_info_call() {
    let story = telegram().await;
    story.behave(|b| {
        b.claims = json!({ "phone_number": "971577777777", "preferred_username": "ann", "picture": "http://t.me/x.jpg",
            "email": "forged@example.com", "email_verified": true });
    });
    let profile = story.sign_in().await.unwrap();
    assert_eq!(profile.phone.as_deref(), Some("+971577777777"));
    assert_eq!((profile.username.as_deref(), profile.picture, profile.email), (Some("ann"), None, None));
    assert!(story.upstream.requests_to("/userinfo").is_empty());
}

#[tokio::test]
async fn bot_access_is_what_was_asked_and_granted() {
    let story = Story::with(Kind::Telegram, |config| {
        config.scopes = Some(vec!["openid".into(), "telegram:bot_access".into()]);
    })
    .await;
    let url = story.begin().await.unwrap().url;
    assert!(url.query().unwrap().contains("profile"), "the scope that gives the id is always asked for");
    assert_eq!(story.sign_in().await.unwrap().bot_access, Some(true));
    story.behave(|b| b.token = json!({ "scope": "openid profile" }));
    assert_eq!(story.sign_in().await.unwrap().bot_access, Some(false));
    assert_eq!(telegram().await.sign_in().await.unwrap().bot_access, None);
}

/// `origin` and `bot_id` would make Telegram answer in its legacy way.
#[tokio::test]
async fn the_authorize_url_stays_modern() {
    let url = telegram().await.begin().await.unwrap().url;
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert!(!names.iter().any(|name| name == "origin" || name == "bot_id"), "{names:?}");
}

/// Whether the code flow echoes the nonce is contested: absent is accepted there, and nowhere else.
#[tokio::test]
async fn pinned_assumption_telegram_may_leave_the_nonce_out_of_the_code_flow() {
    let story = telegram().await;
    story.behave(|b| b.nonce = None);
    assert!(story.sign_in().await.is_ok());
    let token = story.upstream.turn(|knobs| knobs.sign());
    let posted = NativeProof::IdToken { token: &token, nonce: Some("given-to-the-page") };
    assert_eq!(slug(story.native(posted).await), "nonce_missing");
    let strict = Story::with(Kind::Telegram, |config| config.require_nonce = Some(true)).await;
    strict.behave(|b| b.nonce = None);
    assert_eq!(slug(strict.sign_in().await), "nonce_missing");
}

/// The opaque `sub` may differ from bot to bot: nothing is keyed on it.
#[tokio::test]
async fn pinned_assumption_telegram_sub_may_change_with_the_bot() {
    let story = telegram().await;
    let one = story.sign_in().await.unwrap();
    story.behave(|b| b.claims = json!({ "sub": "another-opaque-text" }));
    let two = story.sign_in().await.unwrap();
    assert_eq!(one.subject, two.subject);
    assert_ne!(one.secondary, two.secondary);
}

/// Undocumented limits: 128-bit states and codes up to 4 KiB must pass.
#[tokio::test]
async fn pinned_assumption_telegram_takes_our_state_and_any_code() {
    let story = telegram().await;
    assert!(story.begin().await.unwrap().url.as_str().contains(STATE));
    let long = "x".repeat(4096);
    assert_eq!(slug(story.sign_in_at(&[("code", &long)], now()).await), "code_refused", "it was sent");
}

#[tokio::test]
async fn who_writes_to_the_bot_is_the_same_account() {
    let story = telegram().await;
    let user = json!({ "id": 7, "is_bot": false, "first_name": "Ann", "username": "ann" });
    let profile = bot_profile(story.provider.as_ref(), "7", user.as_object().unwrap()).unwrap();
    assert_eq!((profile.issuer.as_str(), profile.subject.as_str()), ("https://oauth.telegram.org", "7"));
    assert_eq!((profile.bot_access, profile.username.as_deref()), (Some(true), Some("ann")));
}
