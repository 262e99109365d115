//! Payloads of the legacy login widget: the fields that a person has, signed with the bot's token.

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac};
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Map, Value};
use userd_model::Timestamp;

use crate::{reply, test_users::TestUser};

/// The signed fields as the widget hands them over: `hash` is the HMAC-SHA-256 of the other fields' lines, its key
/// the SHA-256 of the token.
#[must_use]
pub fn fields(person: &TestUser, bot_token: &str, at: Timestamp) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::from([
        ("id".to_owned(), person.number.to_string()),
        ("first_name".to_owned(), person.first_name.clone()),
        ("auth_date".to_owned(), at.seconds().to_string()),
    ]);
    if !person.last_name.is_empty() {
        fields.insert("last_name".to_owned(), person.last_name.clone());
    }
    if let Some(username) = &person.username {
        fields.insert("username".to_owned(), username.clone());
    }
    if person.avatar {
        fields.insert("photo_url".to_owned(), format!("https://t.me/i/userpic/320/{}.jpg", person.key));
    }
    let hash = hash(&fields, bot_token);
    fields.insert("hash".to_owned(), hash);
    fields
}

/// The hash over fields without `hash`.
#[must_use]
pub fn hash(fields: &BTreeMap<String, String>, bot_token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, bot_token.as_bytes()).as_ref());
    hex::encode(hmac::sign(&key, lines(fields).as_bytes()))
}

/// `name=value` lines in the order of names.
pub(super) fn lines(fields: &BTreeMap<String, String>) -> String {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
}

/// The value of `tgAuthResult`: base64 of JSON, where `id` and `auth_date` are numbers.
#[must_use]
pub fn fragment(fields: &BTreeMap<String, String>) -> String {
    let number = |text: &String| text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from);
    let value = |(name, text): (&String, &String)| {
        let value = if name == "id" || name == "auth_date" { number(text) } else { text.as_str().into() };
        (name.clone(), value)
    };
    STANDARD_NO_PAD.encode(Value::Object(fields.iter().map(value).collect::<Map<_, _>>()).to_string())
}

pub(super) fn answer_in_fragment(return_to: &str, person: &TestUser, bot_token: &str, at: Timestamp) -> Response {
    reply::redirect(&format!("{return_to}#tgAuthResult={}", fragment(&fields(person, bot_token, at))))
}

pub(super) fn answer_in_query(return_to: &str, person: &TestUser, bot_token: &str, at: Timestamp) -> Response {
    let fields = fields(person, bot_token, at);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    reply::redirect_with(return_to, &pairs)
}
