//! What requests made that may come twice, written in the unit of work that made it.

use userd_model::{Sealed, Timestamp};

use crate::{
    Duplicate, Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Saved answers.
pub struct IdempotencyKeys<'a>(pub(super) &'a mut UnitOfWork);

/// What one request made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Keyed hash of who asks, what for, and the key they sent.
    pub key_hash: Vec<u8>,
    /// Keyed hash of the body: the same key with another body is a mistake of the caller.
    pub body_hash: Vec<u8>,
    /// Kind and id of what was made, sealed.
    pub answer: Sealed,
    /// When it was saved.
    pub created_at: Timestamp,
    /// From when on the key may be used anew.
    pub expires_at: Timestamp,
}

statements_of! { IDEMPOTENCY_KEYS:
    BY_KEY = "idempotency_keys.by_key": Shape::Find;
    UPSERT = "idempotency_keys.upsert": Shape::Upsert;
}

impl IdempotencyKeys<'_> {
    /// The saved answer that has not expired by `now`.
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
}

fn record(row: &mut Row) -> Result<IdempotencyRecord, StoreError> {
    Ok(IdempotencyRecord {
        key_hash: row.bytes(position!(IDEMPOTENCY_KEYS.key_hash))?,
        body_hash: row.bytes(position!(IDEMPOTENCY_KEYS.body_hash))?,
        answer: Sealed(row.bytes(position!(IDEMPOTENCY_KEYS.answer))?),
        created_at: row.timestamp(position!(IDEMPOTENCY_KEYS.created_at))?,
        expires_at: row.timestamp(position!(IDEMPOTENCY_KEYS.expires_at))?,
    })
}
