//! The embedded engine: SQLite in WAL mode with `synchronous=FULL` and group commit. Deliberately absent: users, and
//! any thread hop per statement.
//!
//! # Group commit
//!
//! There is one writing connection behind a fair mutex. A unit of work takes the mutex, becomes a savepoint of the
//! open SQLite transaction (the *batch*; the first one opens it with `BEGIN IMMEDIATE`), runs its statements inline
//! on the async worker (they take microseconds), releases its savepoint, gives the mutex to the next and waits. One
//! thread, the committer, queues for the same mutex behind whoever waits already, commits the whole batch with one
//! fsync and only then answers everybody in it. So nobody is told "done" before it is durable, and the price of the
//! fsync is shared. The design said "one writer thread that runs units of work"; a mutex that moves the connection to
//! the work instead of the work to a thread saves two hops per unit of work and keeps the same order.
//!
//! Consequences worth knowing:
//! - A unit of work sees what earlier members of its batch wrote before that is durable. If the batch fails, all of
//!   its members fail, so no answer depends on lost data, except a *refusal* (it wrote nothing).
//! - At most [`SqliteOptions::batch`] units of work are between begin and durable.
//! - A batch never lingers: it is committed as soon as the committer gets its turn, and an empty one is ended at
//!   once, so that other processes (the command line) can write too.
//!
//! # Reads
//!
//! Reads outside of units of work run inline on read-only connections: only what is durable is visible to them. An
//! in-memory database has no second connection; its reads take the writer's turn (and would wait for themselves
//! inside a unit of work, until the acquire deadline answers `Unavailable`).

mod backup;
mod classify;
mod committer;
mod connection;
mod folders;
mod identity;
mod query;
mod service_lock;
mod transaction;
mod writer;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex as StdMutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::{
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    time::timeout,
};

pub use backup::{BackupProgress, BackupReport, copy_file};
pub use folders::{make_folders, sync_name};
pub use service_lock::{ServiceLock, ServiceLockError};

use self::{backup::Look, identity::Identity, transaction::SqliteTransaction, writer::Writer};
use crate::{Access, Engine, Rows, Statement, StoreError, Transaction, Value, engine::Dialect};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqliteLocation {
    /// In memory, gone with the engine. For tests and trials.
    Memory,
    /// A file, readable by its owner only.
    File(PathBuf),
}

impl SqliteLocation {
    /// From `sqlite::memory:`, `sqlite:PATH` or `sqlite://PATH`; nothing for another scheme or an empty path.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("sqlite:")?;
        if rest == ":memory:" {
            return Some(Self::Memory);
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        (!path.is_empty()).then(|| Self::File(PathBuf::from(path)))
    }
}

/// How the engine works. `SqliteOptions::at` gives the values meant for service.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Where the database is.
    pub location: SqliteLocation,
    /// Whether a file that is not there is made, with its folders.
    pub create: bool,
    /// How long a unit of work waits for its turn, another process's write lock included, before `Unavailable`.
    pub acquire_timeout: Duration,
    /// How many units of work one fsync covers at most; 1 turns group commit off.
    pub batch: usize,
}

impl SqliteOptions {
    /// Five seconds to wait, 256 units of work per fsync.
    #[must_use]
    pub const fn at(location: SqliteLocation) -> Self {
        Self { location, create: true, acquire_timeout: Duration::from_secs(5), batch: 256 }
    }
}

/// A SQLite database, open.
pub struct SqliteEngine {
    /// Idle read-only connections. Never held across an await, so there are at most as many as worker threads. They go
    /// before the writer, also where nobody closes the engine: only a connection that writes removes the log.
    readers: StdMutex<Vec<Connection>>,
    location: SqliteLocation,
    identity: Arc<Identity>,
    acquire_timeout: Duration,
    writer: Arc<Mutex<Writer>>,
    /// One per unit of work from begin until it is durable or gone.
    places: Arc<Semaphore>,
    all_places: u32,
    /// Who waits for the writer now; the committer lets them join its batch.
    waiting: Arc<AtomicUsize>,
}

impl SqliteEngine {
    /// Opens the database; makes it when it is missing and may be made.
    ///
    /// # Errors
    /// `Unavailable` when the file is not there, cannot be made, opened or switched to WAL; `Corrupt` when it is no database.
    pub fn open(options: &SqliteOptions) -> Result<Self, StoreError> {
        let connection = connection::writer(&options.location, options.create).map_err(|error| match error {
            StoreError::Unusable(what) => StoreError::Corrupt(what),
            other => other,
        })?;
        let identity = Arc::new(Identity::of(&options.location));
        let (wake, woken) = mpsc::sync_channel(1);
        let writer = Arc::new(Mutex::new(Writer::new(connection, Arc::clone(&identity), wake)));
        let waiting = Arc::new(AtomicUsize::new(0));
        committer::start(woken, Arc::downgrade(&writer), Arc::clone(&waiting))?;
        let all_places = u32::try_from(options.batch.clamp(1, 4096)).unwrap_or(256);
        Ok(Self {
            location: options.location.clone(),
            identity,
            acquire_timeout: options.acquire_timeout,
            writer,
            places: Arc::new(Semaphore::new(all_places as usize)),
            all_places,
            waiting,
            readers: StdMutex::default(),
        })
    }

