//! A client: the service account of another service (`client_credentials`, introspection, the revocation feed).

use serde::{Deserialize, Serialize};

use crate::{ClientId, Permission, Refusal, Timestamp, UserId};

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
    /// What it may register, give and ask about begins so; none: it is not limited.
    pub permission_prefix: Option<String>,
    /// The audiences that its tokens may be for; none: the first that is configured, whichever that is.
    pub audiences: Option<Vec<String>>,
    /// Who made it; none when made on the command line.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret last changed.
    pub secret_changed_at: Timestamp,
    /// When it was disabled; it stays as a row, so that it can be enabled again and its id is never another's.
    pub disabled_at: Option<Timestamp>,
    /// Raised with every change; the `If-Match` guard.
    pub version: i64,
}

impl Client {
    /// Whether this can limit a service account: the beginning of words, up to a dot, and of none of our own.
    #[must_use]
    pub fn is_prefix(prefix: &str) -> bool {
        let is_ours = Permission::WELL_KNOWN.iter().any(|known| known.as_str().starts_with(prefix));
        prefix.len() > 1 && prefix.ends_with('.') && Permission::parse(prefix).is_some() && !is_ours
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_with_a_dot_and_holds_none_of_our_words() {
        for prefix in ["billing.", "billing.invoices.", "b."] {
            assert!(Client::is_prefix(prefix), "{prefix}");
        }
        for prefix in ["", ".", "billing", "Billing.", "users.", "billing. ", "b/."] {
            assert!(!Client::is_prefix(prefix), "{prefix}");
        }
    }
}
