//! Connections for units of work: a bounded number, the most recently used first, so that the others grow idle and are
//! closed. Own code because it keeps prepared statements by the address of their constant and decides itself which
//! connection is fit to be used again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{
    PostgresOptions,
    classify::{self, Meaning},
    connect::{Connection, Connector},
};
use crate::{Rows, Statement, StoreError, Value};

pub(super) struct Pool {
    pub(super) connector: Arc<Connector>,
    /// Front: unused for longest.
    idle: Mutex<VecDeque<(Connection, Instant)>>,
    slots: Arc<Semaphore>,
    all_slots: u32,
    acquire_timeout: Duration,
    pub(super) statement_timeout: Duration,
    idle_life: Duration,
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, options: &PostgresOptions) -> Arc<Self> {
        let all_slots = u32::try_from(options.max_connections.clamp(1, 10_000)).unwrap_or(16);
        Arc::new(Self {
            connector,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(all_slots as usize)),
            all_slots,
            acquire_timeout: options.acquire_timeout,
            statement_timeout: options.statement_timeout,
            idle_life: options.idle_life,
        })
    }

    /// A connection, used before or new.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let acquiring = async {
            let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| closed())?;
            match self.usable() {
                Some(connection) => Ok((connection, slot, true)),
                None => Ok((self.connector.connect().await?, slot, false)),
            }
        };
        let (connection, slot, used) = timeout(self.acquire_timeout, acquiring)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("postgres: no free connection in time".to_owned())))?;
        Ok(Lease { connection: Some(connection), fit: true, used, pool: Arc::clone(self), _slot: slot })
    }

    /// One reading statement by itself.
    pub(super) async fn read(
        self: &Arc<Self>,
        statement: &'static Statement,
        values: &[Value],
        deadline: Duration,
    ) -> Result<Rows, StoreError> {
        loop {
            let mut lease = self.acquire().await?;
            let answer =
                lease.within_mut(deadline, async |connection| connection.query(statement, values).await).await?;
            lease.settle(answer.as_ref().err());
            match answer {
                Ok(rows) => return rows,
                // Died while nobody looked, and its neighbours most likely with it.
                Err(error) if lease.used && classify::meaning(&error) != Meaning::Said => self.forget_idle(),
                Err(error) => return Err(classify::statement(&error, statement)),
            }
        }
    }

    /// The connections that are idle now are not trusted any more.
    pub(super) fn forget_idle(&self) {
        let forgotten = std::mem::take(&mut *self.idle());
        drop(forgotten);
    }

    pub(super) async fn close(&self) {
        let _all = timeout(self.acquire_timeout, self.slots.acquire_many(self.all_slots)).await;
        self.slots.close();
        self.forget_idle();
    }

    fn usable(&self) -> Option<Connection> {
        let mut idle = self.idle();
        self.close_old(&mut idle);
        while let Some((connection, _)) = idle.pop_back() {
            if !connection.client.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn give_back(&self, connection: Connection) {
        if self.slots.is_closed() || connection.client.is_closed() {
            return;
        }
        let mut idle = self.idle();
        self.close_old(&mut idle);
        idle.push_back((connection, Instant::now()));
    }

    fn close_old(&self, idle: &mut VecDeque<(Connection, Instant)>) {
        while idle.front().is_some_and(|(_, since)| since.elapsed() > self.idle_life) {
            idle.pop_front();
        }
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection out of the pool. It goes back only while it is fit; dropped unfit, it is ended at once.
pub(super) struct Lease {
    connection: Option<Connection>,
    fit: bool,
    /// Whether it has served before: then its first failure may only mean that it died while idle.
    pub(super) used: bool,
    pool: Arc<Pool>,
    _slot: OwnedSemaphorePermit,
}

impl Lease {
    /// Runs `work` on the connection, in time. Until it has ended the connection is not fit: a caller that goes away
    /// in the middle leaves an answer under way. Too late: the server is asked to stop.
    pub(super) async fn within_mut<T>(
        &mut self,
        deadline: Duration,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Result<T, tokio_postgres::Error>, StoreError> {
        self.fit = false;
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        if let Ok(answer) = timeout(deadline, work(&mut *connection)).await {
            return Ok(answer);
        }
        self.pool.connector.cancel(connection.client.cancel_token());
        Err(StoreError::Unavailable("postgres: no answer in time".to_owned()))
    }

    /// The same for work that needs no prepared statements.
    pub(super) async fn within<T>(
        &mut self,
        deadline: Duration,
        work: impl AsyncFnOnce(&Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Result<T, tokio_postgres::Error>, StoreError> {
        self.within_mut(deadline, async |connection| work(connection).await).await
    }

    /// Fit again when the answer does not speak against it.
    pub(super) fn settle(&mut self, error: Option<&tokio_postgres::Error>) {
        self.fit = error.is_none_or(|error| classify::meaning(error) == Meaning::Said);
    }

    /// Not fit until something says otherwise.
    pub(super) fn doubt(&mut self) {
        self.fit = false;
    }

    pub(super) fn is_fit(&self) -> bool {
        self.fit
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.connection.take() {
            Some(connection) if self.fit => self.pool.give_back(connection),
            Some(connection) => connection.abort(),
            None => {}
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("postgres: closed".to_owned())
}
