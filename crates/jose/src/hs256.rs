//! HMAC-SHA-256 tokens (RFC 7518 section 3.2), for the one provider that signs user data with the client secret.
//! A room of its own: a shared secret is a byte slice here and never a [`crate::VerifyingKey`], so a public key can
//! never be taken for one.

use aws_lc_rs::hmac;
use serde::Serialize;
use serde_json::Map;

use crate::{Claims, Compact, JoseError, compact, encoding};

const NAME: &str = "HS256";

/// The claims of `token`, when it was signed with `secret`; compared in constant time.
///
/// # Errors
/// [`JoseError::Key`] for an empty secret, [`JoseError::Algorithm`] for any other `alg`, [`JoseError::Signature`],
/// and the errors of [`Compact::parse`].
pub fn verify(token: &str, secret: &[u8], max_len: usize) -> Result<Claims, JoseError> {
    let key = key(secret)?;
    let token = Compact::parse(token, max_len)?;
    if token.header().alg != NAME {
        return Err(JoseError::Algorithm);
    }
    let (input, signature, payload) = token.signed();
    hmac::verify(&key, input.as_bytes(), signature).map_err(|_| JoseError::Signature)?;
    Claims::parse(payload)
}

/// Signs `claims` with `secret`.
///
/// # Errors
/// [`JoseError::Key`] for an empty secret, [`JoseError::Serialize`] when the claims are not an object.
pub fn sign(claims: &impl Serialize, secret: &[u8]) -> Result<String, JoseError> {
    let key = key(secret)?;
    let header = Map::from_iter([("alg".to_owned(), NAME.into()), ("typ".to_owned(), "JWT".into())]);
    let input = compact::signing_input(&header, claims)?;
    let signature = hmac::sign(&key, input.as_bytes());
    Ok(format!("{input}.{}", encoding::encode(signature)))
}

fn key(secret: &[u8]) -> Result<hmac::Key, JoseError> {
    if secret.is_empty() {
        return Err(JoseError::Key("an empty secret"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret))
}
