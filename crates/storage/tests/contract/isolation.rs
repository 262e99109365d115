//! Units of work that meet.

use userd_model::Refusal;
use userd_storage::{Duplicate, Failure, Store, StoreError, testing::run};

use crate::fixture::{Fixture, INSERT_COUNTER, SET_COUNTER, get, read};

const ADMINISTRATOR: i64 = 1;

#[apply(case)]
async fn a_unit_of_work_reads_its_own_writes(fixture: Fixture) {
    let seen = fixture
        .store
        .transact("own", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            let inserted = read(&mut uow, "a").await?;
            run(&mut uow, SET_COUNTER, &["a".into(), 2_i64.into()]).await?;
            let updated = read(&mut uow, "a").await?;
            uow.commit((inserted, updated)).await
        })
        .await
        .unwrap();
    assert_eq!(seen, (Some(1), Some(2)));
}

#[apply(case)]
async fn an_open_unit_of_work_is_invisible_outside(fixture: Fixture) {
    let store = &fixture.store;
    let seen = store
        .transact("invisible", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            let outside = read(&mut store.reading(), "a").await?;
            uow.commit(outside).await
        })
        .await
        .unwrap();
    assert_eq!(seen, None);
    assert_eq!(fixture.get("a").await, Some(1));
}

#[apply(case)]
async fn parallel_increments_all_count(fixture: Fixture) {
    fixture.put("n", 0).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    increment(&store).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(fixture.get("n").await, Some(80));
}

async fn increment(store: &Store) -> Result<(), Failure> {
    store
        .transact("increment", |mut uow| async move {
            let n = read(&mut uow, "n").await?.ok_or(Refusal::NotFound)?;
            run(&mut uow, SET_COUNTER, &["n".into(), (n + 1).into()]).await?;
            uow.commit(()).await
        })
        .await
}

/// Write skew: each reads the other's row and writes its own.
#[apply(case)]
async fn two_administrators_cannot_demote_each_other(fixture: Fixture) {
    for round in 0..15 {
        let (ann, ben) = (format!("ann {round}"), format!("ben {round}"));
        fixture.put(&ann, ADMINISTRATOR).await.unwrap();
        fixture.put(&ben, ADMINISTRATOR).await.unwrap();
        let both = [(ann.clone(), ben.clone()), (ben.clone(), ann.clone())].map(|(me, other)| {
            let store = fixture.store.clone();
            tokio::spawn(async move { demote_if_another_remains(&store, &me, &other).await })
        });
        for demotion in both {
            match demotion.await.unwrap() {
                Ok(()) | Err(Failure::Refused(Refusal::LastWayIn)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let left = get(&fixture.store, &ann).await.unwrap() + get(&fixture.store, &ben).await.unwrap();
        assert_eq!(left, 1, "exactly one administrator remains");
    }
}

async fn demote_if_another_remains(store: &Store, me: &str, other: &str) -> Result<(), Failure> {
    store
        .transact("demote", |mut uow| async move {
            if read(&mut uow, other).await? != Some(ADMINISTRATOR) {
                return Err(Refusal::LastWayIn.into());
            }
            run(&mut uow, SET_COUNTER, &[me.into(), 0_i64.into()]).await?;
            uow.commit(()).await
        })
        .await
}

#[apply(case)]
async fn one_of_many_inserts_of_a_key_wins(fixture: Fixture) {
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let store = fixture.store.clone();
            tokio::spawn(async move { crate::fixture::put(&store, "one", n).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("counters")))) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(won, 1);
}
