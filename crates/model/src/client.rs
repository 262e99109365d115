//! A client: the service account of another service (`client_credentials`, introspection, the revocation feed).

use serde::{Deserialize, Serialize};

use crate::{ClientId, Refusal, Timestamp, UserId};

/// A service account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// SHA-256 of its secret (256 random bits).
    pub secret_hash: Vec<u8>,
    /// Names of permissions it holds.
    pub permissions: Vec<String>,
    /// The audiences that its tokens may be for; none: the first that is configured, whichever that is.
    pub audiences: Option<Vec<String>>,
    /// Who made it; none when made on the command line.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret last changed.
    pub secret_changed_at: Timestamp,
    /// When it was disabled; it stays as a row so that its id is never used again.
    pub disabled_at: Option<Timestamp>,
    /// Raised with every change; the `If-Match` guard.
    pub version: i64,
}

impl Client {
    /// Refuses a change that was prepared against another version (`If-Match`).
    ///
    /// # Errors
    /// `VersionMismatch`.
    pub const fn must_have_version(&self, expected: Option<i64>) -> Result<(), Refusal> {
        match expected {
            Some(version) if version != self.version => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }
}
