//! Tokens with three keys (Ed25519 active, P-256 retired, RSA next) and one revoked key, and the tools of a forger.

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_crypto::{AccessClaims, Algorithm, LoadedKey, TokenOptions, Tokens};
use userd_jose::SigningKey;
use userd_model::{KeyState, Random, SessionId, Timestamp, TokenId};
use uuid::Uuid;

/// Randomness that is always the same.
pub(crate) struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

/// Ten minutes long.
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        audience: "userd".into(),
        sub: Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111),
        client_id: "userd".into(),
        jti: TokenId::from_random([3; 16]),
        sid: Some(SessionId::from_random([2; 16])),
        iat: now(),
        nbf: now(),
        exp: now().plus(std::time::Duration::from_secs(600)),
        roles: vec!["admin".into()],
        role_versions: vec![4],
        permissions: vec!["users.read".into(), "users.manage".into()],
        permissions_complete: true,
        permission_prefix: None,
        scope: Some("profile".into()),
        auth_time: Some(now()),
        amr: vec!["pwd".into()],
        acr: Some("aal1".to_owned()),
        ver: 7,
        generation: Some(3),
    }
}

pub(crate) struct Fixture {
    pub(crate) tokens: Tokens,
    pub(crate) revoked: SigningKey,
    keys: Vec<SigningKey>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_capacity(1000)
    }

    pub(crate) fn with_capacity(cache_capacity: usize) -> Self {
        let options = TokenOptions { cache_capacity, ..TokenOptions::new("https://users.example", "userd") };
        let fixture = Self {
            tokens: Tokens::new(options),
            revoked: SigningKey::generate(Algorithm::EdDSA).unwrap(),
            keys: Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).unwrap()).into(),
        };
        fixture.tokens.load(fixture.keys([KeyState::Active, KeyState::Retired, KeyState::Next]));
        fixture
    }

    /// The three keys in these states, and the revoked one.
    pub(crate) fn keys(&self, states: [KeyState; 3]) -> Vec<LoadedKey> {
        self.keys
            .iter()
            .zip(states)
            .chain([(&self.revoked, KeyState::Revoked)])
            .map(|(key, state)| {
                let kid = kid_of(key);
                LoadedKey::signing(&kid, state, key.algorithm().as_str(), &key.to_pkcs8().unwrap()).unwrap()
            })
            .collect()
    }

    pub(crate) fn key(&self, algorithm: Algorithm) -> &SigningKey {
        self.keys.iter().find(|key| key.algorithm() == algorithm).unwrap()
    }

    pub(crate) fn kid(&self, algorithm: Algorithm) -> String {
        kid_of(self.key(algorithm))
    }

    pub(crate) fn header(&self, algorithm: Algorithm) -> Value {
        self.header_of(self.key(algorithm))
    }

    pub(crate) fn header_of(&self, key: &SigningKey) -> Value {
        json!({"alg": key.algorithm().as_str(), "typ": "at+jwt", "kid": kid_of(key)})
    }

    /// The claims of [`claims`] as an honest token carries them.
    pub(crate) fn good_claims(&self) -> Value {
        let claims = claims();
        json!({"iss": "https://users.example", "aud": "userd", "sub": claims.sub, "client_id": claims.client_id,
            "jti": claims.jti, "sid": claims.sid, "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_600,
            "roles": claims.roles, "role_versions": claims.role_versions, "permissions": claims.permissions, "scope": "profile",
            "auth_time": 1_800_000_000, "acr": "aal1", "amr": ["pwd"], "ver": 7, "gen": 3})
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        self.sign_with(self.key(algorithm), header, claims)
    }

    pub(crate) fn sign_with(&self, key: &SigningKey, header: &Value, claims: &Value) -> String {
        sign_text(key, &header.to_string(), &claims.to_string())
    }
}

/// Signs any two texts, JSON or not.
pub(crate) fn sign_text(key: &SigningKey, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", b64(signature))
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn kid_of(key: &SigningKey) -> String {
    key.verifying_key(None).unwrap().thumbprint()
}

pub(crate) fn pem(key: &SigningKey) -> Vec<u8> {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(key.to_pkcs8().unwrap()))
        .into_bytes()
}
