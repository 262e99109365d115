//! base64url without padding, canonical only (RFC 7515 section 2 and appendix C).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::JoseError;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Refuses padding, white space, the other alphabet and set trailing bits, so that one value has one spelling.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Encoding)
}
