//! A verified token: who calls, and what they may do.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// A verified token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The id of the user, or of the service account.
    pub subject: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// None for a service account.
    pub session_id: Option<String>,
    /// `jti`.
    pub token_id: String,
    /// Seconds since 1970.
    pub issued_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// The security epoch of the user, or the secret's number of the service account.
    pub version: i64,
    /// Roles at the time of issue.
    pub roles: Vec<String>,
    /// Of its roles, the version of what each allowed; a role that the token says none of is not among them.
    pub role_versions: HashMap<String, i64>,
    /// Permissions at the time of issue.
    pub permissions: Vec<String>,
    /// Which key signed it.
    pub key_id: String,
    /// Everything that the token says.
    pub claims: Map<String, Value>,
}

impl Token {
    /// Whether a service account calls.
    #[must_use]
    pub const fn is_service(&self) -> bool {
        self.session_id.is_none()
    }

    /// Whether it has one of these roles.
    #[must_use]
    pub fn has_role(&self, roles: &[impl AsRef<str>]) -> bool {
        roles.iter().any(|role| self.roles.iter().any(|held| held == role.as_ref()))
    }

    /// Whether it has all of these permissions.
    #[must_use]
    pub fn has_permission(&self, permissions: &[impl AsRef<str>]) -> bool {
        permissions.iter().all(|one| self.permissions.iter().any(|held| held == one.as_ref()))
    }
}
