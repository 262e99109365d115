//! Security event tokens (RFC 8417): signed RS256 whatever access tokens are signed with, by keys of their own, as the CAEP
//! interoperability profile asks. Deliberately absent: verifying them, which is their receivers' work, and what they say.
//!
//! No key from here verifies an access token, and none of these tokens is one: `typ` says so, and nothing in them is `sub`.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;
use userd_jose::{Algorithm, JoseError, SigningKey, sign_compact};

use crate::{NewKey, TokenError, Tokens};

/// `typ` (RFC 8417 section 2.3).
const TYPE: &str = "secevent+jwt";

/// Signs security event tokens.
#[derive(Default)]
pub struct SecurityEvents {
    key: ArcSwap<Option<(String, SigningKey)>>,
}

impl SecurityEvents {
    /// Makes a key. RSA takes a good part of a second: not on a thread that others wait for.
    ///
    /// # Errors
    /// The library's.
    pub fn generate_key() -> Result<NewKey, TokenError> {
        Tokens::generate_key(Algorithm::RS256)
    }

    /// Whether this key signs.
    #[must_use]
    pub fn signs_with(&self, kid: &str) -> bool {
        self.key.load().as_ref().as_ref().is_some_and(|(name, _)| name == kid)
    }

    /// This key signs from now on.
    ///
    /// # Errors
    /// No PKCS#8 of an RSA key.
    pub fn load(&self, kid: &str, pkcs8: &[u8]) -> Result<(), TokenError> {
        let key = SigningKey::from_pkcs8(Algorithm::RS256, pkcs8)?;
        self.key.store(Arc::new(Some((kid.to_owned(), key))));
        Ok(())
    }

    /// The claims, signed. RS256 signs the same alike: a token that is sent again is the same text.
    ///
    /// # Errors
    /// [`TokenError::NoSigningKey`]; [`JoseError::Serialize`] for what is no object.
    pub fn sign(&self, claims: &Value) -> Result<String, TokenError> {
        let loaded = self.key.load();
        let (kid, key) = loaded.as_ref().as_ref().ok_or(TokenError::NoSigningKey)?;
        if claims.get("sub").is_some() {
            return Err(TokenError::Token(JoseError::Serialize));
        }
        Ok(sign_compact(key, &serde_json::json!({ "typ": TYPE, "kid": kid }), claims)?)
    }
}

/// Nothing of the key.
impl std::fmt::Debug for SecurityEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityEvents").finish_non_exhaustive()
    }
}
