//! Steps and shape: what the migrations make is what is declared, and anything else is refused at start.

use std::sync::Arc;

use userd_storage::{
    Store, StoreError,
    migrations::{MIGRATIONS, MigrationError},
    testing::{ManualClock, TestRandom, schema_on},
};
use ydb_emulator::Options;

use crate::fixture::{emulator, engine, url};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_steps_make_what_is_declared_and_a_second_start_finds_nothing_to_do() {
    let emulator = emulator(Options::default()).await;
    schema_on(engine(&url(&emulator))).await.unwrap();
    let again = schema_on(engine(&url(&emulator))).await.unwrap();
    assert!(again.migrate(&ManualClock::default()).await.unwrap().applied.is_empty());
    assert_eq!(emulator.counters().full_scans_refused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_that_start_at_once_migrate_once() {
    let emulator = emulator(Options::default()).await;
    let url = url(&emulator);
    let starts = (0..3).map(|_| {
        let store = Store::new(engine(&url), Arc::new(TestRandom::default()));
        tokio::spawn(async move { store.migrate(&ManualClock::default()).await.unwrap().applied.len() })
    });
    let mut applied = 0;
    for start in starts.collect::<Vec<_>>() {
        applied += start.await.unwrap();
    }
    assert_eq!(applied, MIGRATIONS.len());
}

/// `IF NOT EXISTS` compares nothing: a table of somebody else's shape would be written to until it breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_another_shape_is_refused_at_start_and_named() {
    let emulator = emulator(Options::default()).await;
    let engine = engine(&url(&emulator));
    engine.run_schema("CREATE TABLE IF NOT EXISTS tombstones (user_id BIGINT NOT NULL PRIMARY KEY)").await.unwrap();
    let store = Store::new(Arc::clone(&engine), Arc::new(TestRandom::default()));
    let refused = store.migrate(&ManualClock::default()).await;
    let Err(MigrationError::Store(StoreError::Unusable(why))) = refused else { panic!("{refused:?}") };
    assert!(why.contains("tombstones"), "{why}");
}

#[tokio::test]
async fn what_answers_nobody_is_told_in_time_and_without_the_password() {
    let engine = engine("grpc://user:canary-password@127.0.0.1:1/local");
    let Err(StoreError::Unavailable(why)) = engine.health().await else { panic!("nobody is there") };
    assert!(!why.contains("canary"), "{why}");
}
