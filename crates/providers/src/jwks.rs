//! The keys of an issuer's ID tokens: only from its own `jwks_uri`, never from a token.

use std::sync::Arc;

use url::Url;
use userd_jose::{Algorithm, JwkSet, VerifyingKey};
use userd_model::Timestamp;
use userd_outbound::{Call, HttpClient};

use crate::{fault::ProviderFault, learned::Learned};

pub(crate) struct KeySource {
    http: Arc<HttpClient>,
    learned: Learned<JwkSet>,
}

impl KeySource {
    pub(crate) fn new(http: Arc<HttpClient>) -> Self {
        Self { http, learned: Learned::new() }
    }

    /// The key that a token's header names. An unknown name fetches the set again, at most every thirty seconds.
    pub(crate) async fn find(
        &self,
        jwks: &Url,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<VerifyingKey, ProviderFault> {
        for newer in [false, true] {
            let set = self.learned.get(now, newer, || self.fetch(jwks)).await?;
            if let Some(key) = set.find(kid, algorithm) {
                return Ok(key.clone());
            }
        }
        Err(ProviderFault::Refused("key_unknown"))
    }

    async fn fetch(&self, jwks: &Url) -> Result<JwkSet, ProviderFault> {
        let answer = self.http.send(Call::get(jwks.clone())).await?;
        let unusable = || ProviderFault::Unavailable(format!("{jwks} answered {} without keys", answer.status));
        if answer.status != 200 {
            return Err(unusable());
        }
        JwkSet::parse(&answer.body).ok().filter(|set| !set.keys.is_empty()).ok_or_else(unusable)
    }
}
