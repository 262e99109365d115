//! Inboxes and deliveries: what was written comes back, in order, and only to whom it belongs.

use std::time::Duration;

use userd_model::{Delivery, DeliveryState, Folder, Message, Notification, NotificationId, Random as _, UserId};
use userd_storage::{repositories::hourly_counts::HourlyCount, testing::TestRandom};

use crate::{
    samples::{self, moment},
    stores::{on_every_engine, transact},
};

fn user() -> UserId {
    UserId::from_random(TestRandom::default().id_bytes())
}

#[tokio::test]
async fn a_folder_is_paged_newest_first_and_read_on_from_a_time() {
    on_every_engine(async |store| {
        let (owner, now) = (user(), moment());
        let mut made = Vec::new();
        for place in 0..5_u64 {
            let created_at = now.plus(Duration::from_secs(place));
            let (sample, _) = samples::notification(owner, now);
            let folder = if place == 3 { Folder::Archived } else { Folder::Unread };
            made.push(Notification { created_at, folder, ..sample });
        }
        let other = samples::notification(user(), now).0;
        insert(store, &made).await;
        insert(store, std::slice::from_ref(&other)).await;
        let mut reading = store.reading();
        let mut notifications = reading.notifications();
        let first = notifications.newest(owner, &[Folder::Unread], None, 2).await.unwrap();
        assert_eq!(first, [made[4].clone(), made[2].clone()]);
        let place = Some((made[2].created_at, made[2].id));
        assert_eq!(
            notifications.newest(owner, &[Folder::Unread], place, 9).await.unwrap(),
            [made[1].clone(), made[0].clone()]
        );
        let newer = notifications.newer(owner, Folder::Unread, made[1].created_at, 9).await.unwrap();
        assert_eq!(newer, [made[2].clone(), made[4].clone()]);
        assert_eq!(notifications.newest(owner, &[Folder::Archived], None, 9).await.unwrap(), [made[3].clone()]);
        assert_eq!(notifications.find(other.id).await.unwrap(), Some(other));
    })
    .await;
}

async fn insert(store: &userd_storage::Store, made: &[Notification]) {
    for one in made {
        transact!(store, uow => uow.notifications().insert(one).await?).unwrap();
    }
}

