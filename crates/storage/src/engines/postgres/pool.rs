//! Connections for units of work: `deadpool` keeps a bounded number, the most recently used first; the manager here says
//! which of them are fit to be used again, without asking the server. Deliberately absent: reads outside of units of
//! work, which share connections of their own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    PostgresOptions,
    classify::{self, Meaning},
    connect::{Connection, Connector},
};
use crate::{Rows, Statement, StoreError, Value};

/// Makes connections and judges the idle ones.
struct Manager {
    connector: Arc<Connector>,
    idle_life: Duration,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection, StoreError> {
        self.connector.connect().await
    }

    /// No round trip: what broke or stands in the middle of something never comes back (see [`Lease`]), and one that
    /// died while idle is found out by its first use, which may start over. Once somebody has waited in vain, only what
    /// has answered since is used.
    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<StoreError> {
        if !self.connector.trusts(connection) || metrics.last_used() > self.idle_life {
            return Err(RecycleError::message("closed or idle for too long"));
        }
        Ok(())
    }
}

pub(super) struct Pool {
    pub(super) connector: Arc<Connector>,
    connections: managed::Pool<Manager>,
    /// Every lease holds a receiver: closing waits until none is left.
    leases: watch::Sender<()>,
    acquire_timeout: Duration,
    pub(super) statement_timeout: Duration,
    idle_life: Duration,
    next_cleaning: Mutex<Instant>,
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, options: &PostgresOptions) -> Result<Arc<Self>, StoreError> {
        let manager = Manager { connector: Arc::clone(&connector), idle_life: options.idle_life };
        let connections = managed::Pool::builder(manager)
            .max_size(options.max_connections.clamp(1, 10_000))
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| StoreError::Unavailable(format!("postgres: {error}")))?;
        Ok(Arc::new(Self {
            connector,
            connections,
            leases: watch::Sender::new(()),
            acquire_timeout: options.acquire_timeout,
            statement_timeout: options.statement_timeout,
            idle_life: options.idle_life,
            next_cleaning: Mutex::new(Instant::now()),
        }))
    }

    /// A connection, used before or new.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Lease, StoreError> {
        self.close_idle();
        let connection = match timeout(self.acquire_timeout, self.connections.get()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(PoolError::Backend(error))) => return Err(error),
            Ok(Err(PoolError::Closed)) => return Err(closed()),
            Ok(Err(_)) | Err(_) => {
                return Err(StoreError::Unavailable("postgres: no free connection in time".to_owned()));
            }
        };
        Ok(Lease {
            used: Object::metrics(&connection).recycle_count > 0,
            connection: Some(connection),
            fit: true,
            pool: Arc::clone(self),
            _open: self.leases.subscribe(),
        })
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
        let _closed_by_dropping = self.connections.retain(|_, _| false);
    }

    /// Refuses new work at once and waits for what is under way, but not for ever.
    pub(super) async fn close(&self) {
        self.connections.close();
        if timeout(self.acquire_timeout, self.leases.closed()).await.is_err() {
            tracing::warn!("postgres: closed while a unit of work was still under way");
        }
    }

    /// The most recently used connection is taken first, so the others are never looked at by taking one: now and then
    /// those that were idle for too long are closed.
    fn close_idle(&self) {
        let mut next = self.next_cleaning.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now >= *next {
            *next = now + self.idle_life / 8;
            let _closed_by_dropping = self.connections.retain(|_, metrics| metrics.last_used() <= self.idle_life);
        }
    }
}

/// A connection out of the pool. It goes back only while it is fit; dropped unfit, it is ended at once.
pub(super) struct Lease {
    connection: Option<Object<Manager>>,
    fit: bool,
    /// Whether it has served before: then its first failure may only mean that it died while idle.
    pub(super) used: bool,
    pool: Arc<Pool>,
    _open: watch::Receiver<()>,
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
        let connection: &mut Connection = self.connection.as_mut().ok_or_else(closed)?;
        let waiting = self.pool.connector.waiting(deadline);
        if let Ok(answer) = timeout(deadline, work(&mut *connection)).await {
            waiting.answered(connection);
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
            Some(connection) if !self.fit => Object::take(connection).abort(),
            // Dropping gives it back.
            _ => {}
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("postgres: closed".to_owned())
}
