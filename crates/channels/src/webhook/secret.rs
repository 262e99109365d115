//! The secret that we share with a receiver: `whsec_` and base64 of 24 to 64 bytes. Where it is kept, and sealed, is not
//! known here.

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_jose::{Algorithm, SigningKey};
use userd_model::Random;
use userd_outbound::Secret;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const PUBLIC_KEY_PREFIX: &str = "whpk_";

/// A secret to sign with.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl WebhookSecret {
    /// A new one of 256 random bits, and the text that its receiver is shown once.
    #[must_use]
    pub fn mint(random: &dyn Random) -> (Self, Secret) {
        let secret = Self(Zeroizing::new(random.secret().to_vec()));
        let text = secret.text();
        (secret, text)
    }

    /// Reads `whsec_…`; none when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?);
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// `whsec_…`, to be stored under seal.
    #[must_use]
    pub fn text(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(self.bytes())))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The public half of an Ed25519 key as receivers are told it: `whpk_…`; none for a key of another kind.
#[must_use]
pub fn public_key(key: &SigningKey) -> Option<String> {
    if key.algorithm() != Algorithm::EdDSA {
        return None;
    }
    let jwk = key.verifying_key(None).ok()?.to_jwk();
    let public = URL_SAFE_NO_PAD.decode(jwk.get("x")?.as_str()?).ok()?;
    Some(format!("{PUBLIC_KEY_PREFIX}{}", STANDARD.encode(public)))
}
