//! The migration runner with lists of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]
use std::sync::Arc;

use super::*;
use crate::{
    migrations::MIGRATIONS,
    testing::{Backend, StillClock, TestDatabase, TestRandom},
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
    apply(store, list, &StillClock::default(), OWNER).await
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
