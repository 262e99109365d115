//! The login widget: its hash, its age, its numbers.

use super::*;

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
    assert_eq!(slug(widget_at(&story, &more, now()).await), "signature_invalid");
    let mut swapped = good.clone();
    swapped.insert("first_name".into(), good["last_name"].clone());
    swapped.insert("last_name".into(), good["first_name"].clone());
    assert_eq!(slug(widget_at(&story, &swapped, now()).await), "signature_invalid");
}

/// The signature covers what came, whatever we know of it (fault 15).
#[tokio::test]
async fn a_signed_field_that_nobody_knows_and_a_blank_one_are_fine() {
    let story = telegram().await;
    let good = widget_vectors()[1].clone();
    for (name, value) in [("last_name", ""), ("is_premium", "true"), ("allows_write_to_pm", ""), ("x", "1")] {
        let mut more = good.clone();
        more.insert(name.into(), value.into());
        let signed = widget_at(&story, &sign_widget(more, BOT_TOKEN), now()).await.unwrap();
        assert_eq!((signed.subject.as_str(), signed.name.as_deref()), ("1", Some("A")), "{name}");
    }
    let mut filled_in = good.clone();
    filled_in.insert("last_name".into(), String::new());
    filled_in.insert("photo_url".into(), String::new());
    let filled_in = widget_at(&story, &filled_in, now()).await.unwrap();
    let plain = widget_at(&story, &good, now()).await.unwrap();
    assert_eq!(filled_in.replay_keys, plain.replay_keys, "and is the same use of the same payload");
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
        let mut dependencies = support::dependencies();
        dependencies.telegram_bot_token = Some(Secret::new(token));
        let config = support::config(Kind::Telegram, "https://oauth.telegram.org");
        let error = build(&config, &dependencies).err().unwrap_or_else(|| panic!("{token:?}"));
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
            let once = result.unwrap().replay_keys;
            assert_eq!(once.len(), 1);
            assert_eq!((once[0].purpose, once[0].until), ("telegram_widget", later(330)));
        } else {
            assert_eq!(slug(result), "payload_stale", "{seconds}");
        }
    }
    let first = widget_at(&story, &fields, now()).await.unwrap().replay_keys;
    let second = widget_at(&story, &fields, later(10)).await.unwrap().replay_keys;
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
    assert_eq!(slug(story.finish(&params, &redirect.remember, now()).await), "signature_invalid");
}

/// A field that comes twice never reaches a provider.
#[test]
fn a_callback_with_a_repeated_field_is_refused() {
    let twice = userd_providers::callback_params(b"id=1&first_name=A&auth_date=1767225600&id=2&hash=00");
    assert_eq!(slug(twice), "callback_malformed");
}
