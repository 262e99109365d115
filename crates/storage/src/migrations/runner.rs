//! Applies the list under a lease row, so that any number of processes may start at once: one works, the others wait.
//! A checksum of each applied step is kept; an edited step stops the run with its name.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;
use userd_model::{Clock, Timestamp};
use uuid::Uuid;

use super::{Migration, checksum};
use crate::{
    Failure, Store, StoreError, engine::Dialect, repositories::schema_migrations::AppliedMigration as Applied,
};

/// The lease row's name.
const LEASE: &str = "migrations";
/// How long a lease holds without being renewed; renewed a few times within. It is also what a start waits after a
/// migrator was killed.
const LEASE_TTL: Duration = Duration::from_secs(10);
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// How long to wait for another process, and how often to look.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Engines answer an error to the loser of two `CREATE TABLE IF NOT EXISTS` at once; the step is simply run again.
const STEP_TRIES: u32 = 10;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// An applied step's text or name is not the one in this binary.
    #[error(
        "migration {number:04}_{name} was changed after it had been applied; restore it and add a new step instead"
    )]
    Changed {
        /// The step's number.
        number: i64,
        /// The step's name in this binary.
        name: &'static str,
    },
    /// The list in this binary is not 1, 2, 3 …
    #[error("migration {0:04} is out of order in the list")]
    OutOfOrder(i64),
    /// A step failed; it can be run again after the cause is gone.
    #[error("migration {number:04}_{name}: {cause}")]
    Step {
        /// The step's number.
        number: i64,
        /// The step's name.
        name: &'static str,
        /// What the database said.
        cause: StoreError,
    },
    /// Another process has held the lease for too long.
    #[error("another process has been migrating for {} s", PATIENCE.as_secs())]
    Busy,
    /// The lease was lost to another process in the middle; the work done is safe, run again.
    #[error("the migration lease was lost to another process")]
    LeaseLost,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for MigrationError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => Self::Store(error),
            other => Self::Store(StoreError::corrupt(other.to_string())),
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// The names of the steps applied by this run, in order.
    pub applied: Vec<&'static str>,
    /// Steps in the database that this binary does not know: a newer release has been here.
    pub newer: usize,
}

/// One step and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// The step's number.
    pub number: i64,
    /// The step's name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Not applied yet.
    Pending,
    /// Applied then.
    Applied(Timestamp),
    /// Applied then, but its text is another one now: an error.
    Changed(Timestamp),
    /// Applied then by a newer release; this binary does not know it.
    Newer(Timestamp),
}

/// Applies what is pending. With nothing pending it only reads, so a role without rights to the schema may start.
pub(crate) async fn apply(
    store: &Store,
    list: &'static [Migration],
    clock: &dyn Clock,
    owner: Uuid,
) -> Result<MigrationReport, MigrationError> {
    in_order(list)?;
    let dialect = store.engine().dialect();
    let known = match applied(store).await {
        Ok(known) => known,
        // No table yet: the first two steps make the tables that the runner needs.
        Err(StoreError::NoSchema(_)) => {
            for step in list.iter().take(2) {
                run_step(store, step).await?;
            }
            applied(store).await?
        }
        Err(other) => return Err(other.into()),
    };
    verify(list, &known, dialect)?;
    let mut report = MigrationReport { newer: newer(list, &known), ..MigrationReport::default() };
    let done = list.iter().all(|step| known.contains_key(&step.number));
    if done && old_checksums(list, &known, dialect).is_empty() {
        return Ok(report);
    }
    hold_lease(store, clock, owner).await?;
    let worked = work(store, list, clock, owner, &mut report).await;
    let released = store
        .transact("migrations.release", |mut uow| async move {
            uow.leases().release(LEASE, owner).await?;
            uow.commit(()).await
        })
        .await;
    worked?;
    released?;
    Ok(report)
}

/// Where every step stands. Reads only; a database that has no table of applied steps yet has everything pending.
pub(crate) async fn status(store: &Store, list: &'static [Migration]) -> Result<Vec<MigrationState>, MigrationError> {
    let dialect = store.engine().dialect();
    let mut known = match applied(store).await {
        Err(StoreError::NoSchema(_)) => BTreeMap::new(),
        other => other?,
    };
    let mut states = Vec::with_capacity(list.len());
    for step in list {
        let state = match known.remove(&step.number) {
            None => StepState::Pending,
            Some(row) if matches(step, &row, dialect) => StepState::Applied(row.applied_at),
            Some(row) => StepState::Changed(row.applied_at),
        };
        states.push(MigrationState { number: step.number, name: step.name.to_owned(), state });
    }
    for (number, row) in known {
        states.push(MigrationState { number, name: row.name, state: StepState::Newer(row.applied_at) });
    }
    Ok(states)
}

async fn work(
    store: &Store,
    list: &'static [Migration],
    clock: &dyn Clock,
    owner: Uuid,
    report: &mut MigrationReport,
) -> Result<(), MigrationError> {
    // Read again under the lease: whoever held it before may have done everything.
    let known = applied(store).await?;
    verify(list, &known, store.engine().dialect())?;
    renew_checksums(store, list, &known).await?;
    for step in list.iter().filter(|step| !known.contains_key(&step.number)) {
        run_step_renewing(store, step, clock, owner).await?;
        record(store, step, clock, owner).await?;
        tracing::debug!(number = step.number, name = step.name, "migration applied");
        report.applied.push(step.name);
    }
    Ok(())
}

/// The steps, verified before, whose checksum is still of the kind from before.
fn old_checksums(
    list: &'static [Migration],
    known: &BTreeMap<i64, Applied>,
    dialect: Dialect,
) -> Vec<(i64, &'static str)> {
    let texts = list.iter().map(|step| (step.number, text(step, dialect)));
    let is_old =
        |(number, text): &(i64, &str)| known.get(number).is_some_and(|row| row.checksum == checksum::before(text));
    texts.filter(is_old).collect()
}

