//! Wholly or not at all.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;
use userd_model::Refusal;
use userd_storage::{Failure, StoreError, testing::run};

use crate::fixture::{Fixture, INSERT_COUNTER, read};

#[apply(case)]
async fn what_is_committed_is_there_at_once(fixture: Fixture) {
    for n in 0..20 {
        let name = format!("row {n}");
        fixture.put(&name, n).await.unwrap();
        assert_eq!(fixture.get(&name).await, Some(n));
    }
}

#[apply(case)]
async fn a_refusal_rolls_back(fixture: Fixture) {
    let refused = fixture
        .store
        .transact("refuse", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            run(&mut uow, INSERT_COUNTER, &["b".into(), 1_i64.into()]).await?;
            Err::<(), _>(Failure::Refused(Refusal::Forbidden))
        })
        .await;
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Forbidden))), "{refused:?}");
    assert_eq!(fixture.get("a").await, None);
    fixture.put("a", 2).await.unwrap();
}

#[apply(case)]
async fn a_panic_rolls_back(fixture: Fixture) {
    let store = fixture.store.clone();
    let panicked = tokio::spawn(async move {
        store
            .transact("panic", |mut uow| async move {
                run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
                read(&mut uow, "a").await?.filter(|n| *n > 1).expect("on purpose");
                uow.commit(()).await
            })
            .await
    })
    .await;
    assert!(panicked.is_err(), "the body was to panic");
    assert_eq!(fixture.get("a").await, None);
    fixture.put("a", 2).await.unwrap();
}

#[apply(case)]
async fn a_dropped_future_rolls_back(fixture: Fixture) {
    let (store, written) = (fixture.store.clone(), Arc::new(Notify::new()));
    let told = Arc::clone(&written);
    let work = tokio::spawn(async move {
        let told = &told;
        store
            .transact("drop", |mut uow| async move {
                run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
                told.notify_one();
                pending::<()>().await;
                uow.commit(()).await
            })
            .await
    });
    written.notified().await;
    work.abort();
    assert!(work.await.is_err(), "the work was to be dropped");
    assert_eq!(fixture.get("a").await, None);
    fixture.put("a", 2).await.unwrap();
    assert_eq!(fixture.get("a").await, Some(2));
}

#[apply(case)]
async fn an_answer_without_a_commit_is_refused(fixture: Fixture) {
    let forgotten = fixture
        .store
        .transact("forget", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            Ok(())
        })
        .await;
    assert!(matches!(forgotten, Err(Failure::Store(StoreError::Corrupt(_)))), "{forgotten:?}");
    assert_eq!(fixture.get("a").await, None);
}

#[apply(case)]
async fn nothing_commits_after_a_failed_statement(fixture: Fixture) {
    fixture.put("taken", 1).await.unwrap();
    let tries = AtomicU32::new(0);
    let swallowed = fixture
        .store
        .transact("swallow", |mut uow| {
            tries.fetch_add(1, Ordering::SeqCst);
            async move {
                run(&mut uow, INSERT_COUNTER, &["free".into(), 1_i64.into()]).await?;
                let _swallowed = run(&mut uow, INSERT_COUNTER, &["taken".into(), 2_i64.into()]).await;
                uow.commit(()).await
            }
        })
        .await;
    assert!(matches!(swallowed, Err(Failure::Store(StoreError::Corrupt(_)))), "{swallowed:?}");
    assert_eq!(fixture.get("free").await, None);
    assert_eq!(fixture.get("taken").await, Some(1));
}

#[apply(case)]
async fn a_write_outside_of_a_unit_of_work_is_refused(fixture: Fixture) {
    let written = run(&mut fixture.store.reading(), INSERT_COUNTER, &["a".into(), 1_i64.into()]).await;
    assert!(matches!(written, Err(StoreError::Corrupt(_))), "{written:?}");
    assert_eq!(fixture.get("a").await, None);
}
