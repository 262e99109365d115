//! Telegram's doors: signed payloads with every kind of damage, and one identity behind all of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::{BOT_ID, BOT_TOKEN, STATE, Story, later, now, slug};
use userd_model::Timestamp;
use userd_providers::{
    Kind, MiniAppCheck, NativeProof, Profile, ProviderFault, Secret, SubjectKey, TelegramOptions, TelegramStart, build,
};

type Fields = BTreeMap<String, String>;

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/telegram_vectors.json")).unwrap()
}

async fn telegram() -> Story {
    Story::new(Kind::Telegram).await
}

fn widget_vectors() -> Vec<Fields> {
    let vectors = vectors();
    let fields = |vector: &Value| {
        let mut fields: Fields = serde_json::from_value(vector["data"].clone()).unwrap();
        fields.insert("hash".into(), vector["hash"].as_str().unwrap().into());
        fields
    };
    vectors["widget"].as_array().unwrap().iter().map(fields).collect()
}

fn init_data_vectors() -> Vec<String> {
    vectors()["initdata"].as_array().unwrap().iter().map(|v| v["qs"].as_str().unwrap().to_owned()).collect()
}

async fn widget_at(story: &Story, fields: &Fields, at: Timestamp) -> Result<Profile, ProviderFault> {
    story.provider.native(&NativeProof::Widget(fields), at).await
}

async fn init_data_at(story: &Story, raw: &str, at: Timestamp) -> Result<Profile, ProviderFault> {
    story.provider.native(&NativeProof::InitData(raw), at).await
}

/// Signs fields as Telegram does, with any token.
fn sign_widget(mut fields: Fields, token: &str) -> Fields {
    fields.remove("hash");
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = digest::digest(&digest::SHA256, token.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text.join("\n").as_bytes());
    fields.insert("hash".into(), hex::encode(tag.as_ref()));
    fields
}

fn sign_init_data(fields: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.sort();
    let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"WebAppData"), BOT_TOKEN.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), lines.join("\n").as_bytes());
    let hash = hex::encode(tag.as_ref());
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("hash", &hash).finish()
}

#[tokio::test]
async fn the_known_widget_payloads_are_accepted() {
    let story = telegram().await;
    let all = widget_vectors();
    let profile = widget_at(&story, &all[0], now()).await.unwrap();
    assert_eq!(profile.subject, "424242424242");
    assert_eq!(profile.name.as_deref(), Some("Иван O'Neil & Сыновья"));
    assert_eq!(profile.username.as_deref(), Some("ivan_test"));
    assert_eq!(profile.picture.as_deref(), Some("https://t.me/i/userpic/320/abc.jpg"));
    assert_eq!((profile.issuer.as_str(), profile.email_verified), ("https://oauth.telegram.org", false));
    assert_eq!(widget_at(&story, &all[1], now()).await.unwrap().subject, "1");
}

