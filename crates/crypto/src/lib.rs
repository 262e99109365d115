//! CryptoManager: signing keys and access tokens, passwords, field encryption, blind indexes, opaque secrets.
//!
//! Deliberately absent: storage (callers keep what is sealed and hashed), HTTP, the clock (callers pass the time),
//! and every primitive of our own: aws-lc-rs and the `argon2` crate do the cryptography.

mod aead;
mod base32;
mod blind_index;
mod device_token;
mod error;
mod fields;
mod mac;
mod master_keys;
mod opaque_secret;
mod passwords;
mod recovery_code;
mod refresh_token;
mod security_events;
mod tokens;
mod totp;
pub mod transparency;

use subtle::ConstantTimeEq as _;

pub use blind_index::BlindIndex;
pub use device_token::{DeviceTokens, KnownDevice};
pub use error::CryptoError;
pub use fields::{DataKey, Fields, Vault, place};
pub use master_keys::MasterKeys;
pub use opaque_secret::OpaqueSecret;
pub use passwords::{MAX_PASSWORD_BYTES, PasswordError, PasswordOptions, Passwords, PoolState, Verdict};
pub use recovery_code::RecoveryCodeText;
pub use refresh_token::RefreshTokens;
pub use security_events::SecurityEvents;
pub use tokens::{AccessClaims, LoadedKey, MAX_TOKEN_LEN, NewKey, TokenError, TokenOptions, Tokens, VerifiedToken};
pub use totp::TotpSecret;
pub use userd_jose::Algorithm;
pub use zeroize::Zeroizing;

/// Everything cryptographic that services use, in one place. The wiring makes the parts and puts them together.
#[derive(Debug)]
pub struct CryptoManager {
    /// Password hashing.
    pub passwords: Passwords,
    /// Access tokens and their keys.
    pub tokens: Tokens,
    /// Field encryption.
    pub fields: Fields,
    /// Hashes to find and compare by.
    pub index: BlindIndex,
    /// Refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// What browsers hold instead.
    pub browser_secrets: RefreshTokens,
    /// What browsers hold at hosts whose proxy asks here.
    pub host_secrets: RefreshTokens,
    /// Tokens that tell known devices.
    pub device_tokens: DeviceTokens,
    /// Signs checkpoints of the audit log, and nothing else.
    pub checkpoints: transparency::CheckpointKey,
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
