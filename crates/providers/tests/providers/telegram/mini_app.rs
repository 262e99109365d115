//! Mini Apps: `initData` by the bot's token or by Telegram's public key.

use super::*;

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
        assert_eq!(reversed.replay_keys, straight.replay_keys, "another order is not another use");
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
    let once = init_data_at(&story, raw, now()).await.unwrap().replay_keys;
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
    assert_eq!(by_token.replay_keys, profile.replay_keys, "both forms are one use");
    // `hash` is outside this signature: changing it must not make another use.
    let other_hash = raw.replace("hash=3fea", "hash=0000");
    assert_eq!(init_data_at(&story, &other_hash, now()).await.unwrap().replay_keys, profile.replay_keys);
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
    let mut dependencies = support::dependencies();
    dependencies.telegram_bot_token = None;
    let other_bot = build(&config, &dependencies).unwrap();
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

/// The operator may let whoever has the data use it again; otherwise its holder only (fault 16).
#[tokio::test]
async fn init_data_is_used_again_by_its_holder_or_where_the_operator_says_so() {
    for reuse in [false, true] {
        let options = TelegramOptions { mini_app_reuse: reuse, ..TelegramOptions::default() };
        let story = Story::with(Kind::Telegram, |config| config.telegram = Some(options)).await;
        let raw = &init_data_vectors()[0];
        let keys = init_data_at(&story, raw, now()).await.unwrap().replay_keys;
        assert_eq!(keys.iter().map(|key| key.again_by_holder).collect::<Vec<_>>(), vec![true; usize::from(!reuse)]);
        assert_eq!(slug(init_data_at(&story, raw, later(601)).await), "payload_stale", "within its window");
    }
}
