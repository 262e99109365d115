//! The schema, brought up to date by several processes at once.

use std::time::Duration;

use userd_model::Clock;
use userd_storage::{
    migrations::{MIGRATIONS, StepState},
    testing::{Backend, ManualClock, TestDatabase},
};

use crate::fixture::store;

async fn two_processes_migrate_at_once(backend: Backend) {
    let Some(database) = TestDatabase::create(backend).await.unwrap() else { return };
    let processes = (0..4).map(|_| store(database.engine().unwrap())).collect::<Vec<_>>();
    let running: Vec<_> = processes
        .iter()
        .cloned()
        .map(|store| tokio::spawn(async move { store.migrate(&ManualClock::default()).await }))
        .collect();
    let mut applied = Vec::new();
    for process in running {
        applied.extend(process.await.unwrap().unwrap().applied);
    }
    let names: Vec<_> = MIGRATIONS.iter().map(|step| step.name).collect();
    assert_eq!(applied, names, "every step was applied once, in order");
    let now = ManualClock::default().now();
    for state in processes[0].migration_status().await.unwrap() {
        assert_eq!(state.state, StepState::Applied(now), "{}", state.name);
    }
    assert!(processes[1].migrate(&ManualClock::default()).await.unwrap().applied.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_share_a_file_migrate_it_once() {
    two_processes_migrate_at_once(Backend::File).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_share_a_server_migrate_it_once() {
    two_processes_migrate_at_once(Backend::Postgres).await;
}

/// A process that died in the middle leaves its lease behind; the next one goes on when it has expired, and that is
/// soon. (fault 23)
async fn a_dead_process_is_succeeded(backend: Backend) {
    let Some(database) = TestDatabase::create(backend).await.unwrap() else { return };
    let (store, clock) = (store(database.engine().unwrap()), ManualClock::default());
    for step in &MIGRATIONS[..3] {
        let text = match store.engine().dialect() {
            userd_storage::engine::Dialect::Sqlite => step.sqlite,
            userd_storage::engine::Dialect::Postgres | userd_storage::engine::Dialect::Ydb => step.postgres,
        };
        store.engine().run_schema(text).await.unwrap();
    }
    let (now, dead) = (clock.now(), uuid::Uuid::from_u128(7));
    store
        .transact("dead", |mut uow| async move {
            uow.leases().acquire("migrations", dead, now, Duration::from_secs(10)).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(200), store.migrate(&clock)).await;
    assert!(waiting.is_err(), "the lease still holds");
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.migrate(&clock).await.unwrap().applied.len(), MIGRATIONS.len());
}

#[tokio::test]
async fn a_process_that_died_migrating_a_file_is_succeeded() {
    a_dead_process_is_succeeded(Backend::File).await;
}

#[tokio::test]
async fn a_process_that_died_migrating_a_server_is_succeeded() {
    a_dead_process_is_succeeded(Backend::Postgres).await;
}
