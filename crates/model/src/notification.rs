//! The inbox of a user: what was written to them here, and how much of it they have not seen and not read.
//!
//! Both numbers are kept, never counted: `seen` and `read all` move a boundary instead of touching every row, so an inbox
//! of a million costs what one of ten costs.

use std::time::Duration;

use crate::{NotificationId, Sealed, Timestamp, UserId};

/// Where a notification lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Not read one by one; perhaps all at once, see [`Inbox::read_until`].
    Unread,
    /// Read.
    Read,
    /// Put away.
    Archived,
}

impl Folder {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Read => "read",
            Self::Archived => "archived",
        }
    }

    /// The folder of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Unread, Self::Read, Self::Archived].into_iter().find(|folder| folder.as_str() == word)
    }
}

/// One notification in an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Which.
    pub id: NotificationId,
    /// Whose.
    pub user_id: UserId,
    /// Where it lies.
    pub folder: Folder,
    /// What it is about, as preferences name it.
    pub category: String,
    /// Title, body, data and link: sealed under the user's key.
    pub content: Sealed,
    /// When it came: later than every one before it in the inbox.
    pub created_at: Timestamp,
    /// How long it is kept.
    pub expires_at: Timestamp,
    /// When it was read, one by one.
    pub read_at: Option<Timestamp>,
    /// When it was put away.
    pub archived_at: Option<Timestamp>,
}

/// What is known of an inbox without looking at what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// Whose.
    pub user_id: UserId,
    /// How many are not read.
    pub unread: i64,
    /// How many of those are not seen either: the badge.
    pub unseen: i64,
    /// When the newest came.
    pub latest: Timestamp,
    /// All that came until then were seen …
    pub seen_until: Timestamp,
    /// … at this time.
    pub seen_at: Timestamp,
    /// All that came until then were read at once …
    pub read_until: Timestamp,
    /// … at this time.
    pub read_at: Timestamp,
}

impl Inbox {
    /// One in which nothing is yet.
    #[must_use]
    pub const fn empty(user_id: UserId) -> Self {
        let never = Timestamp::from_micros(0);
        Self {
            user_id,
            unread: 0,
            unseen: 0,
            latest: never,
            seen_until: never,
            seen_at: never,
            read_until: never,
            read_at: never,
        }
    }

    /// Something comes: answers the time that it gets, later than all before whatever the clock says.
    pub fn receive(&mut self, now: Timestamp) -> Timestamp {
        self.latest = now.max(self.latest.plus(Duration::from_micros(1)));
        self.unread += 1;
        self.unseen += 1;
        self.latest
    }

    /// Whether it counts as unread.
    #[must_use]
    pub fn is_unread(&self, notification: &Notification) -> bool {
        notification.folder == Folder::Unread && notification.created_at > self.read_until
    }

    /// When it was read, if it was.
    #[must_use]
    pub fn read_at(&self, notification: &Notification) -> Option<Timestamp> {
        let with_all = (notification.created_at <= self.read_until).then_some(self.read_at);
        notification.read_at.or(with_all)
    }

    /// When it was seen, if it was. Whoever has read it has seen it.
    #[must_use]
    pub fn seen_at(&self, notification: &Notification) -> Option<Timestamp> {
        let with_others = (notification.created_at <= self.seen_until).then_some(self.seen_at);
        with_others.or_else(|| self.read_at(notification))
    }

    /// It is read. Answers whether it was not before.
    pub fn read(&mut self, notification: &mut Notification, now: Timestamp) -> bool {
        let is_new = self.leave_unread(notification);
        if is_new {
            notification.folder = Folder::Read;
            notification.read_at = Some(now);
        }
        is_new
    }

    /// It is put away. Answers whether it was not before.
    pub fn archive(&mut self, notification: &mut Notification, now: Timestamp) -> bool {
        if notification.folder == Folder::Archived {
            return false;
        }
        notification.read_at = self.read_at(notification);
        self.leave_unread(notification);
        notification.folder = Folder::Archived;
        notification.archived_at = Some(now);
        true
    }

    /// It is removed.
    pub fn remove(&mut self, notification: &Notification) {
        self.leave_unread(notification);
    }

    /// Everything is read.
    pub const fn read_all(&mut self, now: Timestamp) {
        (self.unread, self.unseen) = (0, 0);
        (self.read_until, self.read_at) = (self.latest, now);
        (self.seen_until, self.seen_at) = (self.latest, now);
    }

    /// Everything that came until `until` is seen; `newer` is how many came later and are unread.
    pub fn see(&mut self, until: Timestamp, newer: i64, now: Timestamp) {
        if until > self.seen_until {
            (self.seen_until, self.seen_at, self.unseen) = (until, now, newer);
        }
    }

