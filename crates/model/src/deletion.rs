//! A deletion: an account that is gone for everybody and can still come back. Who deleted it decides who restores it.
//! Deliberately absent: the account itself (`user.rs`) and what is erased when the time is over.

use std::time::Duration;

use crate::{Timestamp, UserId, UserStatus};

/// Who deleted an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedBy {
    /// Its owner: who proves to be them restores it.
    Owner,
    /// An administrator: only an administrator restores it.
    Administrator,
}

impl DeletedBy {
    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Administrator => "administrator",
        }
    }

    /// Who a stored word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Administrator].into_iter().find(|known| known.as_str() == word)
    }
}

/// A deleted account, until it is restored or erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Whose account.
    pub user_id: UserId,
    /// By whom.
    pub by: DeletedBy,
    /// What it was before: a block survives deletion and restoration.
    pub status_before: UserStatus,
    /// When.
    pub deleted_at: Timestamp,
    /// From when on it cannot be restored, and is erased.
    pub purge_at: Timestamp,
}

impl Deletion {
    /// A deletion now, for an account that can be restored for so long.
    #[must_use]
    pub fn new(user_id: UserId, by: DeletedBy, status_before: UserStatus, now: Timestamp, window: Duration) -> Self {
        Self { user_id, by, status_before, deleted_at: now, purge_at: now.plus(window) }
    }

    /// Whether the owner, who has proven who they are, may have the account back.
    #[must_use]
    pub fn is_restorable_by_owner(&self, now: Timestamp) -> bool {
        self.by == DeletedBy::Owner && self.is_restorable(now)
    }

    /// Whether there still is something to restore.
    #[must_use]
    pub fn is_restorable(&self, now: Timestamp) -> bool {
        now < self.purge_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_deleted_decides_who_restores_until_the_window_closes() {
        let (at, window) = (Timestamp::from_seconds(1_000), Duration::from_secs(100));
        let deleted = |by| Deletion::new(UserId(uuid::Uuid::nil()), by, UserStatus::Active, at, window);
        for (by, seconds, owner, administrator) in [
            (DeletedBy::Owner, 0, true, true),
            (DeletedBy::Owner, 99, true, true),
            (DeletedBy::Owner, 100, false, false),
            (DeletedBy::Administrator, 0, false, true),
            (DeletedBy::Administrator, 100, false, false),
        ] {
            let (deletion, now) = (deleted(by), at.plus(Duration::from_secs(seconds)));
            assert_eq!(deletion.is_restorable_by_owner(now), owner, "{by:?} {seconds}");
            assert_eq!(deletion.is_restorable(now), administrator, "{by:?} {seconds}");
        }
    }

    #[test]
    fn the_words_are_fixed() {
        for (by, word) in [(DeletedBy::Owner, "owner"), (DeletedBy::Administrator, "administrator")] {
            assert_eq!((by.as_str(), DeletedBy::parse(word)), (word, Some(by)));
        }
        assert_eq!(DeletedBy::parse("somebody"), None);
    }
}
