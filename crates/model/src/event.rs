//! The kinds of facts: their published words. What a fact is made of is in `fact.rs`.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $word)] $name),+ }

        impl EventKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable published word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

kinds! {
    /// An account was made.
    UserRegistered = "user.registered",
    /// Profile fields changed.
    UserChanged = "user.changed",
    /// The username changed.
    UsernameChanged = "user.username_changed",
    /// The password changed.
    PasswordChanged = "user.password_changed",
    /// An administrator shut the account.
    UserBlocked = "user.blocked",
    /// An administrator opened it again.
    UserUnblocked = "user.unblocked",
    /// A role was given.
    RoleGranted = "user.role_granted",
    /// A sign-in made a session.
    SessionStarted = "session.started",
    /// A session ended by its owner or an administrator.
    SessionEnded = "session.ended",
    /// An old refresh token was replayed, and the family was ended.
    RefreshTokenReplayed = "session.refresh_token_replayed",
    /// An account elsewhere was linked.
    IdentityLinked = "identity.linked",
    /// An account elsewhere was unlinked.
    IdentityUnlinked = "identity.unlinked",
    /// The messenger's bot may write to the user, or may no longer.
    BotAccessChanged = "identity.bot_access_changed",
    /// A service account was made.
    ClientCreated = "client.created",
    /// A service account was disabled.
    ClientDisabled = "client.disabled",
    /// A service account got a new secret.
    ClientSecretRotated = "client.secret_rotated",
}

impl EventKind {
    /// Whether other services hear of it: whether it goes into the event log.
    #[must_use]
    pub const fn is_public(self) -> bool {
        true
    }

    /// Whether it happens only to somebody who has just proven who they are: then they are who acted, although the
    /// request began as nobody's.
    #[must_use]
    pub const fn is_by_its_user(self) -> bool {
        !matches!(self, Self::RefreshTokenReplayed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other services match on these: a word once published is never changed, only added to (fault 38).
    #[test]
    fn the_published_words_are_fixed() {
        let published = [
            "user.registered",
            "user.changed",
            "user.username_changed",
            "user.password_changed",
            "user.blocked",
            "user.unblocked",
            "user.role_granted",
            "session.started",
            "session.ended",
            "session.refresh_token_replayed",
            "identity.linked",
            "identity.unlinked",
            "identity.bot_access_changed",
            "client.created",
            "client.disabled",
            "client.secret_rotated",
        ];
        let words: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        for word in published {
            assert!(words.contains(&word), "{word} is gone");
        }
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
        }
    }
}
