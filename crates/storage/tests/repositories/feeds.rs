//! Round trips: what others follow in the order of time, the revocation feed and the outbox.

use userd_model::{EventId, EventKind, Fact, RevocationId, Subject, Timestamp, UserId};
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
        assert_eq!(store.reading().revocations().after(start.plus(seconds(4)), 3).await.unwrap(), made[4..]);
        let before = (Timestamp::from_micros(start.micros() - 1), RevocationId(id()));
        assert_eq!(store.reading().revocations().page(Some(before), 4).await.unwrap(), made[..4]);
        let after = (made[3].recorded_at, made[3].id);
        assert_eq!(store.reading().revocations().page(Some(after), 3).await.unwrap(), made[4..]);
        assert_eq!(store.reading().revocations().page(None, 1).await.unwrap().len(), 1);
    })
    .await;
}

/// Facts of subjects whose shard this is.
fn in_shard(shard: i64, make: impl Fn() -> Fact) -> Fact {
    std::iter::repeat_with(make).find(|fact| shard_of(&fact.subject) == shard).unwrap()
}

#[tokio::test]
async fn facts_wait_in_the_shard_of_their_subject_in_order_until_they_are_removed() {
    on_every_store(async |store| {
        let start = moment();
        let shard = shard_of(&id::<UserId>().into());
        let of_kind =
            |(n, kind): (u64, &EventKind)| in_shard(shard, || samples::fact(*kind, start.plus(seconds(n / 2))));
        let mut made: Vec<Fact> = (0..).zip(EventKind::ALL).map(of_kind).collect();
        made.push(in_shard(shard, || samples::bare_fact(start.plus(seconds(9)))));
        let pushed = &made.clone();
        transact!(store, uow => {
            for fact in pushed {
                uow.outbox().push(fact).await?;
            }
        })
        .unwrap();
        let first = &made[0].clone();
        assert_eq!(duplicate(transact!(store, uow => uow.outbox().push(first).await?)), "outbox");
        made.sort_by_key(|fact| (fact.at, fact.id));
        let (mut seen, mut after) = (Vec::new(), Some((Timestamp::from_micros(start.micros() - 1), EventId(id()))));
        while seen.len() < made.len() {
            let page = store.reading().outbox().page(shard, after, 5).await.unwrap();
            let last = page.last().expect("facts are missing");
            after = Some((last.at, last.id));
            seen.extend(page.into_iter().filter(|fact| made.contains(fact)));
        }
        assert_eq!(seen, made);
        transact!(store, uow => uow.outbox().remove_many(shard, pushed).await?).unwrap();
        let left = store.reading().outbox().page(shard, None, 1000).await.unwrap();
        assert!(!left.iter().any(|fact| made.contains(fact)));
    })
    .await;
}

#[tokio::test]
async fn the_last_number_of_each_subject_is_kept_and_read_together_with_keys() {
    on_every_store(async |store| {
        let (user, bare) = (&samples::user(), &samples::bare_user());
        let subjects = &[Subject::from(user.id), Subject { kind: "role".to_owned(), id: samples::word() }];
        let owners = &[user.id, bare.id, id()];
        transact!(store, uow => {
            uow.users().insert(user).await?;
            uow.users().insert(bare).await?;
            let (numbers, keys) = uow.fact_numbers().find_with_keys(subjects, owners).await?;
            assert_eq!((numbers, keys), (vec![0, 0], vec![user.data_key.clone(), None, None]));
            uow.fact_numbers().write_many(&[(subjects[0].clone(), 1), (subjects[1].clone(), i64::MAX)]).await?;
        })
        .unwrap();
        transact!(store, uow => {
            let (numbers, _) = uow.fact_numbers().find_with_keys(subjects, &[]).await?;
            assert_eq!(numbers, [1, i64::MAX]);
            uow.fact_numbers().write_many(&[(subjects[0].clone(), 2)]).await?;
            let (numbers, keys) = uow.fact_numbers().find_with_keys(&subjects[..1], owners).await?;
            assert_eq!((numbers, keys.len()), (vec![2], 3));
        })
        .unwrap();
    })
    .await;
}

#[test]
fn subjects_spread_over_all_shards() {
    let shards: std::collections::BTreeSet<i64> = (0..2000).map(|_| shard_of(&id::<UserId>().into())).collect();
    assert!(shards.into_iter().eq(0..SHARDS));
    let names: std::collections::BTreeSet<i64> =
        (0..500).map(|n| shard_of(&Subject { kind: "role".to_owned(), id: n.to_string() })).collect();
    assert!(names.into_iter().eq(0..SHARDS));
}

/// Another release must find the facts of a subject where this one put them.
#[test]
fn the_shard_of_a_subject_is_fixed() {
    let role = |id: &str| shard_of(&Subject { kind: "role".to_owned(), id: id.to_owned() });
    assert_eq!(["admin", "", "редактор"].map(role), [0, 13, 14]);
    assert_eq!(shard_of(&UserId(uuid::Uuid::nil()).into()), 11);
}
