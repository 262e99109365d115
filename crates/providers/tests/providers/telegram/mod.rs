//! Telegram's ways in: signed payloads with every kind of damage, and one identity behind all of them.

mod identity;
mod mini_app;
mod widget;

use std::collections::BTreeMap;

use crate::support::{self, BOT_ID, BOT_TOKEN, STATE, Story, later, now, slug};
use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_model::Timestamp;
use userd_providers::{
    Kind, MiniAppCheck, NativeProof, Profile, ProviderFault, Secret, SubjectKey, TelegramOptions, TelegramStart, build,
};

type Fields = BTreeMap<String, String>;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../data/telegram_vectors.json")).unwrap()
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
