//! Hostile OpenID providers: keys, algorithms, discovery, user-info. The cases that every kind shares are in
//! `contract.rs`.

mod calls;
mod id_tokens;
mod keys_and_discovery;

use crate::support::{self, Fault, Story, is_unavailable, later, now, slug};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_jose::{Algorithm, SigningKey, hs256};
use userd_providers::{Kind, NativeProof, ProviderFault, Secret, TokenAuth, build};

const SIGNED: [Kind; 4] = [Kind::Oidc, Kind::Google, Kind::Apple, Kind::Telegram];

fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", encode(header), encode(claims))
}
