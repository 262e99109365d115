//! Revocations: what verifiers must refuse although a signature on it is good.

use serde::{Deserialize, Serialize};

use crate::{ClientId, RevocationId, SessionId, Timestamp, TokenId, UserId};

/// What is refused from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revoked {
    /// Every token of this session.
    Session {
        /// The session (`sid`).
        session_id: SessionId,
        /// Whose.
        user_id: UserId,
    },
    /// Tokens of this user whose `ver` is below `min_epoch`.
    User {
        /// The user (`sub`).
        user_id: UserId,
        /// The lowest `ver` still accepted.
        min_epoch: i64,
        /// The user's version after the change.
        version: i64,
    },
    /// One token.
    Token {
        /// Its `jti`.
        token_id: TokenId,
    },
    /// Every token signed by this key.
    Key {
        /// The key (`kid`).
        kid: String,
    },
    /// Tokens of this service account whose `ver` is below `before`.
    Client {
        /// The client (`client_id`).
        client_id: ClientId,
        /// The lowest `ver` still accepted. Entries of before this was written have none: their time stands for it.
        #[serde(default)]
        before: i64,
    },
    /// Every token, whosever, that was issued before a moment: a backup was restored.
    All {
        /// The earliest `iat` still accepted, in whole seconds.
        issued_before: Timestamp,
    },
    /// Tokens with this role whose version of it is below `min_version`: the role allows less than it did.
    Role {
        /// The role, as in `roles`.
        role: String,
        /// The lowest of `role_versions` still accepted; 0 where nothing was taken away.
        min_version: i64,
        /// The role's version after the change.
        version: i64,
    },
    /// Nothing is revoked, but whatever is remembered about the user is out of date (profile, roles).
    Changed {
        /// The user.
        user_id: UserId,
        /// The user's version after the change.
        version: i64,
    },
}

/// One entry of the feed. Verifiers may forget it at `expires_at`: every token it could touch is dead by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// For consumers to recognise a repeated entry.
    pub id: RevocationId,
    /// What.
    #[serde(flatten)]
    pub what: Revoked,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it can be forgotten.
    pub expires_at: Timestamp,
}