#[tokio::test]
async fn the_known_fragment_is_accepted() {
    let story = telegram().await;
    let result = "eyJpZCI6MSwiZmlyc3RfbmFtZSI6IkEiLCJhdXRoX2RhdGUiOjE3NjcyMjU2MDAsImhhc2giOiIzNmVlOWQwNWUxZWIxMTcxNDU2ZTJjYjBhZjJjZTFmNjg4ZDJkNzdlNzRiNDkwZDk2MjRiMzUzNDg0MDc5YjRmIn0";
    assert_eq!(story.native(NativeProof::WidgetFragment(result)).await.unwrap().subject, "1");
    for bad in ["", "e30", "!!!", "bm90IGpzb24", "W10", &result[..result.len() - 8]] {
        assert_eq!(slug(story.native(NativeProof::WidgetFragment(bad)).await), "payload_malformed", "{bad}");
    }
    let twice = URL_SAFE_NO_PAD.encode(r#"{"id":1,"id":2,"hash":"00"}"#);
    assert_eq!(slug(story.native(NativeProof::WidgetFragment(&twice)).await), "payload_malformed");
}

/// AC-071: every bit of the hash counts, in one spelling only.
#[tokio::test]
async fn a_widget_hash_with_one_bit_changed_is_refused() {
    let story = telegram().await;
    for fields in widget_vectors() {
        let hash = hex::decode(&fields["hash"]).unwrap();
        for bit in 0..256 {
            let mut changed = hash.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut fields = fields.clone();
            fields.insert("hash".into(), hex::encode(changed));
            assert_eq!(slug(widget_at(&story, &fields, now()).await), "signature_invalid", "bit {bit}");
        }
        let original = fields["hash"].clone();
        for other in [
            original.to_uppercase(),
            format!("{original}00"),
            original[2..].into(),
            format!(" {original}"),
            String::new(),
        ] {
            let mut fields = fields.clone();
            fields.insert("hash".into(), other);
            assert_eq!(slug(widget_at(&story, &fields, now()).await), "payload_malformed");
        }
    }
}

/// AC-071: a field added, removed, renamed, or whose value moved to another, breaks the signature.
#[tokio::test]
async fn widget_fields_cannot_be_added_removed_or_moved() {
    let story = telegram().await;
    let good = widget_vectors()[0].clone();
    for name in good.keys() {
        let mut fewer = good.clone();
        fewer.remove(name);
        assert!(widget_at(&story, &fewer, now()).await.is_err(), "without {name}");
        let mut blank = good.clone();
        blank.insert(name.clone(), String::new());
        assert!(widget_at(&story, &blank, now()).await.is_err(), "blank {name}");
    }
    let mut more = good.clone();
    more.insert("is_admin".into(), "true".into());
    assert_eq!(slug(widget_at(&story, &more, now()).await), "payload_malformed");
    let signed_more = sign_widget(more, BOT_TOKEN);
    assert_eq!(slug(widget_at(&story, &signed_more, now()).await), "payload_malformed", "only the seven names");
    let mut swapped = good.clone();
    swapped.insert("first_name".into(), good["last_name"].clone());
    swapped.insert("last_name".into(), good["first_name"].clone());
    assert_eq!(slug(widget_at(&story, &swapped, now()).await), "signature_invalid");
}

/// AC-071: two fields folded into one value by a line feed sign the same text, so no value may hold one.
#[tokio::test]
async fn a_value_cannot_pose_as_two_fields() {
    let story = telegram().await;
    let mut folded = widget_vectors()[0].clone();
    let id = folded.remove("id").unwrap();
    let name = folded["first_name"].clone();
    folded.insert("first_name".into(), format!("{name}\nid={id}"));
    assert_eq!(slug(widget_at(&story, &folded, now()).await), "payload_malformed");
}

/// AC-071: an empty token would make everybody a signer, so none is accepted at start.
#[tokio::test]
async fn an_empty_or_foreign_bot_token_signs_nothing() {
    let story = telegram().await;
    for token in ["", ":", "110201543:", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaX"] {
        let fields = sign_widget(widget_vectors()[0].clone(), token);
        assert_eq!(slug(widget_at(&story, &fields, now()).await), "signature_invalid", "{token}");
    }
    for token in [
        "",
        " ",
        ":",
        "110201543",
        "110201543:short",
        "x:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    ] {
        let mut surroundings = support::surroundings();
        surroundings.telegram_bot_token = Some(Secret::new(token));
        let config = support::config(Kind::Telegram, "https://oauth.telegram.org");
        let error = build(&config, &surroundings).err().unwrap_or_else(|| panic!("{token:?}"));
        assert!(matches!(error.field.as_str(), "telegram.bot_token" | "client_id"), "{error}");
    }
}

/// AC-070: five minutes old is the last second, half a minute ahead the first; and both uses are one.
#[tokio::test]
async fn a_widget_payload_is_fresh_and_counted_once() {
    let story = telegram().await;
    let fields = widget_vectors()[1].clone();
    let at = |seconds: i64| Timestamp::from_seconds(now().seconds() + seconds);
    for (seconds, fresh) in [(-31, false), (-30, true), (0, true), (300, true), (301, false), (86_400, false)] {
        let result = widget_at(&story, &fields, at(seconds)).await;
        if fresh {
            let once = result.unwrap().single_use;
            assert_eq!(once.len(), 1);
            assert_eq!((once[0].purpose, once[0].until), ("telegram_widget", later(330)));
        } else {
            assert_eq!(slug(result), "payload_stale", "{seconds}");
        }
    }
    let first = widget_at(&story, &fields, now()).await.unwrap().single_use;
    let second = widget_at(&story, &fields, later(10)).await.unwrap().single_use;
    assert_eq!(first, second, "the same payload is the same use");
}

#[tokio::test]
async fn odd_spellings_of_numbers_are_refused_even_when_signed() {
    let story = telegram().await;
    let base = widget_vectors()[1].clone();
    for (name, value, expected) in [
        ("id", "0", "subject_missing"),
        ("id", "-1", "subject_missing"),
        ("id", "01", "subject_missing"),
        ("id", "+1", "subject_missing"),
        ("id", "1.0", "subject_missing"),
        ("id", "1 ", "subject_missing"),
        ("id", "", "subject_missing"),
        ("id", "4503599627370496", "subject_missing"),
        ("id", "99999999999999999999", "subject_missing"),
        ("auth_date", "01767225600", "payload_malformed"),
        ("auth_date", "+1767225600", "payload_malformed"),
        ("auth_date", "1767225600.5", "payload_malformed"),
        ("auth_date", "", "payload_malformed"),
    ] {
        let mut fields = base.clone();
        fields.insert(name.into(), value.into());
        let result = widget_at(&story, &sign_widget(fields, BOT_TOKEN), now()).await;
        assert_eq!(slug(result), expected, "{name}={value}");
    }
}

#[tokio::test]
async fn the_widget_answers_the_browser_flow_too() {
    let options = TelegramOptions { start: TelegramStart::Widget, ..TelegramOptions::default() };
    let story = Story::with(Kind::Telegram, |config| config.telegram = Some(options)).await;
    let redirect = story.begin().await.unwrap();
    let query: BTreeMap<String, String> = redirect.url.query_pairs().into_owned().collect();
    assert_eq!((query["bot_id"].as_str(), query["origin"].as_str()), (BOT_ID, "https://users.example"));
    assert!(query["return_to"].contains(STATE), "our state comes back with the fields");
    let mut params = widget_vectors()[0].clone();
    params.insert("state".into(), STATE.into());
    let profile = story.finish(&params, &redirect.remember, now()).await.unwrap();
    assert_eq!(profile.subject, "424242424242");
    params.insert("lang".into(), "ru".into());
    assert_eq!(slug(story.finish(&params, &redirect.remember, now()).await), "payload_malformed");
}

/// A field that comes twice never reaches a provider.
#[test]
fn a_callback_with_a_repeated_field_is_refused() {
    let twice = userd_providers::callback_params(b"id=1&first_name=A&auth_date=1767225600&id=2&hash=00");
    assert_eq!(slug(twice), "callback_malformed");
}

#[tokio::test]
async fn the_known_init_data_is_accepted() {
    let story = telegram().await;
    for raw in init_data_vectors() {
        let profile = init_data_at(&story, &raw, now()).await.unwrap();
        assert_eq!(profile.subject, "424242424242");
        assert_eq!(profile.name.as_deref(), Some("Иван + - ? \\/"));
        assert_eq!((profile.locale.as_deref(), profile.bot_access), (Some("ru"), Some(true)));
        assert_eq!(profile.issuer, "https://oauth.telegram.org");
    }
    let with_param = init_data_at(&story, &init_data_vectors()[1], now()).await.unwrap();
    assert_eq!(with_param.extra["start_param"], "ref_1-2_3");
}

/// AC-071: any character of `initData` changed, any field removed, repeated or added: refused.
#[tokio::test]
async fn init_data_with_anything_changed_is_refused() {
    let story = telegram().await;
    for raw in init_data_vectors() {
        for at in 0..raw.len() {
            let mut changed = raw.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(init_data_at(&story, &changed, now()).await.is_err(), "at {at}: {changed}");
        }
        let pairs: Vec<&str> = raw.split('&').collect();
        for (at, pair) in pairs.iter().enumerate() {
            let fewer: Vec<&str> =
                pairs.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, p)| *p).collect();
            assert!(init_data_at(&story, &fewer.join("&"), now()).await.is_err(), "without {pair}");
            let twice = format!("{raw}&{pair}");
            assert_eq!(slug(init_data_at(&story, &twice, now()).await), "payload_malformed", "twice {pair}");
        }
        assert_eq!(slug(init_data_at(&story, &format!("{raw}&extra=1"), now()).await), "signature_invalid");
        assert_eq!(slug(init_data_at(&story, &format!("{raw}&extra="), now()).await), "signature_invalid");
        let hash_at = raw.rfind("hash=").unwrap() + 5;
        let upper = format!("{}{}", &raw[..hash_at], raw[hash_at..].to_uppercase());
        assert_eq!(slug(init_data_at(&story, &upper, now()).await), "payload_malformed");
    }
}