async fn renew_checksums(
    store: &Store,
    list: &'static [Migration],
    known: &BTreeMap<i64, Applied>,
) -> Result<(), Failure> {
    let old = &old_checksums(list, known, store.engine().dialect());
    if old.is_empty() {
        return Ok(());
    }
    store
        .transact("migrations.checksums", |mut uow| async move {
            for (number, text) in old {
                uow.schema_migrations().update_checksum(*number, &checksum::of(text)).await?;
            }
            uow.commit(()).await
        })
        .await
}

/// Runs a step while the lease is renewed beside it: an index over many rows takes longer than a lease holds.
async fn run_step_renewing(
    store: &Store,
    step: &'static Migration,
    clock: &dyn Clock,
    owner: Uuid,
) -> Result<(), MigrationError> {
    let mut running = std::pin::pin!(run_step(store, step));
    loop {
        tokio::select! {
            done = &mut running => return done,
            () = tokio::time::sleep(RENEW_EVERY) => {
                if !acquire(store, clock, owner).await? {
                    return Err(MigrationError::LeaseLost);
                }
            }
        }
    }
}

async fn run_step(store: &Store, step: &'static Migration) -> Result<(), MigrationError> {
    let mut tries = 0;
    loop {
        match store.engine().run_schema(text(step, store.engine().dialect())).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) if tries < STEP_TRIES => {
                tries += 1;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(cause) => return Err(MigrationError::Step { number: step.number, name: step.name, cause }),
        }
    }
}

/// Remembers the step, if the lease is still ours.
async fn record(store: &Store, step: &'static Migration, clock: &dyn Clock, owner: Uuid) -> Result<(), MigrationError> {
    let now = clock.now();
    let row = &[row(step, store.engine().dialect(), now)];
    let ours = store
        .transact("migrations.record", |mut uow| async move {
            if uow.leases().acquire(LEASE, owner, now, LEASE_TTL).await?.is_none() {
                return uow.commit(false).await;
            }
            if uow.schema_migrations().find(step.number).await?.is_none() {
                uow.schema_migrations().insert(row).await?;
            }
            uow.commit(true).await
        })
        .await?;
    if ours { Ok(()) } else { Err(MigrationError::LeaseLost) }
}

/// Remembers steps that were not run one by one: their tables have been made as they are today.
#[cfg(feature = "testing")]
pub(crate) async fn record_all(store: &Store, list: &[Migration], clock: &dyn Clock) -> Result<(), Failure> {
    let (dialect, now) = (store.engine().dialect(), clock.now());
    let rows: &Vec<Applied> = &list.iter().map(|step| row(step, dialect, now)).collect();
    store
        .transact("migrations.record", |mut uow| async move {
            uow.schema_migrations().insert(rows).await?;
            uow.commit(()).await
        })
        .await
}

fn row(step: &Migration, dialect: Dialect, now: Timestamp) -> Applied {
    let checksum = checksum::of(text(step, dialect));
    Applied { number: step.number, name: step.name.to_owned(), checksum, applied_at: now }
}

async fn hold_lease(store: &Store, clock: &dyn Clock, owner: Uuid) -> Result<(), MigrationError> {
    let patience = Instant::now() + PATIENCE;
    let mut told = false;
    while !acquire(store, clock, owner).await? {
        if !told {
            told = true;
            tracing::info!(
                longest = LEASE_TTL.as_secs(),
                "another process brings the schema up to date, or was killed while it did: waiting until it is done or \
                 has not been heard of for so many seconds"
            );
        }
        if Instant::now() >= patience {
            return Err(MigrationError::Busy);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn acquire(store: &Store, clock: &dyn Clock, owner: Uuid) -> Result<bool, MigrationError> {
    let now = clock.now();
    let epoch = store
        .transact("migrations.lease", |mut uow| async move {
            let epoch = uow.leases().acquire(LEASE, owner, now, LEASE_TTL).await?;
            uow.commit(epoch).await
        })
        .await?;
    Ok(epoch.is_some())
}

async fn applied(store: &Store) -> Result<BTreeMap<i64, Applied>, StoreError> {
    let rows = store.reading().schema_migrations().all().await?;
    Ok(rows.into_iter().map(|row| (row.number, row)).collect())
}

fn in_order(list: &[Migration]) -> Result<(), MigrationError> {
    let wrong = list.iter().zip(1..).find(|(step, number)| step.number != *number);
    wrong.map_or(Ok(()), |(step, _)| Err(MigrationError::OutOfOrder(step.number)))
}

fn verify(list: &[Migration], known: &BTreeMap<i64, Applied>, dialect: Dialect) -> Result<(), MigrationError> {
    let changed = list.iter().find(|step| known.get(&step.number).is_some_and(|row| !matches(step, row, dialect)));
    changed.map_or(Ok(()), |step| Err(MigrationError::Changed { number: step.number, name: step.name }))
}

fn newer(list: &[Migration], known: &BTreeMap<i64, Applied>) -> usize {
    let last = list.last().map_or(0, |step| step.number);
    known.keys().filter(|number| **number > last).count()
}

fn matches(step: &Migration, row: &Applied, dialect: Dialect) -> bool {
    let text = text(step, dialect);
    row.name == step.name && (row.checksum == checksum::of(text) || row.checksum == checksum::before(text))
}

fn text(step: &Migration, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => step.sqlite,
        Dialect::Postgres | Dialect::Ydb => step.postgres,
    }
}

#[cfg(test)]
mod tests;
