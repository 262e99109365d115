//! The signatures of Standard Webhooks: over id, time and body, so that none of them can be put beside another.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use userd_jose::Algorithm;

use super::{WebhookCall, WebhookFault};

/// What is sent beside the body.
pub(super) struct Headers {
    pub(super) timestamp: String,
    /// One signature after the other, with spaces between.
    pub(super) signature: String,
}

/// Signs a call with each secret and with the key.
pub(super) fn sign(call: &WebhookCall) -> Result<Headers, WebhookFault> {
    let wrong = |why| Err(WebhookFault::Unsendable(why));
    // A full stop in the id would let one part of what is signed end elsewhere.
    let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if call.id.is_empty() || call.id.len() > 128 || !call.id.bytes().all(is_id) {
        return wrong("the id is none");
    }
    if call.secrets.is_empty() && call.key.is_none() {
        return wrong("there is no secret to sign with");
    }
    if call.key.as_ref().is_some_and(|key| key.algorithm() != Algorithm::EdDSA) {
        return wrong("the key is not of Ed25519");
    }
    let timestamp = call.at.seconds().to_string();
    let signed = [call.id.as_bytes(), b".", timestamp.as_bytes(), b".", &call.body].concat();
    let mut signatures: Vec<_> = call
        .secrets
        .iter()
        .map(|secret| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.bytes()), &signed))
        .map(|tag| format!("v1,{}", STANDARD.encode(tag)))
        .collect();
    if let Some(key) = &call.key {
        let signature = key.sign(&signed).map_err(|_| WebhookFault::Unsendable("the key does not sign"))?;
        signatures.push(format!("v1a,{}", STANDARD.encode(signature)));
    }
    Ok(Headers { timestamp, signature: signatures.join(" ") })
}
