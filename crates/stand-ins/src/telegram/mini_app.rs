//! Payloads of Mini Apps: `initData` with both signatures, the bot's HMAC and the Ed25519 one that needs no token.

use std::collections::BTreeMap;

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use userd_model::Timestamp;

use super::widget::lines;
use crate::{outside, test_users::TestUser};

/// The private key in Telegram's place: test 1 of RFC 8032 section 7.1, known to everybody.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// The public half, for `telegram.mini_app_public_key`.
pub const PUBLIC_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// What an app was opened with.
#[derive(Clone, Debug)]
pub struct InitData {
    /// `auth_date`.
    pub at: Timestamp,
    /// `start_param`, from `?startapp=`.
    pub start_param: Option<String>,
    /// Whether the person lets the bot write.
    pub allows_write: bool,
    /// Adds `signature`; clients before 2024 did not have it.
    pub with_signature: bool,
}

impl InitData {
    /// Opened at this moment, from the menu, with both signatures.
    #[must_use]
    pub const fn new(at: Timestamp) -> Self {
        Self { at, start_param: None, allows_write: true, with_signature: true }
    }

    /// The query string as `Telegram.WebApp.initData` has it.
    #[must_use]
    pub fn sign(&self, person: &TestUser, bot_token: &str) -> String {
        let mut fields = BTreeMap::from([
            ("user".to_owned(), self.user(person)),
            ("chat_instance".to_owned(), outside::opaque_number(&person.key).to_string()),
            ("chat_type".to_owned(), "private".to_owned()),
            ("auth_date".to_owned(), self.at.seconds().to_string()),
        ]);
        if let Some(param) = &self.start_param {
            fields.insert("start_param".to_owned(), param.clone());
        }
        signed(fields, bot_token, self.with_signature)
    }

    /// Telegram escapes slashes in it; it is signed as it stands.
    fn user(&self, person: &TestUser) -> String {
        let mut user = json!({
            "id": person.number, "first_name": person.first_name, "last_name": person.last_name,
            "language_code": person.locale, "allows_write_to_pm": self.allows_write,
        });
        if let Some(username) = &person.username {
            user["username"] = username.as_str().into();
        }
        if person.avatar {
            user["photo_url"] = format!("https://t.me/i/userpic/320/{}.svg", person.key).into();
        }
        user.to_string().replace('/', "\\/")
    }
}

/// Any fields, signed: `signature` covers all but itself, `hash` covers `signature` too.
#[must_use]
pub fn signed(mut fields: BTreeMap<String, String>, bot_token: &str, with_signature: bool) -> String {
    if with_signature {
        fields.insert("signature".to_owned(), signature(&fields, bot_token));
    }
    let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"WebAppData"), bot_token.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    let hash = hex::encode(hmac::sign(&key, lines(&fields).as_bytes()));
    fields.insert("hash".to_owned(), hash);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish()
}

fn signature(fields: &BTreeMap<String, String>, bot_token: &str) -> String {
    let bot_id = bot_token.split(':').next().unwrap_or_default();
    let text = format!("{bot_id}:WebAppData\n{}", lines(fields));
    let seed = hex::decode(SEED).unwrap_or_default();
    // The seed is a constant of the right length; without a key there is no signature, and nobody accepts that.
    let signature = Ed25519KeyPair::from_seed_unchecked(&seed).map(|pair| pair.sign(text.as_bytes()));
    signature.map(|signature| URL_SAFE_NO_PAD.encode(signature)).unwrap_or_default()
}
