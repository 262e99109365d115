//! Secrets with a short life: one-time codes, links, sign-in attempts. The key is the hash of what the caller holds;
//! the payload is whatever must be remembered until it comes back (sealed by the caller where it is personal).

use userd_model::{Timestamp, UserId};
use uuid::Uuid;

use super::{BATCH, MOST};
use crate::{Row, StoreError, UnitOfWork, statements};

/// Secrets with a short life.
pub struct Secrets<'a>(pub(super) &'a mut UnitOfWork);

/// One secret. Printing leaves hash and payload out.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Of the secret itself, which is not stored.
    pub hash: Vec<u8>,
    /// What it is for; it is good for nothing else.
    pub purpose: String,
    /// Whose, when a user is known. Stored as the nil id when not, since key columns are never null.
    pub owner: Option<UserId>,
    /// What is remembered with it.
    pub payload: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is as good as gone.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

statements! {
    INSERT = "secrets.insert": "INSERT INTO secrets (hash, purpose, owner_id, payload, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)"
        (Bytes, Text, Uuid, Bytes, Timestamp, Timestamp) -> ();
    BY_HASH = "secrets.by_hash":
        "SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM secrets WHERE hash = $1"
        (Bytes) -> (Bytes, Text, Uuid, Bytes, Timestamp, Timestamp);
    UPDATE_PAYLOAD = "secrets.update_payload": "UPDATE secrets SET payload = $1 WHERE hash = $2" (Bytes, Bytes) -> ();
    REMOVE = "secrets.remove": "DELETE FROM secrets WHERE hash = $1" (Bytes) -> ();
    BY_OWNER = "secrets.by_owner": "SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM secrets \
        WHERE owner_id = $1 ORDER BY owner_id, purpose, hash LIMIT $2"
        (Uuid, I64) -> (Bytes, Text, Uuid, Bytes, Timestamp, Timestamp);
    EXPIRED = "secrets.expired":
        "SELECT expires_at, hash FROM secrets WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2"
        (Timestamp, I64) -> (Timestamp, Bytes);
}

impl Secrets<'_> {
    /// Adds a secret.
    ///
    /// # Errors
    /// `Duplicate(Key("secrets"))` when the hash exists.
    pub async fn insert(&mut self, secret: &StoredSecret) -> Result<(), StoreError> {
        let values = [
            secret.hash.clone().into(),
            secret.purpose.as_str().into(),
            secret.owner.map_or(Uuid::nil(), |owner| owner.0).into(),
            secret.payload.clone().into(),
            secret.created_at.into(),
            secret.expires_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// Takes the secret away: whoever commits first has it, and nobody else ever. An expired one, or one for another
    /// purpose, is `None` and stays.
    ///
    /// # Errors
    /// `Conflict` when another one was taking it at the same moment.
    pub async fn take(
        &mut self,
        hash: &[u8],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<StoredSecret>, StoreError> {
        let found = self.find(hash, purpose, now).await?;
        if found.is_some() {
            self.0.write(&REMOVE, &[hash.into()]).await?;
        }
        Ok(found)
    }

    /// The secret, if it is for `purpose` and has not expired by `now`; it stays.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(
        &mut self,
        hash: &[u8],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<StoredSecret>, StoreError> {
        let found = self.0.one(&BY_HASH, &[hash.into()], secret).await?;
        Ok(found.filter(|secret| secret.purpose == purpose && secret.expires_at > now))
    }

    /// Replaces what is remembered with the secret.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn update_payload(&mut self, hash: &[u8], payload: &[u8]) -> Result<(), StoreError> {
        self.0.write(&UPDATE_PAYLOAD, &[payload.into(), hash.into()]).await
    }

    /// The user's secrets, by purpose, without those expired by `now`; at most 1,000 are looked at.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn of_owner(&mut self, owner: UserId, now: Timestamp) -> Result<Vec<StoredSecret>, StoreError> {
        let mut found = self.0.many(&BY_OWNER, &[owner.into(), i64::from(MOST).into()], secret).await?;
        found.retain(|secret| secret.expires_at > now);
        Ok(found)
    }

    /// Removes every secret of the user.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_of_owner(&mut self, owner: UserId) -> Result<(), StoreError> {
        loop {
            let page = self.0.many(&BY_OWNER, &[owner.into(), i64::from(BATCH).into()], secret).await?;
            let last_page = page.len() < BATCH as usize;
            self.0.write_many(&REMOVE, page.into_iter().map(|secret| vec![secret.hash.into()]).collect()).await?;
            if last_page {
                return Ok(());
            }
        }
    }

    /// Removes up to `limit` secrets that have expired by `now`; answers how many.
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

fn secret(row: &mut Row) -> Result<StoredSecret, StoreError> {
    Ok(StoredSecret {
        hash: row.bytes(0)?,
        purpose: row.text(1)?,
        owner: Some(row.uuid(2)?).filter(|owner| !owner.is_nil()).map(UserId),
        payload: row.bytes(3)?,
        created_at: row.timestamp(4)?,
        expires_at: row.timestamp(5)?,
    })
}
