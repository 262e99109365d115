//! Genuine calls of webhooks, told from others (Standard Webhooks).

use aws_lc_rs::{
    hmac,
    signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;

use crate::{Error, Event};

const TOLERANCE: u64 = 300;

/// Tells genuine calls from others.
pub struct Webhook(Vec<Key>);

/// A public key is nobody's secret, so each kind of key takes its own kind of signature alone.
enum Key {
    Secret(Box<hmac::Key>),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        if let Some(public) = text.strip_prefix("whpk_") {
            let bytes = STANDARD.decode(public).ok().filter(|bytes| bytes.len() == ED25519_PUBLIC_KEY_LEN)?;
            return Some(Self::Public(UnparsedPublicKey::new(&ED25519, bytes)));
        }
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
        let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
        Some(Self::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))))
    }

    /// Whether it made what a part of the header shows.
    fn has_made(&self, part: &str, signed: &[u8]) -> bool {
        let (version, text) = part.split_once(',').unwrap_or_default();
        let Ok(signature) = STANDARD.decode(text) else { return false };
        match self {
            // In constant time.
            Self::Secret(key) => version == "v1" && hmac::verify(key, signed, &signature).is_ok(),
            Self::Public(key) => version == "v1a" && key.verify(signed, &signature).is_ok(),
        }
    }
}

impl Webhook {
    /// With the webhook's secret (`whsec_…`) or its public key (`whpk_…`); two while one is being replaced.
    ///
    /// # Errors
    /// [`Error::Options`] for what is neither.
    pub fn new(secrets: &[impl AsRef<str>]) -> Result<Self, Error> {
        let keys: Option<Vec<_>> = secrets.iter().map(|secret| Key::parse(secret.as_ref())).collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        keys.map(Self)
            .ok_or(Error::Options("a webhook has a secret: base64 behind whsec_, or a public key behind whpk_"))
    }

    /// The event of a call: give the body as it came. `webhook-id` is the same when it is sent again: do nothing then.
    ///
    /// # Errors
    /// [`Error::InvalidWebhook`].
    pub fn verify(&self, body: &[u8], headers: &HeaderMap) -> Result<Event, Error> {
        self.verify_at(body, headers, crate::outside::now().as_secs())
    }

    /// The same at another time than now, in seconds since 1970, for tests.
    ///
    /// # Errors
    /// [`Error::InvalidWebhook`].
    pub fn verify_at(&self, body: &[u8], headers: &HeaderMap, now: u64) -> Result<Event, Error> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (id, moment) = (header("webhook-id"), header("webhook-timestamp"));
        let is_number = !moment.is_empty() && moment.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = moment.parse::<u64>().ok().filter(|_| is_number && !id.is_empty());
        let seconds = seconds.ok_or(Error::InvalidWebhook("headers are missing"))?;
        if now.abs_diff(seconds) > TOLERANCE {
            return Err(Error::InvalidWebhook("too old, or from the future"));
        }
        let signed = [id.as_bytes(), b".", moment.as_bytes(), b".", body].concat();
        if !self.is_signed(&signed, header("webhook-signature")) {
            return Err(Error::InvalidWebhook("no signature is right"));
        }
        let event: Option<Event> = serde_json::from_slice(body).ok();
        event.filter(Event::is_whole).ok_or(Error::InvalidWebhook("not an event"))
    }

    fn is_signed(&self, signed: &[u8], shown: &str) -> bool {
        shown.split(' ').any(|part| self.0.iter().any(|key| key.has_made(part, signed)))
    }
}

/// Shows nothing of the secret.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}
