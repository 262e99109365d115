//! Who may do what. The whole policy is [`Actor::may`]; API, command line and pages all ask it.

use serde::{Deserialize, Serialize};

use crate::{ClientId, Refusal, SessionId, UserId};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// A named right. Roles are sets of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission { $($(#[$doc])* #[serde(rename = $word)] $name),+ }

        impl Permission {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable published word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The permission for a word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

permissions! {
    /// See any account and its sessions.
    UsersRead = "users.read",
    /// Block, unblock and sign out accounts.
    UsersManage = "users.manage",
    /// See service accounts.
    ClientsRead = "clients.read",
    /// Make, change and remove service accounts.
    ClientsManage = "clients.manage",
    /// See signing keys.
    KeysRead = "signing_keys.read",
    /// Rotate and revoke signing keys.
    KeysManage = "signing_keys.manage",
    /// Ask whether a token is good.
    TokensIntrospect = "tokens.introspect",
    /// Read the revocation feed.
    RevocationsRead = "revocations.read",
}

/// A role: a named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Unique.
    pub name: String,
    /// What it allows.
    pub permissions: Vec<String>,
}

impl Role {
    /// The name of the role that may do everything.
    pub const ADMIN: &'static str = "admin";
}

/// Whoever acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User {
        /// Who.
        id: UserId,
        /// In which session.
        session_id: SessionId,
        /// What they may do.
        permissions: Vec<Permission>,
    },
    /// Another service.
    Service {
        /// Which.
        id: ClientId,
        /// What it may do.
        permissions: Vec<Permission>,
    },
    /// The operator at the machine's command line.
    Operator,
}

/// Something an actor may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// To anything, by right of a permission.
    Any(Permission),
    /// To one user's own things; others need the permission.
    Own(UserId, Permission),
}

impl Actor {
    /// Default deny: allowed is what a rule here allows.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn may(&self, act: Act) -> Result<(), Refusal> {
        let (owner, permission) = match act {
            Act::Any(permission) => (None, permission),
            Act::Own(owner, permission) => (Some(owner), permission),
        };
        let allowed = match self {
            Self::Operator => true,
            Self::User { id, permissions, .. } => owner == Some(*id) || permissions.contains(&permission),
            Self::Service { permissions, .. } => permissions.contains(&permission),
        };
        if allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}
