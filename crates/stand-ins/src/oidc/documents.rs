//! What the OpenID provider publishes: its discovery document and its keys.

use axum::response::Response;
use serde_json::{Value, json};
use userd_jose::SigningKey;

use super::{Behind, FaultMode, Knobs};
use crate::{reply, server::Shared};

/// The name of the key that signs.
pub(super) const KID: &str = "friend-1";

pub(super) fn discovery(shared: &Shared<Knobs>, knobs: &Knobs) -> Response {
    let issuer = match knobs.fault_mode {
        Some(FaultMode::OtherIssuerInDiscovery) => "https://login.victim.example".to_owned(),
        _ => shared.base_url.clone(),
    };
    reply::json(
        200,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": shared.at("/authorize"),
            "token_endpoint": shared.at("/token"),
            "userinfo_endpoint": shared.at("/userinfo"),
            "revocation_endpoint": shared.at("/revoke"),
            "jwks_uri": shared.at("/jwks"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email", "profile", "phone", "offline_access"],
            "authorization_response_iss_parameter_supported": true,
        }),
    )
}

/// The public half as a JWK for signatures.
pub(super) fn public(key: &SigningKey) -> Value {
    key.verifying_key(Some(KID.to_owned())).map_or(Value::Null, |key| {
        let mut jwk = key.to_jwk();
        jwk["use"] = "sig".into();
        jwk
    })
}

impl Behind {
    pub(super) fn jwks(&self, knobs: &Knobs) -> Response {
        let mut keys = vec![public(&self.key)];
        if knobs.fault_mode == Some(FaultMode::DuplicateKid) {
            keys.insert(0, public(&self.stranger));
        }
        reply::json(200, &json!({ "keys": keys }))
    }
}
