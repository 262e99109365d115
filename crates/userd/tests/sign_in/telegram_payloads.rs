//! Telegram's signed payloads, made by others at the time of the test: aiogram agrees with the widget's fields and
//! with `initData`, @tma.js signs `initData`. Genuine ones sign in once; whatever is changed in them is refused.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    clients::ask,
    fixture::Fixture,
    support::{Answer, Engine, TestApp, Tokens},
};

const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// Test 1 of RFC 8032 section 7.1, in Telegram's place.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PERSON: u64 = 424_242_424_242;

type Fields = BTreeMap<String, String>;

fn with_token(telegram: Value) -> Value {
    json!({
        "providers": [{ "id": "telegram", "kind": "telegram", "client_id": "110201543",
                        "client_secret": "a secret at Telegram", "telegram": telegram }],
        "telegram": { "bot_token": BOT_TOKEN },
    })
}

async fn open(app: &TestApp) -> Fixture {
    Fixture::open_with(&Fixture::address(app), with_token(json!({}))).await
}

#[expect(clippy::disallowed_methods, reason = "payloads are dated by the clock of whoever signs them")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn person_at(date: u64) -> Fields {
    let fields = [
        ("id", PERSON.to_string()),
        ("first_name", "Иван".to_owned()),
        ("last_name", "O'Neil & Сыновья".to_owned()),
        ("username", "ivan_test".to_owned()),
        ("photo_url", "https://t.me/i/userpic/320/abc.jpg".to_owned()),
        ("auth_date", date.to_string()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

fn app_at(date: u64) -> Fields {
    let user = json!({
        "id": PERSON, "first_name": "Иван", "last_name": "+ - ? \\/", "username": "ivan_test", "language_code": "ru",
        "allows_write_to_pm": true, "photo_url": "https://t.me/i/userpic/320/abc.svg",
    });
    let fields = [
        ("user", user.to_string().replace('/', "\\/")),
        ("chat_instance", "-3788475317572404878".to_owned()),
        ("chat_type", "private".to_owned()),
        ("start_param", String::new()),
        ("auth_date", date.to_string()),
    ];
    let mut fields: Fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    // aiogram's parser drops blank values; Telegram sends none.
    fields.retain(|_, value| !value.is_empty());
    fields
}

/// Has aiogram's side sign.
async fn aiogram(wishes: &[(&str, Fields)]) -> Option<Vec<Value>> {
    let wishes: Vec<Value> = wishes.iter().map(|(kind, fields)| json!({ "kind": kind, "fields": fields })).collect();
    let signed = ask("telegram_payloads.py", &[BOT_TOKEN, SEED], &json!(wishes)).await?;
    Some(signed.as_array().unwrap().clone())
}

async fn widget(fixture: &Fixture, fields: &Value) -> Answer {
    fixture.visitor().post("/v1/auth/telegram/widget", fields.clone()).await
}

async fn mini_app(fixture: &Fixture, init_data: &str) -> Answer {
    fixture.visitor().post("/v1/auth/telegram/mini-app", json!({ "init_data": init_data })).await
}

fn refused(answer: &Answer, reason: &str, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    assert_eq!(answer.json()["type"], "/problems/provider_refused", "{what}");
    assert_eq!(answer.json()["reason"], reason, "{what}");
}

/// A hash with one bit changed, for each of its bits.
fn bit_flips(hash: &str) -> impl Iterator<Item = String> + '_ {
    (0..hash.len() * 4).map(|bit| {
        let mut digits: Vec<char> = hash.chars().collect();
        let digit = digits[bit / 4].to_digit(16).unwrap() ^ (1 << (bit % 4));
        digits[bit / 4] = char::from_digit(digit, 16).unwrap();
        digits.into_iter().collect()
    })
}

fn decoded(init_data: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(init_data.as_bytes()).into_owned().collect()
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

on_each_engine! {
    async fn payloads_by_aiogram_and_tma_js_are_one_person(app: TestApp) {
        let fixture = open(&app).await;
        let at = now();
        let wishes = [
            ("widget", person_at(at)),
            ("widget", person_at(at - 200)),
            ("init_data", app_at(at)),
            // A person without a last name, a username and a picture has fewer fields.
            (
                "widget",
                person_at(at - 1)
                    .into_iter()
                    .filter(|(name, _)| ["id", "first_name", "auth_date"].contains(&name.as_str()))
                    .collect(),
            ),
        ];
        let Some(signed) = aiogram(&wishes).await else { return };
        let question = json!([{ "auth_date": at - 3, "fields": { "query_id": "AAHdF6IQAAAAAN0XohDhrOrc",
            "user": { "id": PERSON, "first_name": "Иван", "allows_write_to_pm": true }, "chat_type": "sender" } }]);
        let Some(by_tma) = ask("telegram_payloads.mjs", &[BOT_TOKEN], &question).await else { return };

        let ivan = Tokens::of(&widget(&fixture, &signed[0]).await.expect(200));
        let fragment = STANDARD_NO_PAD.encode(signed[1].to_string());
        let answers = [
            widget(&fixture, &json!({ "tgAuthResult": fragment })).await,
            mini_app(&fixture, signed[2].as_str().unwrap()).await,
            widget(&fixture, &signed[3]).await,
            mini_app(&fixture, by_tma[0].as_str().unwrap()).await,
        ];
        for answer in answers {
            assert_eq!(Tokens::of(&answer.expect(200)).user_id(), ivan.user_id());
        }
        assert_eq!(fixture.users().await, 1);
        assert_eq!(fixture.identities(&ivan).await.len(), 1);

        // A blocked one is told so, and stays out.
        fixture.block(ivan.user_id()).await;
        let Some(signed) = aiogram(&[("widget", person_at(at - 30))]).await else { return };
        widget(&fixture, &signed[0]).await.refused(403, "blocked");
    }

    /// AC-071: fields added, removed, changed, the hash's bits and case, another scheme, an empty token: refused.
    /// ASVS V6.8.2
    async fn a_changed_widget_payload_is_refused(app: TestApp) {
        let fixture = open(&app).await;
        let at = now();
        let Some(signed) = aiogram(&[("widget", person_at(at)), ("init_data", app_at(at))]).await else { return };
        let genuine = signed[0].clone();
        let hash = genuine["hash"].as_str().unwrap().to_owned();
        let with = |name: &str, value: &str| {
            let mut fields = genuine.clone();
            fields[name] = value.into();
            fields
        };
        for flipped in bit_flips(&hash) {
            refused(&widget(&fixture, &with("hash", &flipped)).await, "signature_invalid", &flipped);
        }
        refused(&widget(&fixture, &with("hash", &hash.to_uppercase())).await, "payload_malformed", "upper case");
        for (name, value) in genuine.as_object().unwrap() {
            let mut without = genuine.clone();
            without.as_object_mut().unwrap().remove(name);
            let answer = widget(&fixture, &without).await;
            assert_eq!(answer.status, 401, "without {name}: {}", answer.text);
            let changed = widget(&fixture, &with(name, &format!("{}0", value.as_str().unwrap()))).await;
            assert_eq!(changed.status, 401, "another {name}: {}", changed.text);
        }
        // Two values trade places; one value swallows the next line.
        let mut traded = with("first_name", genuine["last_name"].as_str().unwrap());
        traded["last_name"] = genuine["first_name"].clone();
        refused(&widget(&fixture, &traded).await, "signature_invalid", "values traded");
        let mut swallowed = with("first_name", &format!("Иван\nid={PERSON}"));
        swallowed["id"] = "1".into();
        refused(&widget(&fixture, &swallowed).await, "payload_malformed", "a line feed in a value");
        // A field that the widget does not have, in JSON and in the fragment; a field twice.
        refused(&widget(&fixture, &with("is_premium", "1")).await, "signature_invalid", "a field more");
        let fragment = |fields: &Value| json!({ "tgAuthResult": STANDARD_NO_PAD.encode(fields.to_string()) });
        refused(&widget(&fixture, &fragment(&with("state", "x"))).await, "signature_invalid", "a field more");
        let twice = format!("{{\"id\": 1, {}", &genuine.to_string()[1..]);
        refused(
            &widget(&fixture, &json!({ "tgAuthResult": STANDARD_NO_PAD.encode(&twice) })).await,
            "payload_malformed",
            "id twice",
        );
        let raw = fixture.visitor().request(reqwest::Method::POST, "/v1/auth/telegram/widget");
        let answer = raw.header("content-type", "application/json").body(twice).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "id twice");

        // The hash of the other scheme, and of no token at all.
        let app: BTreeMap<_, _> = decoded(signed[1].as_str().unwrap()).into_iter().collect();
        refused(&widget(&fixture, &with("hash", &app["hash"])).await, "signature_invalid", "the Mini App's hash");
        let lines: Vec<String> = person_at(at).iter().map(|(name, value)| format!("{name}={value}")).collect();
        let nobodys = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"");
        let nobodys = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, nobodys.as_ref());
        let nobodys = aws_lc_rs::hmac::sign(&nobodys, lines.join("\n").as_bytes());
        let nobodys: String = nobodys.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        refused(&widget(&fixture, &with("hash", &nobodys)).await, "signature_invalid", "an empty token");

        assert_eq!(fixture.users().await, 0, "a refused payload makes nobody");
        // None of this used up the genuine one.
        widget(&fixture, &genuine).await.expect(200);
    }

    /// AC-071: the same for Mini Apps.
    async fn changed_init_data_is_refused(app: TestApp) {
        let fixture = open(&app).await;
        let at = now();
        let Some(signed) = aiogram(&[("init_data", app_at(at)), ("widget", person_at(at))]).await else { return };
        let genuine = decoded(signed[0].as_str().unwrap());
        let with = |name: &str, value: &str| {
            let other = |(n, v): &(String, String)| (n.clone(), if n == name { value.to_owned() } else { v.clone() });
            encoded(&genuine.iter().map(other).collect::<Vec<_>>())
        };
        let hash = genuine.iter().find(|(name, _)| name == "hash").unwrap().1.clone();
        for flipped in bit_flips(&hash) {
            refused(&mini_app(&fixture, &with("hash", &flipped)).await, "signature_invalid", &flipped);
        }
        refused(&mini_app(&fixture, &with("hash", &hash.to_uppercase())).await, "payload_malformed", "upper case");
        for (place, (name, value)) in genuine.iter().enumerate() {
            let mut fewer = genuine.clone();
            fewer.remove(place);
            let answer = mini_app(&fixture, &encoded(&fewer)).await;
            assert_eq!(answer.status, 401, "without {name}: {}", answer.text);
            let answer = mini_app(&fixture, &with(name, &format!("{value}0"))).await;
            assert_eq!(answer.status, 401, "another {name}: {}", answer.text);
            let mut twice = genuine.clone();
            twice.push((name.clone(), value.clone()));
            refused(&mini_app(&fixture, &encoded(&twice)).await, "payload_malformed", &format!("{name} twice"));
        }
        let mut more = genuine.clone();
        more.push(("is_admin".to_owned(), "1".to_owned()));
        refused(&mini_app(&fixture, &encoded(&more)).await, "signature_invalid", "a field more");
        // The widget's scheme over the same fields, and its whole payload.
        let widgets: Vec<(String, String)> =
            signed[1].as_object().unwrap().iter().map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned())).collect();
        refused(&mini_app(&fixture, &encoded(&widgets)).await, "signature_invalid", "the widget's payload");
        refused(
            &mini_app(&fixture, &with("hash", signed[1]["hash"].as_str().unwrap())).await,
            "signature_invalid",
            "its hash",
        );
        refused(&mini_app(&fixture, "").await, "payload_malformed", "nothing");

        assert_eq!(fixture.users().await, 0, "a refused payload makes nobody");
        // Another order of the same fields is the same payload: what is signed is sorted.
        let backwards: Vec<_> = genuine.iter().rev().cloned().collect();
        mini_app(&fixture, &encoded(&backwards)).await.expect(200);
        refused(&mini_app(&fixture, signed[0].as_str().unwrap()).await, "replayed", "the first order");
    }

    /// AC-070: a payload that is old, from the future, or used before is refused; 64 uses at once make one session.
    async fn a_payload_counts_once_and_while_it_is_young(app: TestApp) {
        let fixture = open(&app).await;
        let at = now();
        let wishes = [
            ("widget", person_at(at)),
            ("widget", person_at(at - 310)),
            ("widget", person_at(at + 120)),
            ("init_data", app_at(at - 1)),
            ("init_data", app_at(at - 610)),
            ("init_data", app_at(at + 120)),
            ("widget", person_at(at - 2)),
            ("widget", person_at(at - 86_400)),
        ];
        let Some(signed) = aiogram(&wishes).await else { return };
        for stale in [1, 2, 7] {
            refused(&widget(&fixture, &signed[stale]).await, "payload_stale", &signed[stale].to_string());
        }
        for stale in [4, 5] {
            let text = signed[stale].as_str().unwrap();
            refused(&mini_app(&fixture, text).await, "payload_stale", text);
        }
        widget(&fixture, &signed[0]).await.expect(200);
        refused(&widget(&fixture, &signed[0]).await, "replayed", "the widget");
        let fragment = json!({ "tgAuthResult": STANDARD_NO_PAD.encode(signed[0].to_string()) });
        refused(&widget(&fixture, &fragment).await, "replayed", "the widget, as a fragment");
        let app = signed[3].as_str().unwrap();
        let ivan = Tokens::of(&mini_app(&fixture, app).await.expect(200));
        refused(&mini_app(&fixture, app).await, "replayed", "the Mini App");

        let sessions = |list: Value| list["items"].as_array().unwrap().len();
        let caller = fixture.visitor().with(&ivan);
        let before = sessions(caller.get("/v1/me/sessions").await.expect(200));
        let mut racing = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (visitor, fields) = (fixture.visitor(), signed[6].clone());
            racing.spawn(async move { visitor.post("/v1/auth/telegram/widget", fields).await.status });
        }
        let statuses = racing.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 503)), "{statuses:?}");
        assert_eq!(sessions(caller.get("/v1/me/sessions").await.expect(200)), before + 1);
        assert_eq!(fixture.users().await, 1);
    }

    async fn init_data_is_checked_by_the_public_key_without_any_token(app: TestApp) {
        let telegram = json!({ "mini_app_check": "public_key", "mini_app_public_key": PUBLIC_KEY });
        let mut file = with_token(telegram);
        file["telegram"] = json!({});
        let fixture = Fixture::open_with(&Fixture::address(&app), file).await;
        let at = now();
        let Some(signed) = aiogram(&[("init_data", app_at(at)), ("widget", person_at(at))]).await else { return };
        let genuine = decoded(signed[0].as_str().unwrap());
        let signature = genuine.iter().position(|(name, _)| name == "signature").unwrap();
        let original = genuine[signature].1.clone();
        for place in 0..original.len() {
            let mut changed = genuine.clone();
            let mut letters: Vec<char> = original.chars().collect();
            letters[place] = if letters[place] == 'A' { 'B' } else { 'A' };
            changed[signature].1 = letters.into_iter().collect();
            assert_eq!(mini_app(&fixture, &encoded(&changed)).await.status, 401, "letter {place}");
        }
        mini_app(&fixture, signed[0].as_str().unwrap()).await.expect(200);
        // Without a token there is no widget: nobody's signature counts.
        refused(&widget(&fixture, &signed[1]).await, "not_supported", "the widget without a token");
    }
}
