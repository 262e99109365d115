//! The signatures of Standard Webhooks: over id, time and body, so that none of them can be put beside another.

use super::{WebhookCall, WebhookFault};

/// What is sent beside the body.
pub(super) struct Headers {
    pub(super) timestamp: String,
    /// One signature after the other, with spaces between.
    pub(super) signature: String,
}

/// Signs a call with each secret.
pub(super) fn sign(call: &WebhookCall) -> Result<Headers, WebhookFault> {
    let wrong = |why| Err(WebhookFault::Unsendable(why));
    // A full stop in the id would let one part of what is signed end elsewhere.
    let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if call.id.is_empty() || call.id.len() > 128 || !call.id.bytes().all(is_id) {
        return wrong("the id is none");
    }
    if call.secrets.is_empty() {
        return wrong("there is no secret to sign with");
    }
    let timestamp = call.at.seconds().to_string();
    let signed = [call.id.as_bytes(), b".", timestamp.as_bytes(), b".", &call.body].concat();
    let signatures: Result<Vec<_>, _> = call.secrets.iter().map(|secret| secret.sign(&signed)).collect();
    let signature = signatures.map_err(|_| WebhookFault::Unsendable("the key does not sign"))?.join(" ");
    Ok(Headers { timestamp, signature })
}
