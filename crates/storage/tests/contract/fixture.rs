//! Where a case runs: a new database with tables of its own, an engine in the fault mode asked for, a store.

use std::sync::Arc;

use userd_storage::{
    Engine, Failure, Statement, Store, StoreError,
    engine::Dialect,
    engines::{PostgresEngine, PostgresOptions},
    statements,
    testing::{Backend, ConflictFirst, RunTwice, TestDatabase, TestRandom, run},
};

/// How the engine behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultMode {
    Plain,
    RunTwice,
    ConflictFirst,
    /// PostgreSQL as it is used behind a pooler in transaction mode: nothing prepared, nothing pipelined.
    Pooled,
}

pub(crate) struct Fixture {
    pub(crate) store: Store,
    /// Kept to the end: dropping it removes the database.
    _database: TestDatabase,
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

impl Fixture {
    /// Nothing when the backend is not at hand and need not be.
    pub(crate) async fn set(backend: Backend, mode: FaultMode) -> Option<Self> {
        let database = TestDatabase::create(backend).await.unwrap()?;
        let engine = database.engine().unwrap();
        tables(&*engine).await;
        let engine = match mode {
            FaultMode::Plain => engine,
            FaultMode::RunTwice => RunTwice::over(engine),
            FaultMode::ConflictFirst => ConflictFirst::over(engine),
            FaultMode::Pooled => {
                let options = PostgresOptions::at(database.url().unwrap());
                let options = PostgresOptions { statement_cache: false, pipelining: false, ..options };
                Arc::new(PostgresEngine::new(&options).unwrap())
            }
        };
        Some(Self { store: store(engine), _database: database })
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

pub(crate) fn store(engine: Arc<dyn Engine>) -> Store {
    Store::new(engine, Arc::new(TestRandom::default()))
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
pub(crate) async fn read(uow: &mut userd_storage::UnitOfWork, name: &str) -> Result<Option<i64>, StoreError> {
    let rows = run(uow, &READ, &[name.into()]).await?;
    rows.into_iter().next().map(|mut row| row.i64(0)).transpose()
}

pub(crate) async fn tables(engine: &dyn Engine) {
    let steps: [&str; 2] = match engine.dialect() {
        Dialect::Sqlite => [
            "CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS things (id BLOB NOT NULL PRIMARY KEY, text TEXT, bytes BLOB, number INTEGER,
             truth INTEGER, moment INTEGER, document TEXT) STRICT, WITHOUT ROWID",
        ],
        Dialect::Postgres | Dialect::Ydb => [
            "CREATE TABLE IF NOT EXISTS counters (name TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, n BIGINT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS things (id UUID NOT NULL PRIMARY KEY, text TEXT COLLATE \"C\", bytes BYTEA,
             number BIGINT, truth BOOLEAN, moment TIMESTAMPTZ, document JSONB)",
        ],
    };
    for step in steps {
        // Twice: a step is safe to repeat.
        engine.run_schema(step).await.unwrap();
        engine.run_schema(step).await.unwrap();
    }
}
