//! The inbox: what a user finds here, read and put away by its owner. Deliberately absent: what comes in, and when
//! (`deliveries`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use userd_crypto::{DataKey, place};
use userd_model::{
    Act, Folder, Inbox, InvalidField, Notification, NotificationId, Refusal, Sealed, Timestamp, User, UserId,
};
use userd_storage::{Failure, UnitOfWork, repositories::notifications::NotificationPlace};

use crate::{
    Context, Dependencies,
    change::{Change, Changes},
    user_reader::internal,
};

/// Reads and changes inboxes.
#[derive(Clone)]
pub struct Notifications {
    deps: Dependencies,
    changes: Changes,
}

/// What a notification says.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct NotificationContent {
    /// One line.
    pub title: String,
    /// Plain text.
    pub body: String,
    /// For the application that shows it.
    pub data: Value,
    /// Where it leads.
    pub action_url: Option<String>,
}

/// What is said to somebody is nobody else's, and links in it are secrets.
impl std::fmt::Debug for NotificationContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotificationContent").finish_non_exhaustive()
    }
}

/// A notification as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields of the contract's Notification, documented there")]
pub struct NotificationView {
    pub id: NotificationId,
    pub category: String,
    pub content: NotificationContent,
    pub created_at: Timestamp,
    pub seen_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

/// Which notifications are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Those that were not put away.
    Inbox,
    /// Those that were not read.
    Unread,
    /// Those that were put away.
    Archived,
}

/// A page of an inbox.
#[derive(Debug)]
pub struct NotificationPage {
    /// Newest first.
    pub items: Vec<NotificationView>,
    /// Where to go on, if there is more.
    pub next: Option<NotificationPlace>,
}

/// How much there is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxCounts {
    /// Not read.
    pub unread: i64,
    /// Neither read nor seen: what a badge shows.
    pub unseen: i64,
}

/// The most that are counted one by one, where somebody says to have seen a part.
const MOST_COUNTED: u32 = 1_000;
/// Expired notifications removed in one unit of work.
const BATCH: u32 = 200;

impl Notifications {
    pub(crate) const fn new(deps: Dependencies, changes: Changes) -> Self {
        Self { deps, changes }
    }

