//! What is known of each inbox without looking into it.

use userd_model::{Inbox, UserId};

use crate::{
    Row, Statement, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Inboxes.
pub struct Inboxes<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { INBOXES:
    BY_USER = "inboxes.by_user": Shape::Find;
    UPSERT = "inboxes.upsert": Shape::Upsert;
}

/// For those that ask for an inbox together with something else.
pub(super) static OF_USER: &Statement = &BY_USER;

impl Inboxes<'_> {
    /// The inbox of a user; an empty one where nothing has come yet.
    pub async fn of(&mut self, user: UserId) -> Result<Inbox, StoreError> {
        Ok(self.0.one(&BY_USER, &[user.into()], inbox).await?.unwrap_or_else(|| Inbox::empty(user)))
    }

    /// Writes an inbox.
    pub async fn write(&mut self, inbox: &Inbox) -> Result<(), StoreError> {
        let values = [
            inbox.user_id.into(),
            inbox.unread.into(),
            inbox.unseen.into(),
            inbox.latest.into(),
            inbox.seen_until.into(),
            inbox.seen_at.into(),
            inbox.read_until.into(),
            inbox.read_at.into(),
        ];
        self.0.write(&UPSERT, &values).await
    }
}

pub(super) fn inbox(row: &mut Row) -> Result<Inbox, StoreError> {
    Ok(Inbox {
        user_id: UserId(row.uuid(position!(INBOXES.user_id))?),
        unread: row.i64(position!(INBOXES.unread))?,
        unseen: row.i64(position!(INBOXES.unseen))?,
        latest: row.timestamp(position!(INBOXES.latest))?,
        seen_until: row.timestamp(position!(INBOXES.seen_until))?,
        seen_at: row.timestamp(position!(INBOXES.seen_at))?,
        read_until: row.timestamp(position!(INBOXES.read_until))?,
        read_at: row.timestamp(position!(INBOXES.read_at))?,
    })
}
