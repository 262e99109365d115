//! Permissions and roles. A permission is a free word; those of this service are well known.

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

/// A named right, ours (`users.read`) or another service's (`billing.invoices.read`). Roles are sets of these.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Permission(Cow<'static, str>);

macro_rules! well_known {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        impl Permission {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($word));)+

            /// Those that this service itself asks for, in order.
            pub const WELL_KNOWN: &'static [Self] = &[$(Self::$name),+];

            fn well_known(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

well_known! {
    /// See any account and its sessions.
    USERS_READ = "users.read",
    /// Make, change, block, unblock and sign out accounts.
    USERS_MANAGE = "users.manage",
    /// Remove the second factors of an account.
    USERS_RESET_FACTORS = "users.reset_factors",
    /// Erase accounts for good, and forbid it.
    USERS_PURGE = "users.purge",
    /// See service accounts.
    CLIENTS_READ = "clients.read",
    /// Make, change and remove service accounts.
    CLIENTS_MANAGE = "clients.manage",
    /// See signing keys.
    SIGNING_KEYS_READ = "signing_keys.read",
    /// Rotate and revoke signing keys.
    SIGNING_KEYS_MANAGE = "signing_keys.manage",
    /// Ask whether a token is good.
    TOKENS_INTROSPECT = "tokens.introspect",
    /// Read the revocation feed.
    REVOCATIONS_READ = "revocations.read",
    /// Read the event feed.
    EVENTS_READ = "events.read",
    /// See what becomes of messages.
    DELIVERIES_READ = "deliveries.read",
    /// Try messages again, and give them up.
    DELIVERIES_MANAGE = "deliveries.manage",
    /// Send notifications to users, and see what became of them.
    NOTIFICATIONS_SEND = "notifications.send",
    /// See webhooks.
    WEBHOOKS_READ = "webhooks.read",
    /// Make, change, try and remove webhooks.
    WEBHOOKS_MANAGE = "webhooks.manage",
}

impl Permission {
    /// The longest word, in bytes.
    pub const MAX_BYTES: usize = 100;

    /// The permission of a word: 1 to 100 of `a-z`, `0-9`, `_`, `.` and `-`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        Self::well_known(word).or_else(|| {
            let fits = (1..=Self::MAX_BYTES).contains(&word.len()) && word.bytes().all(lawful);
            fits.then(|| Self(Cow::Owned(word.to_owned())))
        })
    }

    /// The published word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of this service's own.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        Self::well_known(&self.0).is_some()
    }
}

/// Well-known ones first, in their order; the others by their words.
impl Ord for Permission {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |permission: &Self| Self::WELL_KNOWN.iter().position(|known| known == permission);
        let key = |permission: &Self| place(permission).unwrap_or(usize::MAX);
        key(self).cmp(&key(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Permission {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
