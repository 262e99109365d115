//! Where a case runs: an emulator of its own with empty tables, an engine in the fault mode asked for, a store.

use std::sync::Arc;

use userd_storage::{
    Engine, Failure, Statement, Store, StoreError, UnitOfWork, statements,
    testing::{ConflictFirst, RunTwice, TestRandom, run},
};
use userd_storage_ydb::{YdbEngine, YdbOptions};
use ydb_emulator::{Emulator, Options};

/// How the engine behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultMode {
    Plain,
    RunTwice,
    ConflictFirst,
}

pub(crate) struct Fixture {
    pub(crate) store: Store,
    /// Kept to the end: it stops when it is dropped.
    pub(crate) emulator: Emulator,
}

statements! {
    INSERT = "counters.insert": "INSERT INTO counters (name, n) VALUES ($1, $2)" (Text, I64) -> ();
    SET = "counters.set": "UPDATE counters SET n = $2 WHERE name = $1" (Text, I64) -> ();
    READ = "counters.by_name": "SELECT n FROM counters WHERE name = $1" (Text) -> (I64);
}

/// The statements of the counters, for cases that run them themselves.
pub(crate) static INSERT_COUNTER: &Statement = &INSERT;
pub(crate) static SET_COUNTER: &Statement = &SET;
pub(crate) static READ_COUNTER: &Statement = &READ;

const TABLES: &str = "CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS things (id UUID NOT NULL PRIMARY KEY, text TEXT, bytes BYTEA, number BIGINT,
    truth BOOLEAN, moment TIMESTAMPTZ, document JSONB);";

pub(crate) async fn emulator(options: Options) -> Emulator {
    Emulator::start(options).await.unwrap()
}

pub(crate) fn url(emulator: &Emulator) -> String {
    emulator.connection_string()
}

pub(crate) fn engine(url: &str) -> Arc<dyn Engine> {
    Arc::new(YdbEngine::new(YdbOptions::at(url)).unwrap())
}

impl Fixture {
    pub(crate) async fn set(mode: FaultMode) -> Self {
        let emulator = emulator(Options::default()).await;
        let engine = engine(&url(&emulator));
        // Twice: a step is safe to repeat.
        engine.run_schema(TABLES).await.unwrap();
        engine.run_schema(TABLES).await.unwrap();
        let engine = match mode {
            FaultMode::Plain => engine,
            FaultMode::RunTwice => RunTwice::over(engine),
            FaultMode::ConflictFirst => ConflictFirst::over(engine),
        };
        Self { store: Store::new(engine, Arc::new(TestRandom::default())), emulator }
    }

    /// A counter in a unit of work of its own.
    pub(crate) async fn put(&self, name: &str, n: i64) -> Result<(), Failure> {
        put(&self.store, name, n).await
    }

    /// The counter as it is for everybody.
    pub(crate) async fn get(&self, name: &str) -> Option<i64> {
        get(&self.store, name).await
    }
}

pub(crate) async fn put(store: &Store, name: &str, n: i64) -> Result<(), Failure> {
    store
        .transact("put", |mut uow| async move {
            run(&mut uow, &INSERT, &[name.into(), n.into()]).await?;
            uow.commit(()).await
        })
        .await
}

pub(crate) async fn get(store: &Store, name: &str) -> Option<i64> {
    let rows = run(&mut store.reading(), &READ, &[name.into()]).await.unwrap();
    rows.into_iter().next().map(|mut row| row.i64(0).unwrap())
}

/// Reads a counter inside a unit of work.
pub(crate) async fn read(uow: &mut UnitOfWork, name: &str) -> Result<Option<i64>, StoreError> {
    let rows = run(uow, &READ, &[name.into()]).await?;
    rows.into_iter().next().map(|mut row| row.i64(0)).transpose()
}
