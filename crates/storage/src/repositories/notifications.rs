//! What lies in the inboxes of users, newest first.

use userd_model::{Folder, Inbox, Notification, NotificationId, Sealed, Timestamp, UserId};

use super::{
    every_row,
    inboxes::{self, inbox},
    known,
};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Notifications.
pub struct Notifications<'a>(pub(super) &'a mut UnitOfWork);

/// Where a page ends.
pub type NotificationPlace = (Timestamp, NotificationId);

statements_of! { NOTIFICATIONS:
    INSERT = "notifications.insert": Shape::Insert;
    BY_ID = "notifications.by_id": Shape::Find;
    UPDATE = "notifications.update": Shape::Update(&["folder", "read_at", "archived_at"]);
    REMOVE = "notifications.remove": Shape::Remove;
    NEWEST = "notifications.newest": Shape::List(List::along("notifications_by_folder").equal(2).descending());
    OLDER = "notifications.older":
        Shape::List(List::along("notifications_by_folder").equal(2).range(Range::Behind).descending());
    NEWER = "notifications.newer": Shape::List(List::along("notifications_by_folder").equal(2).range(Range::Behind));
    EXPIRED = "notifications.expired": Shape::List(List::along("notifications_by_expiry").range(Range::UpTo));
}

impl Notifications<'_> {
    /// Adds a notification.
    ///
    /// # Errors
    /// `Duplicate(Key("notifications"))` when it is there.
    pub async fn insert(&mut self, notification: &Notification) -> Result<(), StoreError> {
        self.0.write(&INSERT, &values(notification)).await
    }

    /// The notification with this id.
    pub async fn find(&mut self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], notification).await
    }

    /// The same, and the inbox of a user: asked for together.
    pub async fn find_with_inbox(
        &mut self,
        id: NotificationId,
        owner: UserId,
    ) -> Result<(Option<Notification>, Inbox), StoreError> {
        let (key, user) = ([id.into()], [owner.into()]);
        let (found, kept) = self.0.both((&BY_ID, &key, notification), (inboxes::OF_USER, &user, inbox)).await?;
        Ok((found, kept.unwrap_or_else(|| Inbox::empty(owner))))
    }

    /// Writes where it lies.
    pub async fn update(&mut self, notification: &Notification) -> Result<(), StoreError> {
        let Notification { id, folder, read_at, archived_at, .. } = notification;
        self.0.write(&UPDATE, &[folder.as_str().into(), (*read_at).into(), (*archived_at).into(), (*id).into()]).await
    }

    /// Removes notifications.
    pub async fn remove_many(&mut self, ids: &[NotificationId]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, ids.iter().map(|id| vec![(*id).into()]).collect()).await
    }

    /// Up to `limit` of each of these folders, newest first, behind `after`: asked for together.
    pub async fn newest(
        &mut self,
        user: UserId,
        folders: &[Folder],
        after: Option<NotificationPlace>,
        limit: u32,
    ) -> Result<Vec<Notification>, StoreError> {
        let statement = if after.is_some() { &OLDER } else { &NEWEST };
        let place = || after.into_iter().flat_map(|(at, id)| [at.into(), id.into()]);
        let of = |folder: &Folder| -> Vec<Value> {
            let ends = [i64::from(limit).into()];
            [user.into(), folder.as_str().into()].into_iter().chain(place()).chain(ends).collect()
        };
        let values: Vec<_> = folders.iter().map(of).collect();
        let calls: Vec<Call<'_>> = values.iter().map(|values| Call { statement, values }).collect();
        let mut found = Vec::new();
        for rows in self.0.run_together(&calls).await? {
            found.extend(every_row(statement, Some(rows), notification)?);
        }
        Ok(found)
    }

    /// Up to `limit` of a folder that came after `after`, oldest first.
    pub async fn newer(
        &mut self,
        user: UserId,
        folder: Folder,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notification>, StoreError> {
        // No two of a user came at one time, so the last id of a time is behind all of it.
        let last = NotificationId(uuid::Uuid::max());
        let values = [user.into(), folder.as_str().into(), after.into(), last.into(), i64::from(limit).into()];
        self.0.many(&NEWER, &values, notification).await
    }

    /// Up to `limit` that have expired by `now`.
    pub async fn expired(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Notification>, StoreError> {
        self.0.many(&EXPIRED, &[now.into(), i64::from(limit).into()], notification).await
    }
}

fn notification(row: &mut Row) -> Result<Notification, StoreError> {
    Ok(Notification {
        id: NotificationId(row.uuid(position!(NOTIFICATIONS.id))?),
        user_id: UserId(row.uuid(position!(NOTIFICATIONS.user_id))?),
        folder: known("folder", Folder::parse(&row.text(position!(NOTIFICATIONS.folder))?))?,
        category: row.text(position!(NOTIFICATIONS.category))?,
        content: Sealed(row.bytes(position!(NOTIFICATIONS.content))?),
        created_at: row.timestamp(position!(NOTIFICATIONS.created_at))?,
        expires_at: row.timestamp(position!(NOTIFICATIONS.expires_at))?,
        read_at: row.timestamp_or_null(position!(NOTIFICATIONS.read_at))?,
        archived_at: row.timestamp_or_null(position!(NOTIFICATIONS.archived_at))?,
    })
}

fn values(notification: &Notification) -> [Value; 9] {
    [
        notification.id.into(),
        notification.user_id.into(),
        notification.folder.as_str().into(),
        notification.category.as_str().into(),
        notification.content.0.clone().into(),
        notification.created_at.into(),
        notification.expires_at.into(),
        notification.read_at.into(),
        notification.archived_at.into(),
    ]
}