#[tokio::test]
async fn a_notification_moves_and_goes_and_an_inbox_begins_empty() {
    on_every_engine(async |store| {
        let (owner, now) = (user(), moment());
        let (sample, inbox) = &samples::notification(owner, now);
        assert_eq!(store.reading().inboxes().of(owner).await.unwrap().unread, 0);
        let moved = &Notification { folder: Folder::Archived, archived_at: Some(now), ..sample.clone() };
        transact!(store, uow => {
            uow.notifications().insert(sample).await?;
            uow.inboxes().write(inbox).await?;
        })
        .unwrap();
        transact!(store, uow => uow.notifications().update(moved).await?).unwrap();
        assert_eq!(store.reading().notifications().find(sample.id).await.unwrap(), Some(moved.clone()));
        assert_eq!(store.reading().inboxes().of(owner).await.unwrap(), *inbox);
        let gone = &[sample.id, NotificationId::from_random([9; 16])];
        transact!(store, uow => uow.notifications().remove_many(gone).await?).unwrap();
        assert_eq!(store.reading().notifications().find(sample.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_is_due_in_its_queue_until_it_is_done() {
    on_every_engine(async |store| {
        let now = moment();
        let first = samples::delivery(user(), now);
        let queue = now.micros();
        let first = Delivery { queue, ..first };
        let mut second = Delivery { queue, due_at: now.plus(Duration::from_secs(2)), ..samples::delivery(user(), now) };
        let both = &[first.clone(), second.clone()];
        transact!(store, uow => uow.deliveries().insert_many(both).await?).unwrap();
        let due = |seconds| now.plus(Duration::from_secs(seconds));
        let ids = |found: Vec<Delivery>| found.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(store.reading().deliveries().due(queue, due(1), 9).await.unwrap()), []);
        assert_eq!(ids(store.reading().deliveries().due(queue, due(2), 9).await.unwrap()), [second.id]);
        assert_eq!(ids(store.reading().deliveries().due(queue, due(9), 9).await.unwrap()), [second.id, first.id]);
        second.bury("no such mailbox", now);
        let buried = &second;
        transact!(store, uow => uow.deliveries().update(buried).await?).unwrap();
        assert_eq!(ids(store.reading().deliveries().due(queue, due(9), 9).await.unwrap()), [first.id]);
        assert_eq!(store.reading().deliveries().find(second.id).await.unwrap(), Some(second.clone()));
        let dead = store.reading().deliveries().in_state(DeliveryState::Dead, None, 200).await.unwrap();
        assert!(dead.iter().any(|one| one.id == second.id));
        let place = Some((second.created_at, second.id));
        let older = store.reading().deliveries().in_state(DeliveryState::Dead, place, 200).await.unwrap();
        assert!(!older.iter().any(|one| one.id == second.id));
        assert!(store.reading().deliveries().oldest_pending().await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_message_is_due_until_everybody_has_a_copy() {
    on_every_engine(async |store| {
        let (now, cursor) = (moment(), user());
        let first = &samples::message(cursor, now);
        let bare = &Message {
            role: None,
            expires_at: None,
            cursor: None,
            sent_by: ("operator".to_owned(), None),
            due_at: now.plus(Duration::from_secs(1)),
            ..samples::message(cursor, now)
        };
        transact!(store, uow => {
            uow.messages().insert(first).await?;
            uow.messages().insert(bare).await?;
        })
        .unwrap();
        for one in [first, bare] {
            assert_eq!(store.reading().messages().find(one.id).await.unwrap().as_ref(), Some(one));
        }
        let due = async |seconds| {
            let found = store.reading().messages().due(now.plus(Duration::from_secs(seconds)), 1_000).await.unwrap();
            let ours = |one: &Message| [first.id, bare.id].contains(&one.id);
            found.into_iter().filter(ours).map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!((due(0).await, due(1).await, due(5).await), (vec![], vec![bare.id], vec![bare.id, first.id]));
        let mut done = first.clone();
        done.step(3, None);
        let done = &done;
        transact!(store, uow => uow.messages().update(done).await?).unwrap();
        assert_eq!(store.reading().messages().find(first.id).await.unwrap().as_ref(), Some(done));
        assert_eq!(due(5).await, [bare.id]);
    })
    .await;
}

#[tokio::test]
async fn copies_of_a_message_are_counted_over_all_slots() {
    on_every_engine(async |store| {
        let message = &samples::message(user(), moment());
        let counts = &samples::message_counts();
        transact!(store, uow => {
            for slot in [0, 3, 63] {
                uow.message_counts().write(message.id, slot, counts, message.remove_at).await?;
            }
            let mut more = uow.message_counts().find(message.id, 3).await?;
            more.add("email", "pending", 1);
            uow.message_counts().write(message.id, 3, &more, message.remove_at).await?;
        })
        .unwrap();
        let all = store.reading().message_counts().all(message.id).await.unwrap();
        assert_eq!(
            (all.get("inbox", "pending"), all.get("inbox", "delivered"), all.get("email", "pending")),
            (-6, 6, 1)
        );
        let other = store.reading().message_counts().all(samples::message(user(), moment()).id).await.unwrap();
        assert_eq!(other, userd_model::message::MessageCounts::default());
    })
    .await;
}

#[tokio::test]
async fn each_shard_counts_its_own_hours() {
    on_every_engine(async |store| {
        let hour = moment();
        let one = samples::hourly_count(hour);
        let later = HourlyCount { hour: hour.plus(Duration::from_secs(3600)), ..one.clone() };
        let other = HourlyCount { shard: 15, ..one.clone() };
        let (first, second) = (
            &[one.clone(), later.clone(), other.clone()],
            &[HourlyCount { counts: [("user.registered".to_owned(), 5)].into(), ..one.clone() }],
        );
        transact!(store, uow => uow.hourly_counts().write_many(first).await?).unwrap();
        transact!(store, uow => uow.hourly_counts().write_many(second).await?).unwrap();
        let mut reading = store.reading();
        assert_eq!(reading.hourly_counts().find(3, hour).await.unwrap().as_ref(), second.first());
        assert_eq!(reading.hourly_counts().find(4, hour).await.unwrap(), None);
        let ours = |found: Vec<HourlyCount>| {
            found.into_iter().filter(|count| count.hour >= hour && count.hour <= later.hour).collect::<Vec<_>>()
        };
        let from = ours(reading.hourly_counts().since(hour, 100).await.unwrap());
        assert!([&second[0], &later, &other].into_iter().all(|count| from.contains(count)), "{from:?}");
        let from = ours(reading.hourly_counts().since(later.hour, 100).await.unwrap());
        assert!(from.contains(&later) && !from.contains(&other), "{from:?}");
    })
    .await;
}
