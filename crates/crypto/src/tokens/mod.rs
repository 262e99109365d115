//! Access tokens (RFC 9068): issued with the active key, verified with every published one, remembered once verified.
//! Deliberately absent: revocation of sessions and users (a service asks its revocation view after verifying here),
//! and refresh tokens, which are no JWTs.

mod claims;
mod keyset;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use serde_json::Value;
use userd_jose::{Algorithm, Compact, JoseError, SigningKey, sign_compact};
use userd_model::Timestamp;
use zeroize::Zeroizing;

pub use claims::AccessClaims;
pub use keyset::LoadedKey;

use crate::mac::sha256;
use keyset::Keyset;

/// Longer tokens are refused unread.
pub const MAX_TOKEN_LEN: usize = 8 * 1024;

const TYPE: &str = "at+jwt";

/// What all tokens of this service have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOptions {
    /// `iss`, exact.
    pub issuer: String,
    /// What `aud` may name, exact.
    pub audiences: Vec<String>,
    /// How many verified tokens are remembered; about 1 KiB each.
    pub cache_capacity: usize,
}

impl TokenOptions {
    /// For this issuer and audience, remembering up to 100 000 tokens.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audiences: vec![audience.into()], cache_capacity: 100_000 }
    }
}

/// Issues and verifies access tokens. The one place where a bearer token becomes trusted claims.
pub struct Tokens {
    options: TokenOptions,
    keyset: ArcSwap<Keyset>,
    loading: Mutex<()>,
    verified: Cache<[u8; 32], Remembered>,
}

/// A token whose signature and claims were checked.
#[derive(Debug)]
pub struct VerifiedToken {
    /// What it says.
    pub claims: AccessClaims,
    /// The key that signed it.
    pub kid: String,
    met: AtomicBool,
}

impl VerifiedToken {
    /// Whether [`Self::meet`] was called since it was verified, as long as that is remembered: what is done once a token
    /// and not once a request was done.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    /// What is done once a token was done.
    pub fn meet(&self) {
        self.met.store(true, Ordering::Relaxed);
    }
}

/// A new signing key, not yet stored: seal the private half before it goes anywhere.
pub struct NewKey {
    /// RFC 7638 thumbprint of the public half.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The private half, PKCS#8 (DER).
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public half (RFC 7517).
    pub public_jwk: Value,
}

/// Why a token is refused or cannot be issued. For logs and tests; a client learns only that it is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a token in form, algorithm or signature.
    #[error("malformed token: {0}")]
    Token(JoseError),
    /// Another kind of token (an ID token, a logout token, none named).
    #[error("not an access token")]
    WrongType,
    /// Signed by a key that is unknown or revoked, or that is not named.
    #[error("the signing key is unknown")]
    UnknownKey,
    /// A claim is missing, of the wrong type, or not the expected one.
    #[error("the claim {0} is missing or wrong")]
    Claim(&'static str),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come (more than a minute of clock difference).
    #[error("not valid yet")]
    NotYetValid,
    /// No active signing key is loaded.
    #[error("no active signing key")]
    NoSigningKey,
}

impl From<JoseError> for TokenError {
    fn from(error: JoseError) -> Self {
        match error {
            JoseError::Claim(name) => Self::Claim(name),
            other => Self::Token(other),
        }
    }
}

#[derive(Clone)]
struct Remembered {
    generation: u64,
    token: Arc<VerifiedToken>,
}

impl Tokens {
    /// Without keys: nothing can be issued or verified until [`Tokens::load`].
    #[must_use]
    pub fn new(options: TokenOptions) -> Self {
        let verified = Cache::new(options.cache_capacity);
        Self { options, keyset: ArcSwap::default(), loading: Mutex::new(()), verified }
    }

    /// Replaces all keys at once. Loading equal keys in equal states again changes nothing; any change makes every
    /// remembered token be verified anew, so a revoked key stops counting with the next call.
    pub fn load(&self, keys: Vec<LoadedKey>) {
        self.load_and_publish(keys, &[]);
    }

