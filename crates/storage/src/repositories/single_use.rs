//! Single use: one primitive for everything that may happen once (a state, a nonce, a widget payload, a vote).

use userd_model::Timestamp;

use crate::{Row, StoreError, UnitOfWork, statements};

/// What may be used once.
pub struct SingleUse<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    BY_HASH = "single_use.by_hash": "SELECT hash FROM single_use WHERE hash = $1" (Bytes) -> (Bytes);
    INSERT = "single_use.insert": "INSERT INTO single_use (hash, purpose, expires_at) VALUES ($1, $2, $3)"
        (Bytes, Text, Timestamp) -> ();
    EXPIRED = "single_use.expired":
        "SELECT expires_at, hash FROM single_use WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2"
        (Timestamp, I64) -> (Timestamp, Bytes);
    REMOVE = "single_use.remove": "DELETE FROM single_use WHERE hash = $1" (Bytes) -> ();
}

impl SingleUse<'_> {
    /// Uses up `hash`: true for the first caller whose unit of work commits, false for all others. What was used
    /// stays used until it is swept after `expires_at`, by when the caller must refuse it for its age.
    ///
    /// # Errors
    /// `Conflict` when another one was using it at the same moment.
    pub async fn consume_once(
        &mut self,
        hash: &[u8],
        purpose: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.0.one(&BY_HASH, &[hash.into()], used).await?.is_some() {
            return Ok(false);
        }
        match self.0.write_now(&INSERT, &[hash.into(), purpose.into(), expires_at.into()]).await {
            // It was not there a moment ago: a lost race. PostgreSQL has given up the transaction, so run again.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other.map(|()| true),
        }
    }

    /// Whether `hash` has been used: for looking before costly work, never for deciding.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn was_consumed(&mut self, hash: &[u8]) -> Result<bool, StoreError> {
        Ok(self.0.one(&BY_HASH, &[hash.into()], used).await?.is_some())
    }

    /// Removes up to `limit` entries that have expired by `now`; answers how many.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let hashes = self.0.many(&EXPIRED, &[now.into(), i64::from(limit).into()], |row| row.bytes(1)).await?;
        let count = hashes.len();
        self.0.write_many(&REMOVE, hashes.into_iter().map(|hash| vec![hash.into()]).collect()).await?;
        Ok(count)
    }
}

fn used(row: &mut Row) -> Result<(), StoreError> {
    row.bytes(0).map(drop)
}
