//! What all forgeries share: reasons, names, and the proof that each fails for its reason and leaves no trace.

use serde_json::Value;
use userd_crypto::{Algorithm, TokenError};
use userd_jose::JoseError;

use crate::fixture::{Fixture, now};

pub(crate) const ED: Algorithm = Algorithm::EdDSA;
pub(crate) const ALGORITHM: TokenError = TokenError::Token(JoseError::Algorithm);
pub(crate) const SIGNATURE: TokenError = TokenError::Token(JoseError::Signature);
pub(crate) const ENCODING: TokenError = TokenError::Token(JoseError::Encoding);
pub(crate) const JSON: TokenError = TokenError::Token(JoseError::Json);
pub(crate) const PARTS: TokenError = TokenError::Token(JoseError::Parts);
pub(crate) const NO_ALG: TokenError = TokenError::Token(JoseError::Header("alg"));

pub(crate) type Forgery = (String, String, TokenError);

/// One named forgery.
pub(crate) fn forged(name: impl Into<String>, token: String, reason: TokenError) -> Forgery {
    (name.into(), token, reason)
}

pub(crate) fn refuse_all(fixture: &Fixture, forgeries: Vec<Forgery>) {
    let honest = fixture.sign(ED, &fixture.header(ED), &fixture.good_claims());
    assert!(fixture.tokens.verify(&honest, now()).is_ok(), "the honest token passes");
    for (name, token, reason) in forgeries {
        assert_eq!(fixture.tokens.verify(&token, now()).err(), Some(reason), "{name}");
    }
    assert_eq!(fixture.tokens.remembered(), 1, "no forgery is remembered");
}

pub(crate) fn with(mut value: Value, member: &str, new: Value) -> Value {
    value[member] = new;
    value
}

pub(crate) fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

/// Splits an honest token and signs nothing again.
pub(crate) fn parts(token: &str) -> (String, String, String) {
    let mut parts = token.split('.').map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
}
