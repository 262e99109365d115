//! Whether the database serves, asked as a request would ask it: a read of a row that is always there, and now and then a
//! write that lasts. Deliberately absent: what is done about it.

use std::time::Duration;

use tokio::sync::Mutex;
use userd_model::Timestamp;
use userd_storage::{Failure, StoreError};
use uuid::Uuid;

use crate::{Dependencies, change::Changes, start::INDEX};

/// The row that is written. It is no lease that anybody takes.
const PROBE: &str = "health";
/// A write costs the disk something, and whoever may ask for the probe may ask often: its outcome is true for so long.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Asks the database.
pub struct Health {
    deps: Dependencies,
    changes: Changes,
    owner: Uuid,
    last: Mutex<Last>,
}

/// What the last write came to, and whether the log says so.
#[derive(Default)]
struct Last {
    written: Option<(Timestamp, bool)>,
    is_told: bool,
}

/// What works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseHealth {
    /// Rows are found.
    pub reads: bool,
    /// What is written lasts.
    pub writes: bool,
}

impl Health {
    pub(crate) fn new(deps: Dependencies, changes: Changes) -> Self {
        let owner = uuid::Builder::from_random_bytes(deps.random.id_bytes()).into_uuid();
        Self { deps, changes, owner, last: Mutex::default() }
    }

    /// Reads, and writes unless that was done just now. The log hears of a change, once.
    pub async fn database(&self) -> DatabaseHealth {
        let read = self.read().await;
        let mut last = self.last.lock().await;
        let now = self.deps.now();
        let known = last.written.filter(|(at, _)| *at <= now && now < at.plus(WRITE_EVERY));
        let written = match (&read, known) {
            (Err(_), _) => Ok(false),
            (Ok(()), Some((_, writes))) => Ok(writes),
            (Ok(()), None) => self.write().await.map(|()| true),
        };
        if read.is_ok() && known.is_none() {
            last.written = Some((now, written.is_ok()));
        }
        let health = DatabaseHealth { reads: read.is_ok(), writes: matches!(written, Ok(true)) };
        let well = health.reads && health.writes;
        if let Err(fault) = read.and(written)
            && !last.is_told
        {
            // An outage passes; of anything else somebody has to be told.
            match &fault {
                Failure::Store(StoreError::Unavailable(_) | StoreError::Conflict | StoreError::OutcomeUnknown(_)) => {
                    tracing::warn!(%fault, "not ready: the database does not serve");
                }
                _ => tracing::error!(%fault, "not ready: the database cannot serve as it is"),
            }
        } else if well && last.is_told {
            tracing::info!("the database serves again");
        }
        last.is_told = !well;
        health
    }

    /// The same at once, and whatever was known: for somebody who looks on and wants to hear why.
    ///
    /// # Errors
    /// Rows cannot be read, or what is written does not last.
    pub async fn ask(&self) -> Result<(), Failure> {
        self.read().await?;
        self.write().await
    }

    async fn read(&self) -> Result<(), Failure> {
        // Also whether it is still the database of this installation.
        self.deps.store.health().await?;
        // What nearly every request reads.
        self.deps.store.reading().users().page(None, 1).await?;
        match self.deps.store.reading().system_secrets().find(INDEX).await? {
            Some(_) => Ok(()),
            None => {
                Err(Failure::Internal("the system secrets are gone: this is not the database of the start".to_owned()))
            }
        }
    }

    async fn write(&self) -> Result<(), Failure> {
        self.changes
            .run(&self.changes.system_context(), "health", |mut change| async move {
                change.leases().probe(PROBE, self.owner).await?;
                change.commit(()).await
            })
            .await
    }
}