    fn leave_unread(&mut self, notification: &Notification) -> bool {
        let was_unread = self.is_unread(notification);
        if was_unread {
            self.unread = (self.unread - 1).max(0);
            if notification.created_at > self.seen_until {
                self.unseen = (self.unseen - 1).max(0);
            }
        }
        was_unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    fn inbox() -> Inbox {
        Inbox::empty(UserId::from_random([1; 16]))
    }

    fn come(inbox: &mut Inbox, second: i64) -> Notification {
        let created_at = inbox.receive(at(second));
        Notification {
            id: NotificationId::from_random([u8::try_from(second).unwrap_or(0); 16]),
            user_id: inbox.user_id,
            folder: Folder::Unread,
            category: "message".to_owned(),
            content: Sealed(Vec::new()),
            created_at,
            expires_at: created_at.plus(Duration::from_secs(60)),
            read_at: None,
            archived_at: None,
        }
    }

    #[test]
    fn a_clock_that_goes_back_does_not_change_the_order() {
        let mut inbox = inbox();
        let (first, second) = (come(&mut inbox, 10), come(&mut inbox, 3));
        assert!(first.created_at < second.created_at);
        assert_eq!((inbox.unread, inbox.unseen), (2, 2));
    }

    #[test]
    fn reading_twice_counts_once() {
        let mut inbox = inbox();
        let mut first = come(&mut inbox, 1);
        come(&mut inbox, 2);
        assert!(inbox.read(&mut first, at(3)));
        assert!(!inbox.read(&mut first, at(4)));
        assert_eq!((inbox.unread, inbox.unseen, first.read_at), (1, 1, Some(at(3))));
        assert_eq!(inbox.seen_at(&first), Some(at(3)), "who reads has seen");
    }

    #[test]
    fn reading_all_moves_a_boundary_and_what_comes_later_is_unread() {
        let mut inbox = inbox();
        let mut first = come(&mut inbox, 1);
        inbox.read_all(at(2));
        assert_eq!((inbox.unread, inbox.unseen), (0, 0));
        assert_eq!((inbox.read_at(&first), inbox.seen_at(&first)), (Some(at(2)), Some(at(2))));
        assert!(!inbox.read(&mut first, at(3)), "it was read with all");
        let later = come(&mut inbox, 1);
        assert!(inbox.is_unread(&later), "also when the clock went back");
        assert_eq!((inbox.unread, inbox.unseen), (1, 1));
    }

    #[test]
    fn seeing_is_not_reading_and_never_goes_back() {
        let mut inbox = inbox();
        let (mut first, second) = (come(&mut inbox, 1), come(&mut inbox, 2));
        inbox.see(first.created_at, 1, at(3));
        assert_eq!((inbox.unread, inbox.unseen), (2, 1));
        inbox.see(second.created_at, 0, at(4));
        inbox.see(first.created_at, 1, at(5));
        assert_eq!((inbox.unread, inbox.unseen, inbox.seen_at), (2, 0, at(4)));
        inbox.read(&mut first, at(6));
        assert_eq!((inbox.unread, inbox.unseen), (1, 0));
    }

    #[test]
    fn what_was_seen_before_is_not_taken_from_what_is_not_seen() {
        let mut inbox = inbox();
        let (mut first, second) = (come(&mut inbox, 1), come(&mut inbox, 2));
        inbox.see(first.created_at, 1, at(3));
        inbox.see(first.created_at, 7, at(4));
        assert_eq!((inbox.unseen, inbox.seen_at), (1, at(3)), "seen already");
        inbox.archive(&mut first, at(5));
        assert_eq!((inbox.unread, inbox.unseen), (1, 1));
        inbox.remove(&second);
        assert_eq!((inbox.unread, inbox.unseen), (0, 0));
    }

    #[test]
    fn what_was_read_stays_read_when_it_is_put_away() {
        let mut inbox = inbox();
        let (mut one_by_one, mut with_all) = (come(&mut inbox, 1), come(&mut inbox, 2));
        inbox.read(&mut one_by_one, at(3));
        inbox.read_all(at(4));
        inbox.archive(&mut one_by_one, at(5));
        inbox.archive(&mut with_all, at(6));
        assert_eq!((one_by_one.read_at, with_all.read_at), (Some(at(3)), Some(at(4))));
        inbox.read_all(at(7));
        assert_eq!(inbox.read_at(&with_all), Some(at(4)), "when it was first");
    }

    #[test]
    fn what_is_put_away_or_removed_is_counted_no_more() {
        let mut inbox = inbox();
        let (mut first, second) = (come(&mut inbox, 1), come(&mut inbox, 2));
        assert!(inbox.archive(&mut first, at(3)));
        assert!(!inbox.archive(&mut first, at(4)));
        assert_eq!((first.archived_at, first.read_at), (Some(at(3)), None));
        inbox.remove(&second);
        assert_eq!((inbox.unread, inbox.unseen), (0, 0));
        inbox.remove(&first);
        assert_eq!(inbox.unread, 0);
    }
}
