//! Security event tokens: RS256, and never taken for an access token.

use serde_json::{Value, json};
use userd_crypto::{LoadedKey, SecurityEvents, TokenError};
use userd_jose::{Algorithm, Compact, JwkSet};
use userd_model::KeyState;

use crate::fixture::*;

/// AC-171: whatever it says, and even where the key that signed it were one of access tokens.
#[test]
fn a_security_event_token_is_signed_rs256_and_is_no_access_token() {
    let (fixture, events) = (Fixture::new(), SecurityEvents::default());
    assert!(matches!(events.sign(&json!({})), Err(TokenError::NoSigningKey)));
    let key = SecurityEvents::generate_key().unwrap();
    assert!(!events.signs_with(&key.kid));
    events.load(&key.kid, &key.pkcs8).unwrap();
    assert!(events.signs_with(&key.kid));
    let claims = json!({ "iss": "https://users.example", "aud": "userd", "jti": "one", "events": {} });
    let token = events.sign(&claims).unwrap();
    assert_eq!(events.sign(&claims).unwrap(), token, "the same text");
    assert!(events.sign(&fixture.good_claims()).is_err(), "nothing with a `sub` is signed");

    let before = JwkSet::parse(&fixture.tokens.jwks()).unwrap().keys.len();
    let signing = || fixture.keys([KeyState::Active, KeyState::Retired, KeyState::Next]);
    fixture.tokens.load_and_publish(signing(), std::slice::from_ref(&key.public_jwk));
    let published = JwkSet::parse(&fixture.tokens.jwks()).unwrap();
    assert_eq!(published.keys.len(), before + 1);
    let public = published.find(Some(&key.kid), Algorithm::RS256).unwrap();
    let parsed = Compact::parse(&token, 8192).unwrap();
    assert_eq!(parsed.header().typ.as_deref(), Some("secevent+jwt"));
    assert_eq!(serde_json::from_slice::<Value>(parsed.verify(public).unwrap()).unwrap(), claims);

    assert_eq!(fixture.tokens.verify(&token, now()).unwrap_err(), TokenError::WrongType);
    // An access token that this key had signed: it is published, and verifies nothing here.
    let mut header = fixture.header(Algorithm::RS256);
    header["kid"] = json!(key.kid);
    let signer = userd_jose::SigningKey::from_pkcs8(Algorithm::RS256, &key.pkcs8).unwrap();
    let forged = userd_jose::sign_compact(&signer, &header, &fixture.good_claims()).unwrap();
    assert_eq!(fixture.tokens.verify(&forged, now()).unwrap_err(), TokenError::UnknownKey);
    let loaded = LoadedKey::signing(&key.kid, KeyState::Active, "RS256", &key.pkcs8).unwrap();
    fixture.tokens.load(vec![loaded]);
    assert_eq!(fixture.tokens.verify(&token, now()).unwrap_err(), TokenError::WrongType);
}
