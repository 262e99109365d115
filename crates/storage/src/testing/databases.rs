//! Databases for tests: in memory, in a file of a folder that is removed, or new on a PostgreSQL server.
//!
//! `USERD_TEST_POSTGRES` is the URL of a server where databases may be created. Without it PostgreSQL cases are left
//! out, unless `USERD_TEST_REQUIRE_ALL` is `1`: then its absence is a failure.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_postgres::NoTls;
use userd_model::Random;

use super::{ManualClock, TestRandom};
use crate::{
    Engine, Store, StoreError,
    engine::Dialect,
    engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions},
    migrations::{MIGRATIONS, record_all},
    tables::schema::schema,
};

/// The databases that every case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in memory.
    Memory,
    /// SQLite in a file.
    File,
    /// PostgreSQL, when a server is given.
    Postgres,
}

/// A new, empty database; gone when dropped.
pub struct TestDatabase {
    place: Place,
}

enum Place {
    Memory,
    File(TestFolder),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A new database, or `None` where the backend is not at hand and need not be.
    ///
    /// # Errors
    /// When the database cannot be made, or is not at hand and must be.
    pub async fn create(backend: Backend) -> Result<Option<Self>, StoreError> {
        let place = match backend {
            Backend::Memory => Place::Memory,
            Backend::File => Place::File(test_folder()?),
            Backend::Postgres => {
                let Some(server) = postgres_url()? else { return Ok(None) };
                let name = format!("test_{}", random_name());
                command(&server, &format!("CREATE DATABASE {name}")).await?;
                Place::Postgres { server, name }
            }
        };
        Ok(Some(Self { place }))
    }

    /// A PostgreSQL database whose encoding is not UTF-8.
    ///
    /// # Errors
    /// As for [`Self::create`].
    pub async fn create_latin1() -> Result<Option<Self>, StoreError> {
        let Some(server) = postgres_url()? else { return Ok(None) };
        let name = format!("test_{}", random_name());
        let options = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
        command(&server, &format!("CREATE DATABASE {name} {options}")).await?;
        Ok(Some(Self { place: Place::Postgres { server, name } }))
    }

    /// Opens an engine on it. A second one is a second process, as far as the database can tell; in memory it is
    /// another database.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn engine(&self) -> Result<Arc<dyn Engine>, StoreError> {
        Ok(match &self.place {
            Place::Memory => {
                // Long enough for any queue, short enough for a test that waits for itself.
                let acquire_timeout = Duration::from_secs(2);
                let options = SqliteOptions { acquire_timeout, ..SqliteOptions::at(SqliteLocation::Memory) };
                Arc::new(SqliteEngine::open(&options)?)
            }
            Place::File(folder) => {
                let location = SqliteLocation::File(folder.path().join("userd.db"));
                Arc::new(SqliteEngine::open(&SqliteOptions::at(location))?)
            }
            Place::Postgres { .. } => {
                Arc::new(PostgresEngine::new(&PostgresOptions::at(self.url().unwrap_or_default()))?)
            }
        })
    }

    /// Its URL; nothing in memory.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match &self.place {
            Place::Memory => None,
            Place::File(folder) => Some(format!("sqlite:{}", folder.path().join("userd.db").display())),
            Place::Postgres { server, name } => Some(with_database(server, name)),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Postgres { server, name } = &self.place else { return };
        let (server, drop_it) = (server.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // A thread of its own: this may be dropped inside a runtime, outside of one, or while panicking.
        let dropping = std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                let _left_behind = runtime.block_on(command(&server, &drop_it));
            }
        });
        let _left_behind = dropping.join();
    }
}

/// An empty store with the whole schema, in memory.
///
/// # Errors
/// When the schema cannot be made.
pub async fn memory_store() -> Result<Store, StoreError> {
    let engine = SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory))?;
    schema_on(Arc::new(engine)).await
}

/// A store over `engine`, an empty database, with the whole schema made: as it is today, in one go. That the steps of a
/// real start lead there is shown by `tests/repositories/rendered.rs`; they take most of the time of a short test.
///
/// # Errors
/// When the schema cannot be made.
pub async fn schema_on(engine: Arc<dyn Engine>) -> Result<Store, StoreError> {
    let dialect = engine.dialect();
    if dialect == Dialect::Ydb {
        return stepped_on(engine).await;
    }
    let store = Store::new(engine, Arc::new(TestRandom::default()));
    store.engine().run_schema(&schema(dialect)).await?;
    let recorded = record_all(&store, MIGRATIONS, &ManualClock::default()).await;
    recorded.map_err(|error| StoreError::corrupt(error.to_string()))?;
    Ok(store)
}

/// A store over `engine` whose schema was made step by step, as at a start.
///
/// # Errors
/// When the schema cannot be made.
pub async fn stepped_on(engine: Arc<dyn Engine>) -> Result<Store, StoreError> {
    let store = Store::new(engine, Arc::new(TestRandom::default()));
    store.migrate(&ManualClock::default()).await.map_err(|error| StoreError::corrupt(error.to_string()))?;
    Ok(store)
}

/// The server for PostgreSQL cases.
///
/// # Errors
/// `Unavailable` when there is none and there must be one.
#[expect(clippy::disallowed_methods, reason = "only tests come here; which server they may use is no configuration")]
pub fn postgres_url() -> Result<Option<String>, StoreError> {
    let url = std::env::var("USERD_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let required = std::env::var("USERD_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    if url.is_none() && required {
        return Err(StoreError::Unavailable("USERD_TEST_POSTGRES is not set and every case must run".to_owned()));
    }
    Ok(url)
}

/// A folder that is removed with everything in it when dropped.
pub struct TestFolder(PathBuf);

impl TestFolder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

/// A new folder.
///
/// # Errors
/// `Unavailable` when it cannot be made.
pub fn test_folder() -> Result<TestFolder, StoreError> {
    let path = std::env::temp_dir().join(format!("userd-test-{}", random_name()));
    std::fs::create_dir_all(&path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(TestFolder(path))
}

fn random_name() -> String {
    let bytes = TestRandom::default().id_bytes();
    u128::from_le_bytes(bytes).to_string()
}

/// The server's URL with another database in the path.
fn with_database(server: &str, name: &str) -> String {
    let (place, parameters) = server.split_once('?').map_or((server, None), |(place, rest)| (place, Some(rest)));
    let start = place.find("://").map_or(0, |at| at + 3);
    let base =
        place.get(start..).and_then(|rest| rest.find('/')).map_or(place, |at| place.get(..start + at).unwrap_or(place));
    match parameters {
        Some(parameters) => format!("{base}/{name}?{parameters}"),
        None => format!("{base}/{name}"),
    }
}

async fn command(server: &str, sql: &str) -> Result<(), StoreError> {
    let fault = |error: tokio_postgres::Error| StoreError::Unavailable(format!("test server: {error}"));
    let (client, driver) = tokio_postgres::connect(server, NoTls).await.map_err(fault)?;
    let driver = tokio::spawn(driver);
    let done = client.batch_execute(sql).await.map_err(fault);
    drop(client);
    let _ended = driver.await;
    done
}
