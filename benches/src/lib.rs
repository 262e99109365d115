//! What the benchmarks of this folder share: random numbers as in service, one user's token, one thread's runtime.
//!
//! Deliberately absent: whole requests and whole use cases; `cargo xtask bench` measures those.

use std::time::Duration;

use userd_crypto::{AccessClaims, Algorithm, LoadedKey, NewKey, TokenError, TokenOptions, Tokens};
use userd_model::{Clock as _, KeyState, Random, SessionId, Timestamp, TokenId};
use userd_storage::testing::ManualClock;

/// `iss` of the tokens here.
pub const ISSUER: &str = "https://id.bench.example";
/// `aud` of the tokens here.
pub const AUDIENCE: &str = "userd";

/// The algorithms we sign with, by the names of RFC 7518 and RFC 8037.
pub const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

/// The library's generator, as in service.
pub struct Dice;

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "what is measured should cost what it costs in service")]
        let filled = aws_lc_rs::rand::fill(bytes);
        if filled.is_err() {
            std::process::abort();
        }
    }
}

/// The moment at which everything here happens.
#[must_use]
pub fn now() -> Timestamp {
    ManualClock::default().now()
}

/// A new key of the algorithm with this name.
///
/// # Errors
/// An unknown name, or the library fails.
pub fn new_key(algorithm: &str) -> Result<NewKey, TokenError> {
    let found = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256].into_iter().find(|a| a.as_str() == algorithm);
    Tokens::generate_key(found.ok_or(TokenError::NoSigningKey)?)
}

/// Tokens that are signed with `key` and remembered up to `remembered`.
///
/// # Errors
/// A broken key.
pub fn tokens(key: &NewKey, remembered: usize) -> Result<Tokens, TokenError> {
    let tokens = Tokens::new(TokenOptions { cache_capacity: remembered, ..TokenOptions::new(ISSUER, AUDIENCE) });
    let algorithm = key.algorithm.as_str();
    tokens.load(vec![LoadedKey::signing(&key.kid, KeyState::Active, algorithm, &key.pkcs8)?]);
    Ok(tokens)
}

/// What a user's token says.
#[must_use]
pub fn claims() -> AccessClaims {
    let now = now();
    AccessClaims {
        audience: "userd".to_owned(),
        sub: uuid::Builder::from_random_bytes(Dice.id_bytes()).into_uuid(),
        client_id: "userd".to_owned(),
        jti: TokenId::mint(&Dice),
        sid: Some(SessionId::mint(&Dice)),
        iat: now,
        nbf: now,
        exp: now.plus(Duration::from_secs(600)),
        roles: vec!["user".to_owned()],
        role_versions: vec![1],
        permissions_complete: true,
        permission_prefix: None,
        permissions: vec!["users:read".to_owned(), "roles:read".to_owned()],
        scope: None,
        auth_time: Some(now),
        amr: vec!["pwd".to_owned()],
        acr: Some("aal1".to_owned()),
        ver: 1,
        generation: Some(1),
    }
}
