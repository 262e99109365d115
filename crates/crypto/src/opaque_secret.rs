//! Codes, links and client secrets: 256 random bits as text, stored only as a hash. The prefix names the kind, so
//! that one kind is never taken for another and a leaked one is recognised by secret scanners.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::Random;
use zeroize::Zeroizing;

use crate::mac::sha256;

/// Mints and reads opaque secrets.
pub struct OpaqueSecret;

impl OpaqueSecret {
    /// A new secret: the text to hand out (`prefix` and 43 characters) and the SHA-256 hash to store.
    #[must_use]
    pub fn mint(prefix: &str, random: &dyn Random) -> (Zeroizing<String>, [u8; 32]) {
        let secret = Zeroizing::new(random.secret());
        let text = Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret.as_slice())));
        let hash = sha256(&text);
        (text, hash)
    }

    /// The hash to look a secret up by; `None` when the text has not the form of a secret of this kind.
    #[must_use]
    pub fn hash_of(prefix: &str, text: &str) -> Option<[u8; 32]> {
        let encoded = text.strip_prefix(prefix).filter(|encoded| encoded.len() == 43)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        (bytes.len() == 32).then(|| sha256(text))
    }
}