    /// A page of the actor's inbox, newest first, without what has run out: it may have fewer items, and there be more.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn list(
        &self,
        ctx: &Context,
        shown: Shown,
        after: Option<NotificationPlace>,
        limit: usize,
    ) -> Result<NotificationPage, Failure> {
        let (owner, _) = ctx.user()?;
        ctx.may(&Act::ReadNotifications(owner))?;
        let mut reading = self.deps.store.reading();
        let (user, inbox) = reading.users().find_with_inbox(owner).await?;
        let user = user.ok_or(Refusal::NotFound)?;
        let most = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
        let mut found = reading.notifications().newest(owner, shown.folders(), after, most).await?;
        if shown == Shown::Unread {
            found.retain(|notification| inbox.is_unread(notification));
        }
        found.sort_by_key(|notification| std::cmp::Reverse((notification.created_at, notification.id)));
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|last| (last.created_at, last.id));
        let now = self.deps.now();
        found.retain(|notification| is_shown(notification, now));
        Ok(NotificationPage { items: self.views(&user, &inbox, found)?, next })
    }

    /// What came to the actor after a time, oldest first: what a stream sends.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn newer(&self, ctx: &Context, after: Timestamp, limit: u32) -> Result<Vec<NotificationView>, Failure> {
        let (owner, _) = ctx.user()?;
        ctx.may(&Act::ReadNotifications(owner))?;
        let mut reading = self.deps.store.reading();
        let inbox = reading.inboxes().of(owner).await?;
        if inbox.latest <= after {
            return Ok(Vec::new());
        }
        let user = reading.users().find(owner).await?.ok_or(Refusal::NotFound)?;
        let (now, mut behind) = (self.deps.now(), after);
        loop {
            let mut found = Vec::new();
            for folder in Shown::Inbox.folders() {
                found.extend(reading.notifications().newer(owner, *folder, behind, limit).await?);
            }
            found.sort_by_key(|notification| notification.created_at);
            // What is behind the first page of either folder was not read: before anything is left out, the page ends here.
            found.truncate(limit as usize);
            let last = found.last().map(|notification| notification.created_at);
            let is_full = found.len() == limit as usize;
            found.retain(|notification| is_shown(notification, now));
            match last.filter(|_| is_full && found.is_empty()) {
                // All of a page has run out: there may be more behind it.
                Some(last) => behind = last,
                None => return self.views(&user, &inbox, found),
            }
        }
    }

    /// When the newest of the actor's notifications came.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn latest(&self, ctx: &Context) -> Result<Timestamp, Failure> {
        Ok(self.inbox(ctx).await?.latest)
    }

    /// How much there is to look at: two kept numbers. What has run out is in them until it is removed ([`Self::expire`]).
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn counts(&self, ctx: &Context) -> Result<InboxCounts, Failure> {
        let inbox = self.inbox(ctx).await?;
        Ok(InboxCounts { unread: inbox.unread, unseen: inbox.unseen })
    }

    async fn inbox(&self, ctx: &Context) -> Result<Inbox, Failure> {
        let (owner, _) = ctx.user()?;
        ctx.may(&Act::ReadNotifications(owner))?;
        Ok(self.deps.store.reading().inboxes().of(owner).await?)
    }

    /// One is read. Again changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn read(&self, ctx: &Context, id: NotificationId) -> Result<(), Failure> {
        self.change(ctx, "read_notification", |inbox, notification, now| inbox.read(notification, now), id).await
    }

    /// One is put away. Again changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn archive(&self, ctx: &Context, id: NotificationId) -> Result<(), Failure> {
        self.change(ctx, "archive_notification", |inbox, notification, now| inbox.archive(notification, now), id).await
    }

    async fn change(
        &self,
        ctx: &Context,
        name: &'static str,
        rule: fn(&mut Inbox, &mut Notification, Timestamp) -> bool,
        id: NotificationId,
    ) -> Result<(), Failure> {
        let owner = Self::owner_who_changes(ctx)?;
        self.changes
            .run(ctx, name, |mut change| async move {
                let (mut notification, mut inbox) = own(&mut change, owner, id).await?;
                let now = change.now;
                if rule(&mut inbox, &mut notification, now) {
                    change.notifications().update(&notification).await?;
                    change.inboxes().write(&inbox).await?;
                }
                change.commit(()).await
            })
            .await
    }

    /// One is removed.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove(&self, ctx: &Context, id: NotificationId) -> Result<(), Failure> {
        let owner = Self::owner_who_changes(ctx)?;
        self.changes
            .run(ctx, "remove_notification", |mut change| async move {
                let (notification, mut inbox) = own(&mut change, owner, id).await?;
                inbox.remove(&notification);
                change.notifications().remove_many(&[id]).await?;
                change.inboxes().write(&inbox).await?;
                change.commit(()).await
            })
            .await
    }

    /// Everything that is there is read.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn read_all(&self, ctx: &Context) -> Result<(), Failure> {
        let owner = Self::owner_who_changes(ctx)?;
        self.changes
            .run(ctx, "read_all_notifications", |mut change| async move {
                let mut inbox = change.inboxes().of(owner).await?;
                inbox.read_all(change.now);
                change.inboxes().write(&inbox).await?;
                change.commit(()).await
            })
            .await
    }

    /// Everything up to this one is seen; the badge is for what came later.
    ///
    /// # Errors
    /// `InvalidInput` for one that is not there.
    pub async fn see(&self, ctx: &Context, up_to: NotificationId) -> Result<InboxCounts, Failure> {
        let owner = Self::owner_who_changes(ctx)?;
        self.changes
            .run(ctx, "see_notifications", |mut change| async move {
                let unknown =
                    || Refusal::InvalidInput(vec![InvalidField::new("/up_to", "must name one of your notifications")]);
                let (until, mut inbox) = match own(&mut change, owner, up_to).await {
                    Ok((notification, inbox)) => (notification.created_at, inbox),
                    Err(Failure::Refused(Refusal::NotFound)) => return Err(unknown().into()),
                    Err(other) => return Err(other),
                };
                let newer = if until >= inbox.latest {
                    0
                } else {
                    let after = until.max(inbox.read_until);
                    change.notifications().newer(owner, Folder::Unread, after, MOST_COUNTED).await?.len()
                };
                inbox.see(until, i64::try_from(newer).unwrap_or(i64::MAX), change.now);
                change.inboxes().write(&inbox).await?;
                change.commit(InboxCounts { unread: inbox.unread, unseen: inbox.unseen }).await
            })
            .await
    }

    /// Puts something into the inbox of `user`, in the unit of work that knows that it has not been done before.
    pub(crate) async fn place(
        &self,
        change: &mut Change<'_>,
        user: &User,
        (id, category): (NotificationId, &str),
        content: &NotificationContent,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let Some(key) = self.key(user)? else { return Ok(()) };
        let mut inbox = change.inboxes().of(user.id).await?;
        let created_at = inbox.receive(change.now);
        let plain = serde_json::to_vec(content).map_err(internal)?;
        let content = key.seal(self.deps.random.as_ref(), &context(id), &plain).map_err(internal)?;
        let notification = Notification {
            id,
            user_id: user.id,
            folder: Folder::Unread,
            category: category.to_owned(),
            content,
            created_at,
            expires_at: expires_at.max(created_at),
            read_at: None,
            archived_at: None,
        };
        change.notifications().insert(&notification).await?;
        change.inboxes().write(&inbox).await?;
        change.arrived(user.id);
        Ok(())
    }

    /// Removes what has expired, and counts it no more. Answers how much that was.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn expire(&self) -> Result<usize, Failure> {
        let mut removed = 0;
        loop {
            let now = self.deps.now();
            let count = self
                .changes
                .run(&self.changes.system_context(), "expire_notifications", |mut change| async move {
                    let expired = change.notifications().expired(now, BATCH).await?;
                    let ids: Vec<_> = expired.iter().map(|notification| notification.id).collect();
                    let mut owners: Vec<UserId> = expired.iter().map(|notification| notification.user_id).collect();
                    owners.sort_unstable();
                    owners.dedup();
                    for owner in owners {
                        let mut inbox = change.inboxes().of(owner).await?;
                        expired.iter().filter(|one| one.user_id == owner).for_each(|one| inbox.remove(one));
                        change.inboxes().write(&inbox).await?;
                    }
                    change.notifications().remove_many(&ids).await?;
                    change.commit(ids.len()).await
                })
                .await?;
            removed += count;
            if count < BATCH as usize {
                return Ok(removed);
            }
        }
    }

    fn owner_who_changes(ctx: &Context) -> Result<UserId, Failure> {
        let (owner, _) = ctx.user()?;
        ctx.may(&Act::ChangeNotifications(owner))?;
        Ok(owner)
    }

    /// Everything in a user's inbox, newest first in each folder.
    pub(crate) async fn everything_of(&self, user: &User) -> Result<Vec<NotificationView>, Failure> {
        const PAGE: u32 = 200;
        let (mut all, mut reading) = (Vec::new(), self.deps.store.reading());
        let inbox = reading.inboxes().of(user.id).await?;
        for folder in [Shown::Inbox, Shown::Archived].into_iter().flat_map(|shown| shown.folders()) {
            let mut after = None;
            loop {
                let page = reading.notifications().newest(user.id, std::slice::from_ref(folder), after, PAGE).await?;
                let is_last = page.len() < PAGE as usize;
                after = page.last().map(|last| (last.created_at, last.id));
                all.extend(self.views(user, &inbox, page)?);
                if is_last {
                    break;
                }
            }
        }
        Ok(all)
    }

    fn views(&self, user: &User, inbox: &Inbox, found: Vec<Notification>) -> Result<Vec<NotificationView>, Failure> {
        let Some(key) = self.key(user)? else { return Ok(Vec::new()) };
        found.into_iter().map(|notification| view(&key, inbox, &notification)).collect()
    }

    /// None for whoever has been erased.
    fn key(&self, user: &User) -> Result<Option<DataKey>, Failure> {
        let opened = |key: &Sealed| self.deps.crypto.fields.open_data_key(key, user.id).map_err(internal);
        user.data_key.as_ref().map(opened).transpose()
    }
}

