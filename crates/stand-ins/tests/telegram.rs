//! Telegram payloads against the published vectors, and its documents against copies of the real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::{ManualClock, get};
use userd_stand_ins::{
    Options,
    telegram::{self, BOT_TOKEN, mini_app, widget},
};

fn file(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../providers/tests/data/");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}{name}")).unwrap()).unwrap()
}

#[test]
fn the_widgets_hashes_are_those_of_the_vectors() {
    for vector in file("telegram_vectors.json")["widget"].as_array().unwrap() {
        let fields: BTreeMap<String, String> = serde_json::from_value(vector["data"].clone()).unwrap();
        assert_eq!(widget::hash(&fields, BOT_TOKEN), vector["hash"].as_str().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn both_signatures_of_init_data_are_those_of_the_vectors() {
    let vectors = file("telegram_vectors.json");
    let mut checked = 0;
    for vector in vectors["initdata"].as_array().unwrap().iter().chain([&vectors["ed_own"]]) {
        let given: BTreeMap<String, String> =
            url::form_urlencoded::parse(vector["qs"].as_str().unwrap().as_bytes()).into_owned().collect();
        let mut fields = given.clone();
        fields.remove("hash");
        let own_key = vector.get("pub").is_some();
        if own_key {
            assert_eq!(vector["pub"], mini_app::PUBLIC_KEY);
            fields.remove("signature");
        }
        let made = mini_app::signed(fields, BOT_TOKEN, own_key);
        let made: BTreeMap<String, String> = url::form_urlencoded::parse(made.as_bytes()).into_owned().collect();
        assert_eq!(made, given, "{vector}");
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[tokio::test]
async fn the_documents_have_the_shape_of_the_real_ones() {
    let telegram = telegram::start(Options::default()).await.unwrap();
    let at = |path: &str| format!("{}{path}", telegram.base_url);
    let (_, ours) = get(&at("/.well-known/openid-configuration"), &[]).await;
    let real = file("telegram_discovery.json");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&ours), names(&real));
    for (name, value) in real.as_object().unwrap().iter().filter(|(_, value)| value.is_array()) {
        assert_eq!(&ours[name], value, "{name}");
    }
    let (_, ours) = get(&at("/.well-known/jwks.json"), &[]).await;
    let real = file("telegram_jwks.json");
    for key in real["keys"].as_array().unwrap() {
        let ours = ours["keys"].as_array().unwrap().iter().find(|our| our["kid"] == key["kid"]).unwrap();
        assert_eq!(names(ours), names(key), "{}", key["kid"]);
        assert_eq!((&ours["alg"], &ours["kty"], &ours["crv"]), (&key["alg"], &key["kty"], &key["crv"]));
    }
    let unknown = ours["keys"].as_array().unwrap().iter().any(|key| key["kty"] == "AKP");
    assert!(unknown, "and one of a kind that nobody knows");
}

#[tokio::test]
async fn tokens_have_an_opaque_subject_and_no_address() {
    let telegram = telegram::start(Options::with_clock(ManualClock::new())).await.unwrap();
    let token = telegram.id_token("ivan", Some("n")).unwrap();
    let (_, jwks) = get(&format!("{}/.well-known/jwks.json", telegram.base_url), &[]).await;
    let keys = userd_jose::JwkSet::parse(jwks.to_string().as_bytes()).unwrap();
    let compact = userd_jose::Compact::parse(&token, 8192).unwrap();
    assert_eq!(compact.header().kid.as_deref(), Some("oidc-1"), "RS256 is the default");
    let claims = compact.verify_claims(keys.find(Some("oidc-1"), userd_jose::Algorithm::RS256).unwrap()).unwrap();
    assert_eq!(claims.integer("id").unwrap(), Some(424_242_424_242));
    let sub = claims.text("sub").unwrap().unwrap();
    assert!(sub != "424242424242" && sub.bytes().all(|b| b.is_ascii_digit()));
    assert_eq!(claims.text("phone_number").unwrap(), Some("79001234567"));
    assert_eq!((claims.get("email"), claims.text("nonce").unwrap()), (None, Some("n")));
    assert_eq!(get(&format!("{}/userinfo", telegram.base_url), &[]).await.0, 404);
}

#[tokio::test]
async fn a_redirect_that_is_not_registered_gets_the_legacy_answer() {
    let options = Options { redirect_uris: vec!["https://app.example/cb".into()], ..Options::default() };
    let telegram = telegram::start(options).await.unwrap();
    let url = format!(
        "{}/auth?client_id={}&response_type=code&redirect_uri=https://app.example/other&person=ivan&auto=1",
        telegram.base_url,
        telegram::BOT_ID
    );
    assert!(support::open(&url).await.location.unwrap().starts_with("https://app.example/other#tgAuthResult="));
}

#[tokio::test]
async fn the_bots_token_is_not_the_client_secret() {
    let telegram = telegram::start(Options::default()).await.unwrap();
    let fields = [("grant_type", "authorization_code"), ("client_id", telegram::BOT_ID), ("client_secret", BOT_TOKEN)];
    let (status, answer) = support::post(&format!("{}/token", telegram.base_url), &fields, &[]).await;
    assert_eq!((status, answer["error"].as_str()), (401, Some("invalid_client")));
    let fields = [("grant_type", "refresh_token")];
    let (_, answer) = support::post(&format!("{}/token", telegram.base_url), &fields, &[]).await;
    assert_eq!(answer["error"], "unsupported_grant_type");
}
