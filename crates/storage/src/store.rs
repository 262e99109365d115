//! The store: runs units of work, again when the database asks for it. Deliberately absent: which database it is.

use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use userd_model::{Clock, Random};

use crate::{
    Access, Engine, Failure, StoreError, UnitOfWork,
    engine::Pin,
    migrations::{self, MIGRATIONS, MigrationError, MigrationReport, MigrationState},
    repositories::system_secrets,
    unit_of_work::Phase,
};

/// After this long no further attempt is begun, and one that has not begun to commit is rolled back: on an engine
/// with one writer, a body that never ends would keep everybody out.
const DEADLINE: Duration = Duration::from_secs(5);
/// What remembers. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    random: Arc<dyn Random>,
    /// Which installation's database this is, once it has been read.
    pin: Arc<OnceLock<Arc<Pin>>>,
}

impl Store {
    /// A store over `engine`; `random` spreads the waits between attempts and names the owner of a migration.
    pub fn new(engine: Arc<dyn Engine>, random: Arc<dyn Random>) -> Self {
        Self { engine, random, pin: Arc::default() }
    }

    /// Runs `work` in a transaction, wholly or not at all, and again after a conflict. `work` may run several
    /// times: ids, secrets and timestamps are minted before and captured, and it has no effect but the database.
    ///
    /// # Errors
    /// What `work` answers (everything is rolled back), or the fault of the database: `Unavailable` when conflicts
    /// or `work` do not end within five seconds, `OutcomeUnknown` when the connection was lost while committing, `Corrupt` when `work` answered
    /// `Ok` without having committed.
    pub async fn transact<T, F, Fut>(&self, name: &'static str, work: F) -> Result<T, Failure>
    where
        F: Fn(UnitOfWork) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let begun = Instant::now();
        let span = tracing::debug_span!(target: "userd::spans", "unit_of_work", name);
        let ended = self.until_it_ends(name, begun + DEADLINE, &work).instrument(span).await;
        let outcome = match &ended {
            Ok(_) => "committed",
            Err(Failure::Refused(_)) => "refused",
            Err(_) => "failed",
        };
        // Known from the first unit of this name on, so that the first conflict is an increase.
        metrics::counter!("userd_unit_of_work_retries_total", "name" => name).increment(0);
        metrics::histogram!("userd_unit_of_work_seconds", "name" => name, "outcome" => outcome)
            .record(begun.elapsed().as_secs_f64());
        ended
    }

    async fn until_it_ends<T, F, Fut>(&self, name: &'static str, deadline: Instant, work: &F) -> Result<T, Failure>
    where
        F: Fn(UnitOfWork) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let mut attempt = 0;
        loop {
            match self.attempt(Access { name, attempt }, deadline, work).await {
                Err(Failure::Store(StoreError::Conflict)) => {}
                ended => return ended,
            }
            metrics::counter!("userd_unit_of_work_retries_total", "name" => name).increment(1);
            attempt += 1;
            let wait = self.wait(attempt);
            if attempt >= self.engine.reruns().attempts || Instant::now() + wait >= deadline {
                tracing::warn!(name, attempt, "a unit of work conflicts without end");
                return Err(StoreError::Unavailable(format!("{name} conflicts without end")).into());
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt<T, F, Fut>(&self, access: Access, deadline: Instant, work: &F) -> Result<T, Failure>
    where
        F: Fn(UnitOfWork) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let phase = Arc::new(Phase::default());
        let transaction = self.engine.begin(access).await?;
        let mut body = pin!(work(UnitOfWork::new(transaction, Arc::clone(&phase))));
        let value = match timeout_at(deadline, &mut body).await {
            Ok(ended) => ended?,
            // Its outcome is worth waiting for; the engine bounds the wait.
            Err(_) if phase.has_begun_to_commit() => body.await?,
            Err(_) => return Err(StoreError::Unavailable(format!("{} takes too long", access.name)).into()),
        };
        if phase.is_committed() {
            Ok(value)
        } else {
            Err(StoreError::corrupt(format!("{} answered without having committed", access.name)).into())
        }
    }

    /// Full jitter: anything between nothing and the bound, so that two losers do not meet again.
    fn wait(&self, attempt: u32) -> Duration {
        let reruns = self.engine.reruns();
        let bound = reruns.first_wait.saturating_mul(1 << attempt.min(16)).min(reruns.longest_wait);
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        bound.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }

    /// Repositories for reads that decide nothing: outside any transaction, writes are refused.
    #[must_use]
    pub fn reading(&self) -> UnitOfWork {
        UnitOfWork::reading(Arc::clone(&self.engine))
    }

    /// Brings the schema up to date. Safe in several processes at once: one works under a lease, the others wait.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn migrate(&self, clock: &dyn Clock) -> Result<MigrationReport, MigrationError> {
        let owner = uuid::Builder::from_random_bytes(self.random.id_bytes()).into_uuid();
        let report = migrations::apply(self, MIGRATIONS, clock, owner).await?;
        self.engine.verify().await?;
        Ok(report)
    }

    /// Which migrations are applied, pending or changed. Reads only.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, MigrationError> {
        migrations::status(self, MIGRATIONS).await
    }

    /// Reads which installation this database belongs to, and keeps to it: a connection that leads to another one is not
    /// used. What a proxy, a name or a file stands for may change while the process runs.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn pin_installation(&self) -> Result<(), StoreError> {
        let (statement, values) = system_secrets::installation();
        let rows = self.engine.read(statement, &values).await?;
        let pin = self.pin.get_or_init(|| Arc::new(Pin { statement, values, rows }));
        self.engine.pin(Arc::clone(pin));
        Ok(())
    }

    /// Answers when the database can be read and written now, and is the one that was pinned.
    ///
    /// # Errors
    /// `Unavailable`, mostly; `Unusable` when it is another one.
    pub async fn health(&self) -> Result<(), StoreError> {
        self.engine.health().await?;
        let Some(pin) = self.pin.get() else { return Ok(()) };
        pin.check(&self.engine.read(pin.statement, &pin.values).await?)
    }

    /// The engine under it.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }
}
