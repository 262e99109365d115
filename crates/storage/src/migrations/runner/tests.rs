//! The migration runner with lists of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails by panicking")]
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

/// How many steps there were when the tables had their old names, and when the rows stood in the new ones.
const BEFORE_THE_RENAMING: usize = 28;
const AFTER_THE_RENAMING: usize = 37;

statements! {
    TOKEN = "secrets.insert": "INSERT INTO secrets (hash, purpose, owner_id, payload, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)"
        (Bytes, Text, Uuid, Bytes, Timestamp, Timestamp) -> ();
    USED = "single_use.insert": "INSERT INTO single_use (hash, purpose, expires_at) VALUES ($1, $2, $3)"
        (Bytes, Text, Timestamp) -> ();
}

/// A database of before the renaming with a row in each of its tables; `None` where the backend is not at hand.
async fn with_old_rows(backend: Backend) -> Option<(TestDatabase, Store)> {
    let database = TestDatabase::create(backend).await.unwrap()?;
    let store = Store::new(database.engine().unwrap(), Arc::new(TestRandom::default()));
    run(&store, &MIGRATIONS[..BEFORE_THE_RENAMING]).await.unwrap();
    let (now, end) = (ManualClock::default().now(), ManualClock::default().now().plus(Duration::from_secs(60)));
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
    Some((database, store))
}

/// Killed: the step was run and not recorded.
async fn run_unrecorded(store: &Store, step: &Migration) {
    store.engine().run_schema(text(step, store.engine().dialect())).await.unwrap();
}

async fn has_its_rows(store: &Store, what: &str) {
    let mut reading = store.reading();
    let token = reading.one_time_tokens().find(&[1; 32], "code", ManualClock::default().now()).await.unwrap();
    assert_eq!(token.unwrap().payload, [2; 32], "{what}");
    assert!(reading.replay_guard().was_consumed(&[3; 32]).await.unwrap(), "{what}");
}

/// A step that was run and not recorded is run again: with every step of the renaming as the last one run.
/// F36: killed at each step, begun again.
#[tokio::test]
async fn a_migrator_killed_while_tables_are_renamed_loses_no_row() {
    for backend in [Backend::Memory, Backend::Postgres] {
        for last in BEFORE_THE_RENAMING..AFTER_THE_RENAMING {
            let Some((_database, store)) = with_old_rows(backend).await else { continue };
            let (recorded, last) = (&MIGRATIONS[..last], &MIGRATIONS[last]);
            run(&store, recorded).await.unwrap();
            run_unrecorded(&store, last).await;
            run(&store, MIGRATIONS).await.unwrap();
            has_its_rows(&store, &format!("{backend:?}, {}", last.name)).await;
            store.engine().close().await;
        }
    }
}

/// The same of each step since, which touches no row that was moved: one after another, on one database.
#[tokio::test]
async fn a_migrator_killed_at_any_later_step_runs_it_again() {
    for backend in [Backend::Memory, Backend::Postgres] {
        let Some((_database, store)) = with_old_rows(backend).await else { continue };
        run(&store, &MIGRATIONS[..AFTER_THE_RENAMING]).await.unwrap();
        for (at, last) in MIGRATIONS.iter().enumerate().skip(AFTER_THE_RENAMING) {
            run_unrecorded(&store, last).await;
            let again = run(&store, &MIGRATIONS[..=at]).await.unwrap();
            assert_eq!(again.applied, [last.name], "{backend:?}");
        }
        assert_eq!(run(&store, MIGRATIONS).await.unwrap(), MigrationReport::default(), "{backend:?}");
        has_its_rows(&store, &format!("{backend:?}")).await;
        store.engine().close().await;
    }
}

/// Loses so many schema steps against somebody else.
struct Losing {
    inner: Arc<dyn crate::Engine>,
    left: std::sync::atomic::AtomicU32,
}

#[async_trait::async_trait]
impl crate::Engine for Losing {
    async fn begin(&self, access: crate::Access) -> Result<Box<dyn crate::Transaction>, StoreError> {
        self.inner.begin(access).await
    }

    async fn read(
        &self,
        statement: &'static crate::Statement,
        values: &[crate::Value],
    ) -> Result<crate::Rows, StoreError> {
        self.inner.read(statement, values).await
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.left.load(SeqCst) > 0 {
            self.left.fetch_sub(1, SeqCst);
            return Err(StoreError::Conflict);
        }
        self.inner.run_schema(sql).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }

    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Two processes that make one table at once: the loser tries again, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_step_that_lost_a_race_is_run_again_ten_times() {
    for (losses, is_done) in [(0, true), (1, true), (10, true), (11, false)] {
        let inner = Arc::clone(store().await.engine());
        let store = Store::new(Arc::new(Losing { inner, left: losses.into() }), Arc::new(TestRandom::default()));
        let done = run_step(&store, &list(step(3, "third", "CREATE TABLE t (a TEXT)"), &[])[2]).await;
        assert_eq!(done.is_ok(), is_done, "{losses}");
        let told = matches!(done, Err(MigrationError::Step { number: 3, name: "third", cause: StoreError::Conflict }));
        assert_eq!(told, !is_done, "{losses}");
    }
}

/// A database with the tables that the runner needs, and somebody else who is migrating it.
async fn with_another_migrator(clock: &ManualClock) -> Store {
    let store = store().await;
    run(&store, &MIGRATIONS[..2]).await.unwrap();
    let (another, now) = (Uuid::from_u128(2), clock.now());
    store
        .transact("another", |mut uow| async move {
            let epoch = uow.leases().acquire(LEASE, another, now, LEASE_TTL).await?;
            uow.commit(epoch).await
        })
        .await
        .unwrap()
        .unwrap();
    store
}

/// Whoever was late is told, and has written down nothing.
#[tokio::test]
async fn a_step_is_not_recorded_by_who_has_lost_the_lease() {
    let (clock, list) = (ManualClock::default(), list(step(3, "third", "CREATE TABLE t (a TEXT)"), &[]));
    let store = with_another_migrator(&clock).await;
    let late = record(&store, &list[2], &clock, OWNER).await;
    assert!(matches!(late, Err(MigrationError::LeaseLost)), "{late:?}");
    assert_eq!(store.reading().schema_migrations().all().await.unwrap().len(), 2);
    clock.advance(LEASE_TTL);
    for _ in 0..2 {
        record(&store, &list[2], &clock, OWNER).await.unwrap();
        assert_eq!(store.reading().schema_migrations().all().await.unwrap().len(), 3, "once");
    }
}

/// Time stands still but for waits, and the clock of leases altogether: the other one never seems dead.
#[tokio::test]
async fn who_waits_for_another_migrator_gives_up_after_five_minutes() {
    let clock = ManualClock::default();
    let store = with_another_migrator(&clock).await;
    tokio::time::pause();
    let begun = Instant::now();
    let waited = hold_lease(&store, &clock, OWNER).await;
    assert!(matches!(waited, Err(MigrationError::Busy)), "{waited:?}");
    assert!(begun.elapsed() >= PATIENCE, "{:?}", begun.elapsed());
}
