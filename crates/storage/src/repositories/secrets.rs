//! Secrets with a short life: one-time codes, links, sign-in attempts. The key is the hash of what the caller holds;
//! the payload is whatever must be remembered until it comes back (sealed by the caller where it is personal).

use userd_model::{Timestamp, UserId};
use uuid::Uuid;

use super::{BATCH, MOST};
use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

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

statements_of! { SECRETS:
    INSERT = "secrets.insert": Shape::Insert;
    BY_HASH = "secrets.by_hash": Shape::Find;
    UPDATE_PAYLOAD = "secrets.update_payload": Shape::Update(&["payload"]);
    REMOVE = "secrets.remove": Shape::Remove;
    BY_OWNER = "secrets.by_owner": Shape::List(List::along("secrets_by_owner").equal(1));
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
            for secret in &page {
                self.0.write(&REMOVE, &[secret.hash.as_slice().into()]).await?;
            }
            if page.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}

fn secret(row: &mut Row) -> Result<StoredSecret, StoreError> {
    Ok(StoredSecret {
        hash: row.bytes(position!(SECRETS.hash))?,
        purpose: row.text(position!(SECRETS.purpose))?,
        owner: Some(row.uuid(position!(SECRETS.owner_id))?).filter(|owner| !owner.is_nil()).map(UserId),
        payload: row.bytes(position!(SECRETS.payload))?,
        created_at: row.timestamp(position!(SECRETS.created_at))?,
        expires_at: row.timestamp(position!(SECRETS.expires_at))?,
    })
}