    /// The writer, in turn.
    async fn turn(&self) -> OwnedMutexGuard<Writer> {
        let _waiting = Waiting::new(&self.waiting);
        Arc::clone(&self.writer).lock_owned().await
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        timeout(self.acquire_timeout, work)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("sqlite: no turn to write in time".to_owned())))
    }

    /// A copy of the database as it is now, while work goes on: one snapshot, whatever is written meanwhile. `target`
    /// must not exist; it appears whole or not at all.
    ///
    /// # Errors
    /// `Unavailable` when `target` exists or cannot be written.
    pub async fn backup(
        &self,
        target: PathBuf,
        progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<BackupReport, StoreError> {
        let SqliteLocation::File(source) = self.location.clone() else {
            return Err(StoreError::Unavailable("sqlite: a database in memory has no backup".to_owned()));
        };
        tokio::task::spawn_blocking(move || backup::copy(&source, &target, progress))
            .await
            .map_err(|_| StoreError::Unavailable("sqlite: the backup broke off".to_owned()))?
    }

    /// Reads the whole file and compares every index with its table. It takes as long as reading the file does.
    ///
    /// # Errors
    /// `Corrupt`, with the first things that are wrong.
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        self.check(Look::Whole).await
    }

    /// Reads the whole file and looks whether its pages hang together; indexes are not compared.
    ///
    /// # Errors
    /// `Corrupt`, with the first things that are wrong; `Unusable` where it cannot be read that far.
    pub async fn check_pages(&self) -> Result<(), StoreError> {
        self.check(Look::Pages).await
    }

    async fn check(&self, look: Look) -> Result<(), StoreError> {
        let location = self.location.clone();
        tokio::task::spawn_blocking(move || backup::check(&location, look))
            .await
            .map_err(|_| StoreError::Unavailable("sqlite: the check broke off".to_owned()))?
    }

    fn read_inline(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        if self.places.is_closed() {
            return Err(closed());
        }
        let idle = self.idle_readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = connection::reader(&self.location)?;
                self.identity.check()?;
                reader
            }
        };
        let rows = query::run(&reader, statement, values).map_err(|error| match error {
            // A read has no transaction to run again.
            StoreError::Conflict => StoreError::Unavailable(format!("{}: sqlite is locked", statement.name)),
            other => other,
        });
        if !matches!(rows, Err(StoreError::Unavailable(_) | StoreError::Unusable(_))) {
            self.idle_readers().push(reader);
        }
        rows
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn begin(&self, _access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        self.within(async {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
            let mut writer = self.turn().await;
            writer.open_batch().await?;
            writer.open_savepoint()?;
            Ok(Box::new(SqliteTransaction::new(writer, place)) as Box<dyn Transaction>)
        })
        .await
    }

    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        match self.location {
            SqliteLocation::File(_) => self.read_inline(statement, values),
            SqliteLocation::Memory => {
                self.within(async { query::run(self.turn().await.connection()?, statement, values) }).await
            }
        }
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        let mut writer = self
            .within(async {
                let mut writer = self.turn().await;
                writer.finish_batch();
                writer.open_batch().await?;
                Ok(writer)
            })
            .await?;
        let sql = sql.to_owned();
        // An index over many rows takes seconds: not on an async worker.
        tokio::task::spawn_blocking(move || writer.run_schema(&sql))
            .await
            .map_err(|_| StoreError::Unavailable("sqlite: the schema step broke off".to_owned()))?
    }

    async fn health(&self) -> Result<(), StoreError> {
        // Taking the write lock and giving it back proves that the file is there and nobody sits on the lock.
        self.begin(Access { name: "health", attempt: 0 }).await.map(drop)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn close(&self) {
        // Everybody who got a place is answered or gone once all places are free.
        let _all = timeout(self.acquire_timeout, self.places.acquire_many(self.all_places)).await;
        self.places.close();
        let readers = std::mem::take(&mut *self.idle_readers());
        let Ok(mut writer) = timeout(self.acquire_timeout, Arc::clone(&self.writer).lock_owned()).await else {
            tracing::error!("sqlite: closed while a unit of work was still under way; it is rolled back");
            return;
        };
        // The last connection to close writes the log back into the file.
        let _closed = tokio::task::spawn_blocking(move || {
            writer.finish_batch();
            drop(readers);
            writer.close();
        })
        .await;
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("sqlite: closed".to_owned())
}

/// Counts one who waits, also when the wait is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
