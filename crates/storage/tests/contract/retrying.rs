//! What the store does with conflicts.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use userd_storage::{
    Access, Failure, StoreError,
    testing::{Backend, Ending, Tamper, Tampered, TestDatabase, run},
};

use crate::fixture::{INSERT_COUNTER, get, put, store, tables};

/// Conflicts at every commit of the first attempts.
struct Losing {
    attempts: u32,
    seen: AtomicU32,
}

impl Tamper for Losing {
    fn commit(&self, access: Access) -> Ending {
        assert_eq!(self.seen.fetch_add(1, Ordering::SeqCst), access.attempt, "attempts are counted");
        if access.attempt < self.attempts { Ending::RollBack(StoreError::Conflict) } else { Ending::Commit }
    }
}

async fn put_while_losing(attempts: u32) -> (Result<(), Failure>, Option<i64>, u32) {
    let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
    let engine = database.engine().unwrap();
    tables(&*engine).await;
    let losing = Arc::new(Losing { attempts, seen: AtomicU32::new(0) });
    let store = store(Tampered::over(engine, Arc::clone(&losing)));
    let outcome = put(&store, "a", 1).await;
    let stored = get(&store, "a").await;
    (outcome, stored, losing.seen.load(Ordering::SeqCst))
}

#[tokio::test]
async fn eleven_conflicts_are_no_failure() {
    let (outcome, stored, attempts) = put_while_losing(11).await;
    outcome.unwrap();
    assert_eq!((stored, attempts), (Some(1), 12));
}

#[tokio::test]
async fn conflicts_without_end_are_unavailable() {
    let (outcome, stored, attempts) = put_while_losing(u32::MAX).await;
    assert!(matches!(outcome, Err(Failure::Store(StoreError::Unavailable(_)))), "{outcome:?}");
    assert_eq!((stored, attempts), (None, 12));
}

/// Time stands still but for waits, so the five seconds pass at once.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_rolled_back_and_keeps_nobody_out() {
    let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
    let engine = database.engine().unwrap();
    tables(&*engine).await;
    let store = store(engine);
    let hung = store
        .transact("hung", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            std::future::pending::<()>().await;
            uow.commit(()).await
        })
        .await;
    assert!(matches!(hung, Err(Failure::Store(StoreError::Unavailable(_)))), "{hung:?}");
    assert_eq!(get(&store, "a").await, None);
    put(&store, "a", 2).await.unwrap();
}