#[tokio::test]
async fn the_order_of_init_data_fields_means_nothing() {
    let story = telegram().await;
    for raw in init_data_vectors() {
        let mut pairs: Vec<&str> = raw.split('&').collect();
        pairs.reverse();
        let reversed = init_data_at(&story, &pairs.join("&"), now()).await.unwrap();
        let straight = init_data_at(&story, &raw, now()).await.unwrap();
        assert_eq!(reversed.single_use, straight.single_use, "another order is not another use");
    }
}

/// AC-070: init data is good for ten minutes and for one use.
#[tokio::test]
async fn init_data_is_fresh_and_counted_once() {
    let story = telegram().await;
    let raw = &init_data_vectors()[1];
    assert!(init_data_at(&story, raw, later(600)).await.is_ok());
    assert_eq!(slug(init_data_at(&story, raw, later(601)).await), "payload_stale");
    let early = Timestamp::from_seconds(now().seconds() - 31);
    assert_eq!(slug(init_data_at(&story, raw, early).await), "payload_stale");
    let once = init_data_at(&story, raw, now()).await.unwrap().single_use;
    assert_eq!((once.len(), once[0].purpose, once[0].until), (1, "telegram_init_data", later(630)));
}

#[tokio::test]
async fn init_data_without_a_person_is_refused() {
    let story = telegram().await;
    let date = ("auth_date", "1767225600");
    for (user, expected) in [
        (None, "subject_missing"),
        (Some("null"), "payload_malformed"),
        (Some("[]"), "payload_malformed"),
        (Some("{}"), "subject_missing"),
        (Some(r#"{"id":"1"}"#), "subject_missing"),
        (Some(r#"{"id":0}"#), "subject_missing"),
        (Some(r#"{"id":-5}"#), "subject_missing"),
        (Some(r#"{"id":1.5}"#), "subject_missing"),
        (Some(r#"{"id":1,"id":2}"#), "payload_malformed"),
        (Some(r#"{"id":1,"is_bot":true}"#), "bot_refused"),
    ] {
        let mut fields = vec![date];
        fields.extend(user.map(|user| ("user", user)));
        assert_eq!(slug(init_data_at(&story, &sign_init_data(&fields), now()).await), expected, "{user:?}");
    }
    let blank = sign_init_data(&[date, ("user", r#"{"id":7}"#), ("chat_type", "")]);
    assert_eq!(init_data_at(&story, &blank, now()).await.unwrap().subject, "7", "blank values are signed too");
}

async fn by_public_key(key: Option<&str>) -> Story {
    let options = TelegramOptions {
        mini_app_check: Some(MiniAppCheck::PublicKey),
        mini_app_public_key: key.map(str::to_owned),
        ..TelegramOptions::default()
    };
    Story::with(Kind::Telegram, |config| config.telegram = Some(options)).await
}

#[tokio::test]
async fn init_data_is_accepted_by_telegrams_public_key_without_the_bots_token() {
    let own = vectors()["ed_own"].clone();
    let raw = own["qs"].as_str().unwrap();
    let story = by_public_key(own["pub"].as_str()).await;
    let profile = init_data_at(&story, raw, now()).await.unwrap();
    assert_eq!(profile.subject, "424242424242");
    let by_token = init_data_at(&telegram().await, raw, now()).await.unwrap();
    assert_eq!(by_token.single_use, profile.single_use, "both forms are one use");
    // `hash` is outside this signature: changing it must not make another use.
    let other_hash = raw.replace("hash=3fea", "hash=0000");
    assert_eq!(init_data_at(&story, &other_hash, now()).await.unwrap().single_use, profile.single_use);
}

#[tokio::test]
async fn init_data_signed_by_another_key_or_for_another_bot_is_refused() {
    let own = vectors()["ed_own"].clone();
    let raw = own["qs"].as_str().unwrap();
    for key in [None, Some("40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec")] {
        assert_eq!(slug(init_data_at(&by_public_key(key).await, raw, now()).await), "signature_invalid", "{key:?}");
    }
    let options =
        TelegramOptions { mini_app_public_key: own["pub"].as_str().map(str::to_owned), ..TelegramOptions::default() };
    let mut config = support::config(Kind::Telegram, "https://oauth.telegram.org");
    config.telegram = Some(options);
    config.client_id = "110201544".into();
    let mut surroundings = support::surroundings();
    surroundings.telegram_bot_token = None;
    let other_bot = build(&config, &surroundings).unwrap();
    assert_eq!(slug(other_bot.native(&NativeProof::InitData(raw), now()).await), "signature_invalid");
    let story = by_public_key(own["pub"].as_str()).await;
    let signature_at = raw.find("signature=").unwrap() + 10;
    for at in (signature_at..signature_at + 86).step_by(5) {
        let mut changed = raw.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(init_data_at(&story, &changed, now()).await.is_err(), "at {at}");
    }
}

/// A payload of one door is no payload of another: their keys differ although the token is one.
#[tokio::test]
async fn a_widget_signature_does_not_open_the_mini_app_door() {
    let story = telegram().await;
    let fields = widget_vectors()[1].clone();
    let raw = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    assert_eq!(slug(init_data_at(&story, &raw, now()).await), "signature_invalid");
}

#[tokio::test]
async fn every_door_leads_to_the_same_account() {
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
    assert!(story.upstream.asks("/userinfo").is_empty());
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
    let token = story.behaviour.lock().unwrap().sign();
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
