//! Genuine calls of webhooks, told from others (Standard Webhooks).

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;

use crate::{Error, Event};

const TOLERANCE: u64 = 300;

/// Tells genuine calls from others.
pub struct Webhook(Vec<hmac::Key>);

impl Webhook {
    /// With the webhook's secret; two while it is being replaced.
    ///
    /// # Errors
    /// [`Error::Options`] for what is no secret.
    pub fn new(secrets: &[impl AsRef<str>]) -> Result<Self, Error> {
        let key = |secret: &str| {
            let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok();
            let bytes = bytes.filter(|bytes| !bytes.is_empty());
            bytes.map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let keys: Option<Vec<_>> = secrets.iter().map(|secret| key(secret.as_ref())).collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        keys.map(Self).ok_or(Error::Options("a webhook has a secret: base64 behind whsec_"))
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
        let signatures = shown.split(' ').filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok());
        signatures.into_iter().any(|signature| {
            // In constant time.
            self.0.iter().any(|key| hmac::verify(key, signed, &signature).is_ok())
        })
    }
}

/// Shows nothing of the secret.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}