    /// The same, and publishes keys beside them that sign something else than access tokens and verify nothing here.
    pub fn load_and_publish(&self, keys: Vec<LoadedKey>, published: &[Value]) {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.keyset.load();
        let next = Keyset::new(keys, published, current.generation + 1);
        if !next.equals(&current) {
            self.keyset.store(Arc::new(next));
        }
    }

    /// Signs an access token with the active key.
    ///
    /// # Errors
    /// [`TokenError::NoSigningKey`]; [`TokenError::Token`] when the library fails or the token would be longer
    /// than we accept.
    pub fn issue(&self, claims: &AccessClaims) -> Result<String, TokenError> {
        let keyset = self.keyset.load();
        let (kid, key) = keyset.signing().ok_or(TokenError::NoSigningKey)?;
        let header = serde_json::json!({"typ": TYPE, "kid": kid});
        let token = sign_compact(key, &header, &claims.to_members(&self.options))?;
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Token(JoseError::TooLong));
        }
        Ok(token)
    }

    /// The claims of `token`, if it is one of our access tokens and valid at `now`. Whether its session or user was
    /// revoked meanwhile is not asked here.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Token(JoseError::TooLong));
        }
        let keyset = self.keyset.load();
        let hash = sha256(token);
        if let Some(remembered) = self.verified.get(&hash)
            && remembered.generation == keyset.generation
        {
            remembered.token.claims.check_time(now)?;
            return Ok(remembered.token);
        }
        let token = Arc::new(self.verify_anew(&keyset, token)?);
        token.claims.check_time(now)?;
        self.verified.insert(hash, Remembered { generation: keyset.generation, token: Arc::clone(&token) });
        Ok(token)
    }

    /// The public keys that count (next, active, retired) as a JWK Set document.
    #[must_use]
    pub fn jwks(&self) -> Arc<[u8]> {
        Arc::clone(&self.keyset.load().jwks)
    }

    /// The name of the key that signs now.
    #[must_use]
    pub fn active_kid(&self) -> Option<String> {
        self.keyset.load().signing().map(|(kid, _)| kid.to_owned())
    }

    /// How many verified tokens are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.verified.len()
    }

    /// The claims as a token carries them, `iss` and `aud` included: for introspection (RFC 7662 section 2.2).
    #[must_use]
    pub fn members(&self, claims: &AccessClaims) -> serde_json::Map<String, Value> {
        claims.to_members(&self.options)
    }

    /// What all tokens have in common.
    #[must_use]
    pub const fn options(&self) -> &TokenOptions {
        &self.options
    }

    /// Makes a signing key, named by its thumbprint. Its randomness is the cryptographic library's own.
    pub fn generate_key(algorithm: Algorithm) -> Result<NewKey, TokenError> {
        let key = SigningKey::generate(algorithm)?;
        let public = key.verifying_key(None)?;
        Ok(NewKey { kid: public.thumbprint(), algorithm, pkcs8: key.to_pkcs8()?, public_jwk: public.to_jwk() })
    }

    fn verify_anew(&self, keyset: &Keyset, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = Compact::parse(token, MAX_TOKEN_LEN)?;
        let header = token.header();
        if !header.typ.as_deref().is_some_and(is_access_token_type) {
            return Err(TokenError::WrongType);
        }
        let kid = header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
        let key = keyset.verifying(kid).ok_or(TokenError::UnknownKey)?;
        let claims = AccessClaims::read(&token.verify_claims(key)?, &self.options)?;
        Ok(VerifiedToken { claims, kid: kid.to_owned(), met: AtomicBool::new(false) })
    }
}

/// RFC 9068 section 4: `at+jwt` or `application/at+jwt`; media types ignore case.
fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(TYPE) || typ.eq_ignore_ascii_case("application/at+jwt")
}

/// Shows the options and the active key's name.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("options", &self.options).field("active_kid", &self.active_kid()).finish()
    }
}

/// Shows the name, nothing of the private half.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({}, {})", self.algorithm.as_str(), self.kid)
    }
}
