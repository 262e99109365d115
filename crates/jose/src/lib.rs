//! JOSE: compact signed tokens (RFC 7515), keys as JSON (RFC 7517) and the algorithms of RFC 7518 and RFC 8037
//! that this service signs with or accepts.
//!
//! Deliberately absent: encryption (JWE), the JSON serialization, `none`, keys taken from a token's own header
//! (`jwk`, `jku`, `x5c`, `x5u`), any network, and any opinion about claims: who uses a token decides what it means.

mod algorithm;
mod claims;
mod compact;
mod encoding;
mod error;
pub mod hs256;
mod jwk_set;
mod signing_key;
mod verifying_key;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use compact::{Compact, Header, sign_compact};
pub use error::JoseError;
pub use jwk_set::JwkSet;
pub use signing_key::SigningKey;
pub use userd_strict_json as strict_json;
pub use verifying_key::VerifyingKey;
