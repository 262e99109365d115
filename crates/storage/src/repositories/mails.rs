//! The development mailbox.

use userd_model::{DeliveryId, Timestamp, UserId};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// The development mailbox.
pub struct Mails<'a>(pub(super) &'a mut UnitOfWork);

/// A mail that was not sent. Printing leaves its content out.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMail {
    /// The delivery's.
    pub id: DeliveryId,
    /// To whom.
    pub user_id: UserId,
    /// What it says: sealed.
    pub content: Vec<u8>,
    /// When.
    pub created_at: Timestamp,
    /// How long it stays.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for StoredMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredMail").field("id", &self.id).finish_non_exhaustive()
    }
}

statements_of! { MAILS:
    INSERT = "mails.insert": Shape::Insert;
    BY_ID = "mails.by_id": Shape::Find;
    REMOVE = "mails.remove": Shape::Remove;
    NEWEST = "mails.newest": Shape::List(List::along("mails_by_time").descending());
    NEWEST_IDS = "mails.newest_ids": Shape::List(List::along("mails_by_time").descending().narrow());
}

impl Mails<'_> {
    /// Adds a mail.
    ///
    /// # Errors
    /// `Duplicate(Key("mails"))` when it is there.
    pub async fn insert(&mut self, mail: &StoredMail) -> Result<(), StoreError> {
        let StoredMail { id, user_id, content, created_at, expires_at } = mail;
        let values =
            [(*id).into(), (*user_id).into(), content.clone().into(), (*created_at).into(), (*expires_at).into()];
        self.0.write(&INSERT, &values).await
    }

    /// The mail with this id.
    pub async fn find(&mut self, id: DeliveryId) -> Result<Option<StoredMail>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], mail).await
    }

    /// The newest, newest first.
    pub async fn newest(&mut self, limit: u32) -> Result<Vec<StoredMail>, StoreError> {
        self.0.many(&NEWEST, &[i64::from(limit).into()], mail).await
    }

    /// The ids of the newest, newest first, without what they say.
    pub async fn newest_ids(&mut self, limit: u32) -> Result<Vec<DeliveryId>, StoreError> {
        // As rows of the index: the moment, the id.
        self.0.many(&NEWEST_IDS, &[i64::from(limit).into()], |row: &mut Row| row.uuid(1).map(DeliveryId)).await
    }

    /// Removes mails.
    pub async fn remove_many(&mut self, ids: &[DeliveryId]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, ids.iter().map(|id| vec![(*id).into()]).collect()).await
    }
}

fn mail(row: &mut Row) -> Result<StoredMail, StoreError> {
    Ok(StoredMail {
        id: DeliveryId(row.uuid(position!(MAILS.id))?),
        user_id: UserId(row.uuid(position!(MAILS.user_id))?),
        content: row.bytes(position!(MAILS.content))?,
        created_at: row.timestamp(position!(MAILS.created_at))?,
        expires_at: row.timestamp(position!(MAILS.expires_at))?,
    })
}
