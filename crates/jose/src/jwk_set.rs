//! JSON Web Key Sets as other parties publish them (RFC 7517 section 5). Fetching them is somebody else's work.

use crate::{Algorithm, JoseError, VerifyingKey, strict_json};

/// More keys than any honest party publishes.
const MAX_KEYS: usize = 100;

/// The usable keys of a set.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    /// In the order of publication.
    pub keys: Vec<VerifyingKey>,
}

impl JwkSet {
    /// Reads a set key by key: one we cannot use (another curve, broken, for encryption) is skipped, because the
    /// publisher adds kinds before we know them. At most 100 keys are looked at.
    ///
    /// # Errors
    /// [`JoseError::Json`] when it is not an object with an array `keys`.
    pub fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        let set = strict_json::object(bytes)?;
        let keys = set.get("keys").and_then(serde_json::Value::as_array).ok_or(JoseError::Json)?;
        Ok(Self { keys: keys.iter().take(MAX_KEYS).filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect() })
    }

    /// The key for a token header. With a `kid`: that key, if it is of this algorithm. Without: the only key of
    /// this algorithm; none when there are several, because guessing is not choosing.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&VerifyingKey> {
        let mut candidates =
            self.keys.iter().filter(|key| key.algorithm() == algorithm).filter(|key| kid.is_none() || key.kid() == kid);
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }
}
