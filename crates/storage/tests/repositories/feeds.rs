//! Round trips: what others follow in the order of time, the revocation feed and the outbox.

use userd_model::{Event, EventId, EventKind, RevocationId, Timestamp};
use userd_storage::repositories::outbox::{SHARDS, shard_of};

use crate::{
    accounts::duplicate,
    samples::{self, id, moment, seconds},
    stores::{on_every_store, transact},
};

#[tokio::test]
async fn revocations_of_every_kind_are_read_from_a_moment_on_and_page_by_page() {
    on_every_store(async |store| {
        let start = moment();
        let made = &samples::revocations(start);
        transact!(store, uow => {
            for revocation in made.iter().rev() {
                uow.revocations().insert(revocation).await?;
            }
        })
        .unwrap();
        let first = &made[0];
        assert_eq!(duplicate(transact!(store, uow => uow.revocations().insert(first).await?)), "revocations");
        assert_eq!(store.reading().revocations().after(start, 7).await.unwrap(), *made);
        assert_eq!(store.reading().revocations().after(start.plus(seconds(4)), 2).await.unwrap(), made[4..]);
        let before = (Timestamp::from_micros(start.micros() - 1), RevocationId(id()));
        assert_eq!(store.reading().revocations().page(Some(before), 4).await.unwrap(), made[..4]);
        let after = (made[3].recorded_at, made[3].id);
        assert_eq!(store.reading().revocations().page(Some(after), 2).await.unwrap(), made[4..]);
        assert_eq!(store.reading().revocations().page(None, 1).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn events_wait_in_the_shard_of_their_id_in_order_until_they_are_removed() {
    on_every_store(async |store| {
        let start = moment();
        let shard = shard_of(EventId(id()));
        let in_shard = |kind, second| loop {
            let event = samples::event(kind, start.plus(seconds(second)));
            if shard_of(event.id) == shard {
                return event;
            }
        };
        let mut made: Vec<Event> = (0..).zip(EventKind::ALL).map(|(n, kind)| in_shard(*kind, n / 2)).collect();
        let pushed = &made.clone();
        transact!(store, uow => {
            for event in pushed {
                uow.outbox().push(event).await?;
            }
        })
        .unwrap();
        let first = &made[0].clone();
        assert_eq!(duplicate(transact!(store, uow => uow.outbox().push(first).await?)), "outbox");
        made.sort_by_key(|event| (event.at, event.id));
        let (mut seen, mut after) = (Vec::new(), Some((Timestamp::from_micros(start.micros() - 1), EventId(id()))));
        while seen.len() < made.len() {
            let page = store.reading().outbox().page(shard, after, 5).await.unwrap();
            let last = page.last().expect("events are missing");
            after = Some((last.at, last.id));
            seen.extend(page.into_iter().filter(|event| made.contains(event)));
        }
        assert_eq!(seen, made);
        for event in pushed {
            transact!(store, uow => uow.outbox().remove(shard, event.at, event.id).await?).unwrap();
        }
        let left = store.reading().outbox().page(shard, None, 1000).await.unwrap();
        assert!(!left.iter().any(|event| made.contains(event)));
    })
    .await;
}

#[test]
fn ids_spread_over_all_shards() {
    let shards: std::collections::BTreeSet<i64> = (0..2000).map(|_| shard_of(EventId(id()))).collect();
    assert!(shards.into_iter().eq(0..SHARDS));
}
