//! The migration runner with lists of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]
use std::sync::Arc;

use super::*;
use crate::{
    migrations::MIGRATIONS,
    statements,
    testing::{self, Backend, ManualClock, TestDatabase, TestRandom},
};

const OWNER: Uuid = Uuid::from_u128(1);

async fn store() -> Store {
    let engine = TestDatabase::create(Backend::Memory).await.unwrap().unwrap().engine().unwrap();
    Store::new(engine, Arc::new(TestRandom::default()))
}

/// The first three steps, the last of them as `third`, and then `more`.
fn list(third: Migration, more: &[Migration]) -> &'static [Migration] {
    let steps = MIGRATIONS.iter().copied().take(2).chain([third]).chain(more.iter().copied());
    steps.collect::<Vec<_>>().leak()
}

fn step(number: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { number, name, sqlite: sql, postgres: sql }
}

async fn run(store: &Store, list: &'static [Migration]) -> Result<MigrationReport, MigrationError> {
    apply(store, list, &ManualClock::default(), OWNER).await
}

#[tokio::test]
async fn a_step_that_was_edited_is_named() {
    let store = store().await;
    run(&store, list(step(3, "third", "CREATE TABLE IF NOT EXISTS t (a TEXT)"), &[])).await.unwrap();
    let edited = list(step(3, "third", "CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT)"), &[]);
    let error = run(&store, edited).await.unwrap_err();
    assert!(matches!(error, MigrationError::Changed { number: 3, name: "third" }), "{error}");
    assert!(matches!(status(&store, edited).await.unwrap()[2].state, StepState::Changed(_)));
    let renamed = list(step(3, "other", "CREATE TABLE IF NOT EXISTS t (a TEXT)"), &[]);
    assert!(matches!(run(&store, renamed).await.unwrap_err(), MigrationError::Changed { .. }));
}

#[tokio::test]
async fn a_broken_step_is_named_and_can_be_run_again() {
    let store = store().await;
    let error = run(&store, list(step(3, "third", "CREATE TABEL t (a TEXT)"), &[])).await.unwrap_err();
    assert!(matches!(error, MigrationError::Step { number: 3, .. }), "{error}");
    let mended = list(step(3, "third", "CREATE TABLE t (a TEXT)"), &[]);
    assert_eq!(run(&store, mended).await.unwrap().applied, ["third"]);
}

/// F36: the previous release still works.
#[tokio::test]
async fn the_previous_release_runs_on_the_new_schema() {
    let store = store().await;
    let third = step(3, "third", "CREATE TABLE t (a TEXT)");
    let new = list(third, &[step(4, "fourth", "CREATE TABLE u (a TEXT)")]);
    run(&store, new).await.unwrap();
    let old = list(third, &[]);
    assert_eq!(run(&store, old).await.unwrap(), MigrationReport { applied: vec![], newer: 1 });
    assert!(matches!(status(&store, old).await.unwrap()[3].state, StepState::Newer(_)));
}

#[tokio::test]
async fn a_list_with_a_hole_is_refused() {
    let error = run(&store().await, list(step(4, "third", "CREATE TABLE t (a TEXT)"), &[])).await.unwrap_err();
    assert!(matches!(error, MigrationError::OutOfOrder(4)));
}

#[tokio::test]
async fn everything_is_pending_before_the_first_run() {
    let states = status(&store().await, MIGRATIONS).await.unwrap();
    assert!(states.iter().all(|state| state.state == StepState::Pending));
    assert_eq!(states.len(), MIGRATIONS.len());
}

#[tokio::test]
async fn checksums_of_the_version_before_are_verified_once_and_replaced() {
    let (store, list) = (store().await, list(step(3, "third", "CREATE TABLE t (a TEXT)"), &[]));
    run(&store, list).await.unwrap();
    with_old_checksums(&store, list).await;
    assert_eq!(run(&store, list).await.unwrap(), MigrationReport::default());
    for (step, row) in list.iter().zip(store.reading().schema_migrations().all().await.unwrap()) {
        assert_eq!(row.checksum, checksum::of(step.sqlite), "{}", step.name);
    }
}

#[tokio::test]
async fn a_step_that_was_edited_is_found_by_the_checksum_of_the_version_before() {
    let (store, old) = (store().await, list(step(3, "third", "CREATE TABLE t (a TEXT)"), &[]));
    run(&store, old).await.unwrap();
    with_old_checksums(&store, old).await;
    let edited = list(step(3, "third", "CREATE TABLE t (a TEXT, b TEXT)"), &[]);
    let error = run(&store, edited).await.unwrap_err();
    assert!(matches!(error, MigrationError::Changed { number: 3, .. }), "{error}");
}

async fn with_old_checksums(store: &Store, list: &'static [Migration]) {
    store
        .transact("old", |mut uow| async move {
            for step in list {
                uow.schema_migrations().update_checksum(step.number, &checksum::before(step.sqlite)).await?;
            }
            uow.commit(()).await
        })
        .await
        .unwrap();
}

/// How many steps there were when the tables had their old names, and when the old tables were gone.
const BEFORE_THE_RENAMING: usize = 28;
const AFTER_THE_RENAMING: usize = 37;

statements! {
    TOKEN = "secrets.insert": "INSERT INTO secrets (hash, purpose, owner_id, payload, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)"
        (Bytes, Text, Uuid, Bytes, Timestamp, Timestamp) -> ();
    USED = "single_use.insert": "INSERT INTO single_use (hash, purpose, expires_at) VALUES ($1, $2, $3)"
        (Bytes, Text, Timestamp) -> ();
}

/// A step that was run and not recorded is run again: with every step of the renaming as the last one run.
/// F36: killed at each step, begun again.
#[tokio::test]
async fn a_migrator_killed_while_tables_are_renamed_loses_no_row() {
    let (before, rest) = MIGRATIONS.split_at(BEFORE_THE_RENAMING);
    let renaming = &rest[..AFTER_THE_RENAMING - BEFORE_THE_RENAMING];
    let (now, end) = (ManualClock::default().now(), ManualClock::default().now().plus(Duration::from_secs(60)));
    for (backend, last) in
        [Backend::Memory, Backend::Postgres].iter().flat_map(|b| renaming.iter().map(move |s| (b, s)))
    {
        let Some(database) = TestDatabase::create(*backend).await.unwrap() else { continue };
        let store = Store::new(database.engine().unwrap(), Arc::new(TestRandom::default()));
        run(&store, before).await.unwrap();
        store
            .transact("old", |mut uow| async move {
                let [token, used] = ALL else { return Err(StoreError::corrupt("two statements").into()) };
                let (hash, payload) = ([1; 32].into(), [2; 32].into());
                let row = [hash, "code".into(), OWNER.into(), payload, now.into(), end.into()];
                testing::run(&mut uow, token, &row).await?;
                testing::run(&mut uow, used, &[[3; 32].into(), "state".into(), end.into()]).await?;
                uow.commit(()).await
            })
            .await
            .unwrap();
        let recorded = MIGRATIONS.get(..usize::try_from(last.number).unwrap() - 1).unwrap();
        run(&store, recorded).await.unwrap();
        store.engine().run_schema(text(last, store.engine().dialect())).await.unwrap();
        run(&store, MIGRATIONS).await.unwrap();
        let mut reading = store.reading();
        let token = reading.one_time_tokens().find(&[1; 32], "code", now).await.unwrap().unwrap();
        assert_eq!(token.payload, [2; 32], "{backend:?}, {}", last.name);
        assert!(reading.replay_guard().was_consumed(&[3; 32]).await.unwrap(), "{backend:?}, {}", last.name);
        store.engine().close().await;
    }
}