impl Shown {
    const fn folders(self) -> &'static [Folder] {
        match self {
            Self::Inbox => &[Folder::Unread, Folder::Read],
            Self::Unread => &[Folder::Unread],
            Self::Archived => &[Folder::Archived],
        }
    }
}

/// Whether its time is not over. It lies there for up to a minute longer.
fn is_shown(notification: &Notification, now: Timestamp) -> bool {
    notification.expires_at > now
}

fn view(key: &DataKey, inbox: &Inbox, notification: &Notification) -> Result<NotificationView, Failure> {
    let plain = key.open(&context(notification.id), &notification.content).map_err(internal)?;
    Ok(NotificationView {
        id: notification.id,
        category: notification.category.clone(),
        content: serde_json::from_slice(&plain).map_err(internal)?,
        created_at: notification.created_at,
        seen_at: inbox.seen_at(notification),
        read_at: inbox.read_at(notification),
        archived_at: notification.archived_at,
    })
}

/// A notification of this owner, and their inbox; those of others do not exist for them.
async fn own(uow: &mut UnitOfWork, owner: UserId, id: NotificationId) -> Result<(Notification, Inbox), Failure> {
    let (found, inbox) = uow.notifications().find_with_inbox(id, owner).await?;
    let found = found.filter(|notification| notification.user_id == owner).ok_or(Refusal::NotFound)?;
    Ok((found, inbox))
}

fn context(id: NotificationId) -> String {
    place("notifications", "content", id)
}
