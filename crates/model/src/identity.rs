//! An identity: a user's account elsewhere, keyed by (provider instance, issuer, subject), never by e-mail.

use serde::{Deserialize, Serialize};

use crate::{IdentityId, Sealed, Timestamp, UserId};

/// A link between a user and an account elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Never used again.
    pub id: IdentityId,
    /// Whose.
    pub user_id: UserId,
    /// The provider instance's id in the configuration.
    pub provider: String,
    /// The issuer at the provider, so that a reconfigured provider does not inherit accounts.
    pub issuer: String,
    /// The provider's stable name of the account, sealed with the user's data key.
    pub subject: Sealed,
    /// What the provider told about the person (name, picture …), sealed JSON.
    pub profile: Option<Sealed>,
    /// The provider's tokens, where kept, sealed JSON.
    pub tokens: Option<Sealed>,
    /// The `client_id` the link was made with: pairwise subjects change with it.
    pub client_id: String,
    /// Whether the messenger's bot may write to the user.
    pub bot_access: bool,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was last used to sign in.
    pub last_used_at: Timestamp,
}
