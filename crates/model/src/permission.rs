//! Permissions: free words; those of this service are well known.

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde::Serialize;

use crate::Timestamp;

/// A named right, ours (`users.read`) or another service's (`billing.invoices.read`). Roles are sets of these.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Permission(Cow<'static, str>);

macro_rules! well_known {
    ($(#[doc = $about:literal] $name:ident = $word:literal),+ $(,)?) => {
        impl Permission {
            $(#[doc = $about] pub const $name: Self = Self(Cow::Borrowed($word));)+

            /// Those that this service itself asks for, in order.
            pub const WELL_KNOWN: &'static [Self] = &[$(Self::$name),+];

            /// What one of this service's own allows; nothing for others.
            #[must_use]
            pub fn about(&self) -> &'static str {
                match self.as_str() { $($word => $about.trim_ascii(),)+ _ => "" }
            }

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
    /// See roles and permissions.
    ROLES_READ = "roles.read",
    /// Make, change and remove roles, within what one holds.
    ROLES_MANAGE = "roles.manage",
    /// Give roles and permissions that one holds to users, take them away, and decide requests for them.
    ROLES_GRANT = "roles.grant",
    /// Register and remove the words of other services' permissions, and so give them.
    PERMISSIONS_MANAGE = "permissions.manage",
    /// Ask what somebody may do.
    PERMISSIONS_CHECK = "permissions.check",
    /// See every access request.
    ACCESS_REQUESTS_READ = "access_requests.read",
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
    /// Read, prove and verify the audit log.
    AUDIT_READ = "audit.read",
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
    /// See one's own streams of shared signals, and take the signals from them.
    SSF_READ = "ssf.read",
    /// Set up, change and remove one's own streams of shared signals.
    SSF_MANAGE = "ssf.manage",
    /// End every session of anybody at once.
    TOKENS_REVOKE = "tokens.revoke",
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

    /// Whether a new word may be registered so. Browsers take `..` in an address for the folder above: such a word would have no
    /// page. One from before stays.
    #[must_use]
    pub fn is_new_word(word: &str) -> bool {
        Self::parse(word).is_some() && !word.starts_with('.')
    }

    /// Whether whoever holds these may give it to others: what they hold themselves, and words of other services if it is
    /// them who define those.
    #[must_use]
    pub fn may_be_given_by(&self, held: &[Self]) -> bool {
        held.contains(self) || (!self.is_well_known() && held.contains(&Self::PERMISSIONS_MANAGE))
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

/// A word of another service that was registered: only then may it be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredPermission {
    /// The word.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Whether users may ask for it by itself.
    pub requestable: bool,
    /// The user, service account or operator that registered it.
    pub registered_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Whether the configuration declares it: then only `userd roles apply` changes it.
    pub managed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str) -> Permission {
        Permission::parse(word).unwrap()
    }

    #[test]
    fn a_word_is_short_and_plain() {
        for word in ["a", "billing.invoices-v2_read", "0", &"x".repeat(100)] {
            assert!(Permission::is_new_word(word), "{word}");
        }
        for word in ["", "A", "a b", "a/b", "право", "a*", &"x".repeat(101)] {
            assert_eq!(Permission::parse(word), None, "{word}");
            assert!(!Permission::is_new_word(word), "{word}");
        }
        for word in [".", "..", ".a"] {
            assert!(Permission::parse(word).is_some() && !Permission::is_new_word(word), "{word}");
        }
    }

    /// Nobody gives what they do not hold; who defines the words of others gives those, and none of ours.
    #[test]
    fn a_permission_is_given_by_who_holds_it_or_defines_it() {
        let (ours, others, manage) = (Permission::USERS_READ, of("billing.read"), Permission::PERMISSIONS_MANAGE);
        for (permission, held, may) in [
            (&ours, vec![ours.clone()], true),
            (&others, vec![others.clone()], true),
            (&ours, vec![manage.clone()], false),
            (&others, vec![manage.clone()], true),
            (&others, vec![ours.clone()], false),
            (&ours, vec![], false),
            (&manage, vec![manage.clone()], true),
        ] {
            assert_eq!(permission.may_be_given_by(&held), may, "{permission} by {held:?}");
        }
    }

    #[test]
    fn ours_come_first_in_their_order_and_the_others_by_their_words() {
        let mut words = [of("b.b"), Permission::USERS_MANAGE, of("a.a"), Permission::USERS_READ];
        words.sort();
        assert_eq!(words.map(|word| word.to_string()), ["users.read", "users.manage", "a.a", "b.b"]);
        assert!(Permission::USERS_READ.is_well_known() && !of("a.a").is_well_known());
        assert_eq!((Permission::USERS_READ.about(), of("a.a").about()), ("See any account and its sessions.", ""));
    }
}
