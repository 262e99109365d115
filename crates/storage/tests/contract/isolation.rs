//! Units of work that meet.

use userd_model::Refusal;
use userd_storage::{Duplicate, Failure, Store, StoreError, testing::run};

use crate::stage::{INSERT_COUNTER, SET_COUNTER, Stage, get, read};

const ADMINISTRATOR: i64 = 1;

#[apply(case)]
pub(crate) async fn a_unit_of_work_reads_its_own_writes(stage: Stage) {
    let seen = stage
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
pub(crate) async fn an_open_unit_of_work_is_invisible_outside(stage: Stage) {
    let store = &stage.store;
    let seen = store
        .transact("invisible", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            let outside = read(&mut store.reading(), "a").await?;
            uow.commit(outside).await
        })
        .await
        .unwrap();
    assert_eq!(seen, None);
    assert_eq!(stage.get("a").await, Some(1));
}

#[apply(case)]
pub(crate) async fn parallel_increments_all_count(stage: Stage) {
    stage.put("n", 0).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = stage.store.clone();
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
    assert_eq!(stage.get("n").await, Some(80));
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
pub(crate) async fn two_administrators_cannot_demote_each_other(stage: Stage) {
    for round in 0..15 {
        let (ann, ben) = (format!("ann {round}"), format!("ben {round}"));
        stage.put(&ann, ADMINISTRATOR).await.unwrap();
        stage.put(&ben, ADMINISTRATOR).await.unwrap();
        let both = [(ann.clone(), ben.clone()), (ben.clone(), ann.clone())].map(|(me, other)| {
            let store = stage.store.clone();
            tokio::spawn(async move { demote_if_another_remains(&store, &me, &other).await })
        });
        for demotion in both {
            match demotion.await.unwrap() {
                Ok(()) | Err(Failure::Refused(Refusal::LastWayIn)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let left = get(&stage.store, &ann).await.unwrap() + get(&stage.store, &ben).await.unwrap();
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
pub(crate) async fn one_of_many_inserts_of_a_key_wins(stage: Stage) {
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let store = stage.store.clone();
            tokio::spawn(async move { crate::stage::put(&store, "one", n).await })
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
