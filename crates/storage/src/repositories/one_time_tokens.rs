//! One-time tokens: codes, links, sign-in attempts. The key is the hash of what the caller holds;
//! the payload is whatever must be remembered until it comes back (sealed by the caller where it is personal).

use userd_model::{Timestamp, UserId};
use uuid::Uuid;

use super::{BATCH, MOST};
use crate::{
    Row, Statement, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// One-time tokens.
pub struct OneTimeTokens<'a>(pub(super) &'a mut UnitOfWork);

/// One token. Printing leaves hash and payload out.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeToken {
    /// Of the token itself, which is not stored.
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

impl std::fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneTimeToken").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

statements_of! { ONE_TIME_TOKENS:
    INSERT = "one_time_tokens.insert": Shape::Insert;
    BY_HASH = "one_time_tokens.by_hash": Shape::Find;
    UPSERT = "one_time_tokens.upsert": Shape::Upsert;
    UPDATE_PAYLOAD = "one_time_tokens.update_payload": Shape::Update(&["payload"]);
    REMOVE = "one_time_tokens.remove": Shape::Remove;
    BY_OWNER = "one_time_tokens.by_owner": Shape::List(List::along("one_time_tokens_by_owner").equal(1));
    BY_PURPOSE = "one_time_tokens.by_purpose": Shape::List(List::along("one_time_tokens_by_owner").equal(2));
}

impl OneTimeTokens<'_> {
    /// Adds a token.
    ///
    /// # Errors
    /// `Duplicate(Key("one_time_tokens"))` when the hash exists.
    pub async fn insert(&mut self, token: &OneTimeToken) -> Result<(), StoreError> {
        self.0.write(&INSERT, &values(token)).await
    }

    /// Adds a token in place of one with the same hash, such as one that has expired and was not swept yet.
    pub async fn replace(&mut self, token: &OneTimeToken) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &values(token)).await
    }

    /// Takes the token away: whoever commits first has it, and nobody else ever. An expired one, or one for another
    /// purpose, is `None` and stays.
    ///
    /// # Errors
    /// `Conflict` when another one was taking it at the same moment.
    pub async fn take(
        &mut self,
        hash: &[u8],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let found = self.find(hash, purpose, now).await?;
        if found.is_some() {
            self.0.write(&REMOVE, &[hash.into()]).await?;
        }
        Ok(found)
    }

    /// The token, if it is for `purpose` and has not expired by `now`; it stays.
    pub async fn find(
        &mut self,
        hash: &[u8],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let found = self.0.one(&BY_HASH, &[hash.into()], token).await?;
        Ok(found.filter(|token| token.purpose == purpose && token.expires_at > now))
    }

    /// Replaces what is remembered with the token.
    pub async fn update_payload(&mut self, hash: &[u8], payload: &[u8]) -> Result<(), StoreError> {
        self.0.write(&UPDATE_PAYLOAD, &[payload.into(), hash.into()]).await
    }

    /// The user's tokens, by purpose, without those expired by `now`; at most 1,000 are looked at.
    pub async fn of_owner(&mut self, owner: UserId, now: Timestamp) -> Result<Vec<OneTimeToken>, StoreError> {
        let mut found = self.0.many(&BY_OWNER, &[owner.into(), i64::from(MOST).into()], token).await?;
        found.retain(|token| token.expires_at > now);
        Ok(found)
    }

    /// Removes every token of the user.
    pub async fn remove_of_owner(&mut self, owner: UserId) -> Result<(), StoreError> {
        self.remove_all(&BY_OWNER, &[owner.into(), i64::from(BATCH).into()]).await
    }

    /// Removes every token of the user that is for `purpose`.
    pub async fn remove_of_owner_for(&mut self, owner: UserId, purpose: &str) -> Result<(), StoreError> {
        self.remove_all(&BY_PURPOSE, &[owner.into(), purpose.into(), i64::from(BATCH).into()]).await
    }

    async fn remove_all(&mut self, listed: &'static Statement, values: &[Value]) -> Result<(), StoreError> {
        loop {
            let page = self.0.many(listed, values, token).await?;
            let last_page = page.len() < BATCH as usize;
            self.0.write_many(&REMOVE, page.into_iter().map(|token| vec![token.hash.into()]).collect()).await?;
            if last_page {
                return Ok(());
            }
        }
    }
}

fn values(token: &OneTimeToken) -> [Value; 6] {
    [
        token.hash.clone().into(),
        token.purpose.as_str().into(),
        token.owner.map_or(Uuid::nil(), |owner| owner.0).into(),
        token.payload.clone().into(),
        token.created_at.into(),
        token.expires_at.into(),
    ]
}

fn token(row: &mut Row) -> Result<OneTimeToken, StoreError> {
    Ok(OneTimeToken {
        hash: row.bytes(position!(ONE_TIME_TOKENS.hash))?,
        purpose: row.text(position!(ONE_TIME_TOKENS.purpose))?,
        owner: Some(row.uuid(position!(ONE_TIME_TOKENS.owner_id))?).filter(|owner| !owner.is_nil()).map(UserId),
        payload: row.bytes(position!(ONE_TIME_TOKENS.payload))?,
        created_at: row.timestamp(position!(ONE_TIME_TOKENS.created_at))?,
        expires_at: row.timestamp(position!(ONE_TIME_TOKENS.expires_at))?,
    })
}
