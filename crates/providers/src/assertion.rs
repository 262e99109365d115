//! Tokens that we sign about ourselves: the client assertion of RFC 7523 and Apple's client secret.

use std::sync::Arc;

use userd_jose::{Algorithm, SigningKey, sign_compact};
use userd_model::{Random, Timestamp};
use userd_outbound::{ConfigError, Secret};

use crate::fault::ProviderFault;

/// How long an assertion lives: long enough for a slow call and a clock that is off, no longer.
const LIFETIME: i64 = 300;

/// A private key of ours that a provider knows.
pub(crate) struct AssertionKey {
    key: SigningKey,
    key_id: Option<String>,
    random: Arc<dyn Random>,
}

impl AssertionKey {
    /// Reads a PKCS#8 PEM; the algorithm follows from the key, unless one is named.
    pub(crate) fn new(
        pem: &Secret,
        only: Option<Algorithm>,
        key_id: Option<String>,
        random: Arc<dyn Random>,
    ) -> Result<Self, ConfigError> {
        let candidates = only.map_or_else(|| Algorithm::ALL.to_vec(), |algorithm| vec![algorithm]);
        let key = candidates.into_iter().find_map(|algorithm| SigningKey::from_pem(algorithm, pem.expose()).ok());
        let expected = "is not a PKCS#8 PEM of a usable key (Apple: the .p8 file; others: P-256, Ed25519 or RSA)";
        Ok(Self { key: key.ok_or_else(|| ConfigError::new("private_key", expected))?, key_id, random })
    }

    /// `private_key_jwt`: issuer and subject are us, the audience is the provider's issuer, used once (`jti`).
    pub(crate) fn client_assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<String, ProviderFault> {
        self.sign(serde_json::json!({
            "iss": client_id, "sub": client_id, "aud": audience, "jti": hex::encode(self.random.id_bytes()),
            "iat": now.seconds(), "exp": now.seconds() + LIFETIME,
        }))
    }

    /// Apple's `client_secret`: the team is the issuer, the client is the subject.
    pub(crate) fn apple_secret(
        &self,
        team_id: &str,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Secret, ProviderFault> {
        self.sign(serde_json::json!({
            "iss": team_id, "sub": client_id, "aud": audience, "iat": now.seconds(), "exp": now.seconds() + LIFETIME,
        }))
        .map(Secret::new)
    }

    fn sign(&self, claims: serde_json::Value) -> Result<String, ProviderFault> {
        let header =
            self.key_id.as_ref().map_or_else(|| serde_json::json!({}), |kid| serde_json::json!({ "kid": kid }));
        sign_compact(&self.key, &header, &claims).map_err(|e| ProviderFault::Misconfigured(format!("cannot sign: {e}")))
    }
}
