//! Saved answers to requests that may come twice, written in the unit of work that did what they answer.

use userd_model::{Sealed, Timestamp};

use crate::{Duplicate, Row, StoreError, UnitOfWork, statements};

/// Saved answers.
pub struct IdempotencyKeys<'a>(pub(super) &'a mut UnitOfWork);

/// One saved answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Keyed hash of who asks, what for, and the key they sent.
    pub key_hash: Vec<u8>,
    /// Keyed hash of the body: the same key with another body is a mistake of the caller.
    pub body_hash: Vec<u8>,
    /// The answer, sealed.
    pub answer: Sealed,
    /// When it was saved.
    pub created_at: Timestamp,
    /// From when on the key may be used anew.
    pub expires_at: Timestamp,
}

statements! {
    BY_KEY = "idempotency_keys.by_key":
        "SELECT key_hash, body_hash, answer, created_at, expires_at FROM idempotency_keys WHERE key_hash = $1"
        (Bytes) -> (Bytes, Bytes, Bytes, Timestamp, Timestamp);
    UPSERT = "idempotency_keys.upsert": "INSERT INTO idempotency_keys \
        (key_hash, body_hash, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (key_hash) DO UPDATE SET body_hash = excluded.body_hash, answer = excluded.answer, \
        created_at = excluded.created_at, expires_at = excluded.expires_at"
        (Bytes, Bytes, Bytes, Timestamp, Timestamp) -> ();
    EXPIRED = "idempotency_keys.expired":
        "SELECT expires_at, key_hash FROM idempotency_keys WHERE expires_at <= $1 \
        ORDER BY expires_at, key_hash LIMIT $2"
        (Timestamp, I64) -> (Timestamp, Bytes);
    REMOVE = "idempotency_keys.remove": "DELETE FROM idempotency_keys WHERE key_hash = $1" (Bytes) -> ();
}

impl IdempotencyKeys<'_> {
    /// The saved answer that has not expired by `now`.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, key_hash: &[u8], now: Timestamp) -> Result<Option<IdempotencyRecord>, StoreError> {
        let found = self.0.one(&BY_KEY, &[key_hash.into()], record).await?;
        Ok(found.filter(|record| record.expires_at > now))
    }

    /// Saves an answer; one that had expired by `created_at`, and was not swept yet, is replaced.
    ///
    /// # Errors
    /// `Duplicate(Key("idempotency_keys"))` when there is an answer; `Conflict` when another one was saving at the
    /// same moment: the re-run finds its answer.
    pub async fn insert(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        if self.find(&record.key_hash, record.created_at).await?.is_some() {
            return Err(StoreError::Duplicate(Duplicate::Key("idempotency_keys")));
        }
        let values = [
            record.key_hash.clone().into(),
            record.body_hash.clone().into(),
            record.answer.0.clone().into(),
            record.created_at.into(),
            record.expires_at.into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// Removes up to `limit` answers that have expired by `now`; answers how many.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let keys = self.0.many(&EXPIRED, &[now.into(), i64::from(limit).into()], |row| row.bytes(1)).await?;
        let count = keys.len();
        self.0.write_many(&REMOVE, keys.into_iter().map(|key| vec![key.into()]).collect()).await?;
        Ok(count)
    }
}

fn record(row: &mut Row) -> Result<IdempotencyRecord, StoreError> {
    Ok(IdempotencyRecord {
        key_hash: row.bytes(0)?,
        body_hash: row.bytes(1)?,
        answer: Sealed(row.bytes(2)?),
        created_at: row.timestamp(3)?,
        expires_at: row.timestamp(4)?,
    })
}
