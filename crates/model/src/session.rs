//! A session: the refresh tokens of one sign-in on one device, each replacing the one before (rotation, RFC 9700 section
//! 4.14.2), and the rule that decides what a presented refresh token means.

use serde::{Deserialize, Serialize};

use crate::{IdentityId, Sealed, SessionId, Timestamp, UserId};

/// One refresh-token family on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Never used again.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What the user called the device, if anything.
    pub device_name: Option<String>,
    /// `User-Agent` at sign-in, shortened.
    pub user_agent: Option<String>,
    /// Address at sign-in, later at the last refresh.
    pub ip: Option<String>,
    /// Methods of the sign-in (RFC 8176): `pwd`, `fed` …
    pub amr: Vec<String>,
    /// When the user last proved who they are in this session.
    pub auth_time: Timestamp,
    /// Sign-in.
    pub created_at: Timestamp,
    /// Last refresh.
    pub last_seen_at: Timestamp,
    /// The absolute end; refreshing never moves it past the family's lifetime.
    pub expires_at: Timestamp,
    /// When it was ended early, if so.
    pub ended_at: Option<Timestamp>,
    /// How many times the refresh token has rotated.
    pub generation: i64,
    /// SHA-256 of the current refresh token's secret.
    pub current_hash: Vec<u8>,
    /// SHA-256 of the one before, replayable until the current one is used.
    pub previous_hash: Option<Vec<u8>>,
    /// The current refresh token, sealed, for the answer to such a replay.
    pub successor: Option<Sealed>,
    /// The account elsewhere that it began with, where it began with one.
    pub identity_id: Option<IdentityId>,
}

/// What a presented refresh token is to its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The newest: rotate.
    Current,
    /// Used once, and its successor has not been used: the answer was lost on the way. Answer the same successor.
    Replay,
    /// Anything older: stolen or restored from a backup. End the family.
    Stale,
}

impl Session {
    /// Whether the family can still be refreshed at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Places a presented token of this family by what a constant-time comparison of its hash found.
    #[must_use]
    pub const fn place(&self, is_current: bool, is_previous: bool) -> Presented {
        if is_current {
            Presented::Current
        } else if is_previous && self.successor.is_some() {
            Presented::Replay
        } else {
            Presented::Stale
        }
    }

    /// Rotates to a successor: the current token becomes the replayable one.
    pub fn rotate(&mut self, successor_hash: Vec<u8>, successor: Sealed, now: Timestamp) {
        self.previous_hash = Some(std::mem::replace(&mut self.current_hash, successor_hash));
        self.successor = Some(successor);
        self.generation += 1;
        self.last_seen_at = now;
    }

    /// Ends the family; ending twice keeps the first time.
    pub fn end(&mut self, now: Timestamp) {
        self.ended_at.get_or_insert(now);
        self.successor = None;
    }
}
