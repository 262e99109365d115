//! The keys that count right now: one signs, all but the revoked verify. Immutable; a change is a new set.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use userd_jose::{Algorithm, JoseError, SigningKey, VerifyingKey};
use userd_model::KeyState;

use super::TokenError;

/// A signing key as read from storage, its private half opened where it is needed.
#[derive(Debug)]
pub struct LoadedKey {
    kid: String,
    state: KeyState,
    half: Half,
}

#[derive(Debug)]
enum Half {
    Signing(Box<SigningKey>),
    Public(Box<VerifyingKey>),
}

impl LoadedKey {
    /// A key with its private half (PKCS#8), needed where it is or will be active.
    pub fn signing(kid: &str, state: KeyState, algorithm: &str, pkcs8: &[u8]) -> Result<Self, TokenError> {
        let algorithm = Algorithm::parse(algorithm).ok_or(TokenError::Token(JoseError::Algorithm))?;
        let key = SigningKey::from_pkcs8(algorithm, pkcs8)?;
        Ok(Self { kid: kid.to_owned(), state, half: Half::Signing(Box::new(key)) })
    }

    /// A key that only verifies.
    pub fn public(kid: &str, state: KeyState, jwk: &Value) -> Result<Self, TokenError> {
        let key = VerifyingKey::from_jwk(jwk)?.named(kid.to_owned());
        Ok(Self { kid: kid.to_owned(), state, half: Half::Public(Box::new(key)) })
    }

    fn verifying(&self) -> Option<VerifyingKey> {
        match &self.half {
            Half::Signing(key) => key.verifying_key(Some(self.kid.clone())).ok(),
            Half::Public(key) => Some(key.as_ref().clone()),
        }
    }
}

pub(super) struct Keyset {
    pub(super) generation: u64,
    pub(super) jwks: Arc<[u8]>,
    signing: Option<(String, Box<SigningKey>)>,
    verifying: BTreeMap<String, VerifyingKey>,
}

impl Default for Keyset {
    fn default() -> Self {
        Self::new(Vec::new(), &[], 0)
    }
}

impl Keyset {
    /// The first active key with a private half signs. A name that is revoked anywhere in the list counts nowhere.
    /// `published` are keys of something else than access tokens: they stand in the set, and verify nothing here.
    pub(super) fn new(keys: Vec<LoadedKey>, published: &[Value], generation: u64) -> Self {
        let revoked: Vec<String> =
            keys.iter().filter(|key| key.state == KeyState::Revoked).map(|key| key.kid.clone()).collect();
        let mut signing = None;
        let mut verifying = BTreeMap::new();
        for key in keys.into_iter().filter(|key| !revoked.contains(&key.kid)) {
            let Some(public) = key.verifying() else { continue };
            verifying.entry(key.kid.clone()).or_insert(public);
            if let (KeyState::Active, Half::Signing(half), None) = (key.state, key.half, &signing) {
                signing = Some((key.kid, half));
            }
        }
        let jwks = jwks(&verifying, published);
        Self { generation, jwks, signing, verifying }
    }

    pub(super) fn signing(&self) -> Option<(&str, &SigningKey)> {
        self.signing.as_ref().map(|(kid, key)| (kid.as_str(), key.as_ref()))
    }

    pub(super) fn verifying(&self, kid: &str) -> Option<&VerifyingKey> {
        self.verifying.get(kid)
    }

    /// Same public keys under the same names, and the same one signs.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.jwks == other.jwks && self.signing().map(|(kid, _)| kid) == other.signing().map(|(kid, _)| kid)
    }
}

fn jwks(keys: &BTreeMap<String, VerifyingKey>, published: &[Value]) -> Arc<[u8]> {
    let keys: Vec<Value> = keys.values().map(VerifyingKey::to_jwk).chain(published.iter().cloned()).collect();
    serde_json::json!({ "keys": keys }).to_string().into_bytes().into()
}
