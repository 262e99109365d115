//! What the store does with conflicts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use userd_model::Random;

use userd_storage::{
    Access, Failure, Store, StoreError,
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

/// F09: conflicts again and again are retried, never an error of the server.
#[tokio::test]
async fn eleven_conflicts_are_no_failure() {
    let (outcome, stored, attempts) = put_while_losing(11).await;
    outcome.unwrap();
    assert_eq!((stored, attempts), (Some(1), 12));
}

/// F09: conflicts without end end as `Unavailable`, after twelve attempts.
/// ASVS V15.4.3
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

/// Conflicts whenever anybody begins: no database takes part, so paused time tells exactly how long was waited.
struct NeverBegins;

impl Tamper for NeverBegins {
    fn begin(&self, _access: Access) -> Result<(), StoreError> {
        Err(StoreError::Conflict)
    }
}

/// The same byte again and again.
struct Always(u8);

impl Random for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

async fn waited(byte: u8) -> Duration {
    let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
    let engine = Tampered::over(database.engine().unwrap(), Arc::new(NeverBegins));
    let store = Store::new(engine, Arc::new(Always(byte)));
    let begun = Instant::now();
    let outcome = store.transact("busy", |uow| async move { uow.commit(()).await }).await;
    assert!(matches!(outcome, Err(Failure::Store(StoreError::Unavailable(_)))), "{outcome:?}");
    begun.elapsed()
}

/// Between attempts it waits, twice as long each time up to a tenth of a second, and anything between nothing and
/// that: two who lost against each other do not meet again (fault 38).
#[tokio::test(start_paused = true)]
async fn the_wait_between_attempts_doubles_to_a_bound_and_is_spread_over_all_of_it() {
    // 2 + 4 + 8 + 16 + 32 + 64 and five times 100 milliseconds, timers being exact to one.
    let longest = waited(0xff).await;
    assert!((626..=640).contains(&longest.as_millis()), "{longest:?}");
    let half = waited(0x7f).await;
    assert!((300..=330).contains(&half.as_millis()), "{half:?}");
    let none = waited(0).await;
    assert!(none < Duration::from_millis(15), "{none:?}");
}
