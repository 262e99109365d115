//! What a call to one receiver is signed with: a secret that we share with it (`whsec_` and base64 of 24 to 64 bytes), or an
//! Ed25519 key of which it is told the public half (`whpk_…`). Where it is kept, and sealed, is not known here.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_jose::{Algorithm, JoseError, SigningKey};
use userd_model::{Random, webhook::SignatureScheme};
use userd_outbound::Secret;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// Of the text that is stored under seal, and told nobody: PKCS#8, in base64.
const PRIVATE_KEY_PREFIX: &str = "whsk_";
const PUBLIC_KEY_PREFIX: &str = "whpk_";

/// A secret to sign with.
#[derive(Clone)]
pub struct WebhookSecret(Kind);

#[derive(Clone)]
enum Kind {
    /// HMAC: whoever checks can sign.
    Shared(Zeroizing<Vec<u8>>),
    /// For receivers that must not be able to sign.
    Key(Arc<SigningKey>),
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl WebhookSecret {
    /// A new one for `v1`, of 256 random bits.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        Self(Kind::Shared(Zeroizing::new(random.secret().to_vec())))
    }

    /// A new one for `v1a`: an Ed25519 key.
    ///
    /// # Errors
    /// `Key` when none can be made.
    pub fn mint_key() -> Result<Self, JoseError> {
        Ok(Self(Kind::Key(Arc::new(SigningKey::generate(Algorithm::EdDSA)?))))
    }

    /// Reads `whsec_…`, or what [`Self::text`] answers for a key; none when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = |base64: &str| STANDARD.decode(base64).ok().map(Zeroizing::new);
        if let Some(key) = text.strip_prefix(PRIVATE_KEY_PREFIX) {
            let key = SigningKey::from_pkcs8(Algorithm::EdDSA, &decoded(key)?).ok()?;
            return Some(Self(Kind::Key(Arc::new(key))));
        }
        let bytes = decoded(text.strip_prefix(PREFIX)?)?;
        (24..=64).contains(&bytes.len()).then_some(Self(Kind::Shared(bytes)))
    }

    /// The text to be stored under seal. Of a shared secret it is what its receiver is shown once: `whsec_…`.
    ///
    /// # Errors
    /// `Key` when a key cannot be written.
    pub fn text(&self) -> Result<Secret, JoseError> {
        Ok(Secret::new(match &self.0 {
            Kind::Shared(bytes) => format!("{PREFIX}{}", STANDARD.encode(bytes)),
            Kind::Key(key) => format!("{PRIVATE_KEY_PREFIX}{}", STANDARD.encode(key.to_pkcs8()?)),
        }))
    }

    /// How it signs.
    #[must_use]
    pub const fn scheme(&self) -> SignatureScheme {
        match self.0 {
            Kind::Shared(_) => SignatureScheme::V1,
            Kind::Key(_) => SignatureScheme::V1a,
        }
    }

    /// The public half of a key as receivers are told it: `whpk_…`; none of a shared secret.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        let Kind::Key(key) = &self.0 else { return None };
        let jwk = key.verifying_key(None).ok()?.to_jwk();
        let public = URL_SAFE_NO_PAD.decode(jwk.get("x")?.as_str()?).ok()?;
        Some(format!("{PUBLIC_KEY_PREFIX}{}", STANDARD.encode(public)))
    }

    /// One signature, as it stands in `webhook-signature`.
    pub(super) fn sign(&self, signed: &[u8]) -> Result<String, JoseError> {
        let signature = match &self.0 {
            Kind::Shared(bytes) => STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), signed)),
            Kind::Key(key) => STANDARD.encode(key.sign(signed)?),
        };
        Ok(format!("{},{signature}", self.scheme().as_str()))
    }
}
