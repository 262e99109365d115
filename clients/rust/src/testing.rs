//! A fake issuer: tokens for unit tests, without a server.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use userd_jose::{Algorithm, SigningKey, sign_compact};

use crate::{Error, Options, Userd};

const KID: &str = "fake";

/// Mints what userd mints, with a key of its own.
pub struct FakeIssuer {
    key: SigningKey,
    made: Mutex<Vec<Userd>>,
    /// Of roles that allow less than at first.
    versions: Mutex<HashMap<String, i64>>,
}

/// What a token should say. What is left out is made up.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The user's id, or the service account's.
    pub subject: Option<String>,
    /// The session's id.
    pub session: Option<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// How long it is good: ten minutes.
    pub expires_in: Option<Duration>,
    /// Leaves the session out.
    pub is_service: bool,
    /// Added, or in place of what it would say; null leaves a claim out.
    pub claims: Map<String, Value>,
}

impl FakeIssuer {
    /// `iss` of its tokens.
    pub const ISSUER: &str = "https://users.test";

    /// With a new key.
    ///
    /// # Errors
    /// [`Error::Options`] where there is no randomness.
    pub fn new() -> Result<Self, Error> {
        let key = SigningKey::generate(Algorithm::EdDSA).map_err(|_| Error::Options("no key can be made here"))?;
        Ok(Self { key, made: Mutex::default(), versions: Mutex::default() })
    }

    /// Mints a token.
    ///
    /// # Errors
    /// [`Error::Options`] where it cannot be signed.
    pub fn token(&self, wanted: Wanted) -> Result<String, Error> {
        let now = crate::outside::now().as_secs();
        let subject = wanted.subject.unwrap_or_else(made_up);
        let mut claims = json!({
            "iss": Self::ISSUER, "aud": "userd", "sub": subject, "client_id": "userd", "sub_type": "user",
            "sid": wanted.session.unwrap_or_else(made_up), "jti": made_up(), "ver": 1, "iat": now, "nbf": now,
            "exp": now + wanted.expires_in.unwrap_or(Duration::from_secs(600)).as_secs(),
            "roles": wanted.roles, "permissions": wanted.permissions,
        });
        if let Some(members) = claims.as_object_mut() {
            if !wanted.roles.is_empty() {
                let versions: Vec<i64> = wanted.roles.iter().map(|role| self.version_of(role)).collect();
                members.insert("role_versions".to_owned(), versions.into());
            }
            if wanted.is_service {
                members.remove("sid");
                members.insert("client_id".to_owned(), subject.into());
                members.insert("sub_type".to_owned(), "client".into());
            }
            members.extend(wanted.claims);
            members.retain(|_, value| !value.is_null());
        }
        let header = json!({ "typ": "at+jwt", "kid": KID });
        sign_compact(&self.key, &header, &claims).map_err(|_| Error::Options("the token cannot be signed"))
    }

    /// A verifier that trusts this issuer and calls nobody.
    ///
    /// # Errors
    /// [`Error::Options`].
    pub fn userd(&self) -> Result<Userd, Error> {
        let public = self.key.verifying_key(Some(KID.to_owned())).map_err(|_| Error::Options("no public key"))?;
        let keys = json!({ "keys": [public.to_jwk()] }).to_string().into_bytes();
        let userd = Userd::new(Options { keys: Some(keys), ..Options::of(Self::ISSUER) })?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(userd.clone());
        Ok(userd)
    }

    /// Does what a sign-out does: the verifiers that were made here refuse the session's tokens.
    pub fn end_session(&self, session: &str) {
        for made in self.made.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            made.inner.feed.change_view(|view| view.end_session(session));
        }
    }

    /// Does what a role that allows less does: the verifiers that were made here refuse the tokens that carry it, and take
    /// those that are made from now on.
    pub fn narrow_role(&self, role: &str) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let least = *versions.entry(role.to_owned()).and_modify(|version| *version += 1).or_insert(2);
        drop(versions);
        for made in self.made.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            made.inner.feed.change_view(|view| view.narrow_role(role, least));
        }
    }

    fn version_of(&self, role: &str) -> i64 {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(role).copied().unwrap_or(1)
    }
}

fn made_up() -> String {
    let mut bytes = [0; 16];
    crate::outside::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
