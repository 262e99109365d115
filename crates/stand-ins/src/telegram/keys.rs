//! Telegram's keys: RSA, P-256 and Ed25519 that sign, and two that most libraries do not know: secp256k1, and a kind
//! of the future. A reader that wants all of them to parse loses every sign-in.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa,
};
use axum::response::Response;
use serde_json::{Value, json};
use userd_jose::{Algorithm, JoseError, SigningKey};

use super::Knobs;
use crate::{reply, server::Shared};

pub(super) struct Keys {
    rsa: SigningKey,
    p256: SigningKey,
    ed25519: SigningKey,
}

impl Keys {
    pub(super) fn generate() -> Result<Self, JoseError> {
        Ok(Self {
            rsa: rsa_2048()?,
            p256: SigningKey::generate(Algorithm::ES256)?,
            ed25519: SigningKey::generate(Algorithm::EdDSA)?,
        })
    }

    /// The key of an algorithm and its name.
    pub(super) fn of(&self, algorithm: Algorithm) -> (&SigningKey, &'static str) {
        match algorithm {
            Algorithm::RS256 => (&self.rsa, "oidc-1"),
            Algorithm::ES256 => (&self.p256, "oidc-es256-1"),
            Algorithm::EdDSA => (&self.ed25519, "oidc-eddsa-1"),
        }
    }

    /// The set in the real one's order and shapes: the RSA key has `key_ops` and `ext` and no `use`.
    pub(super) fn published(&self) -> Value {
        let jwk = |algorithm: Algorithm, more: Value| {
            let (key, kid) = self.of(algorithm);
            let mut jwk = key.verifying_key(Some(kid.to_owned())).map_or(Value::Null, |key| key.to_jwk());
            if let (Some(members), Value::Object(more)) = (jwk.as_object_mut(), more) {
                members.remove("use");
                members.extend(more);
            }
            jwk
        };
        json!({ "keys": [
            jwk(Algorithm::RS256, json!({ "ext": true, "key_ops": ["verify"] })),
            jwk(Algorithm::ES256, json!({ "use": "sig" })),
            jwk(Algorithm::EdDSA, json!({ "use": "sig" })),
            { "alg": "ES256K", "kty": "EC", "crv": "secp256k1", "kid": "oidc-es256k-1", "use": "sig",
              "x": "vsk5i5YJu8H_VPL7DWTgVGXBPrqgkyNmYvfgOrVut38", "y": "Mrg56tBhVeorHPXK1LbTX2jP7rEqOHIatM96HFzVMIU" },
            { "alg": "ML-DSA-44", "kty": "AKP", "kid": "oidc-pq-1", "use": "sig", "pub": "AAAA" },
        ] })
    }
}

/// 2048 bits, as Telegram's own key has.
pub(crate) fn rsa_2048() -> Result<SigningKey, JoseError> {
    let failed = |_| JoseError::Key("generation failed");
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(failed)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
    SigningKey::from_pkcs8(Algorithm::RS256, der.as_ref())
}

/// The real document with other addresses: no user-info, no revocation, no `iss` in the answer.
pub(super) fn discovery(shared: &Shared<Knobs>) -> Response {
    reply::json(
        200,
        &json!({
            "issuer": shared.base_url,
            "authorization_endpoint": shared.at("/auth"),
            "token_endpoint": shared.at("/token"),
            "jwks_uri": shared.at("/.well-known/jwks.json"),
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "ES256K"],
            "scopes_supported": ["openid", "phone", "profile", "telegram:bot_access", "ton:wallet"],
            "claims_supported": ["aud", "preferred_username", "phone_number", "exp", "iat", "iss", "name", "picture",
                "sub", "ton"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": ["authorization_code"],
        }),
    )
}
