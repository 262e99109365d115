//! The engine for PostgreSQL and what speaks its protocol. Deliberately absent: users, session settings, advisory
//! locks, LISTEN/NOTIFY: so it also runs behind PgBouncer in transaction mode (`statement_cache: off`).
//!
//! Units of work run at SERIALIZABLE on pooled connections; BEGIN travels with the first statement. Reads outside of
//! them share a few connections and are pipelined on them: single statements only, never a transaction.
//! Every wait has an end: for a connection, for a statement, for the commit.

mod batch;
mod classify;
mod connect;
mod options;
mod pool;
mod read_connections;
mod tls;
mod transaction;
mod values;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_postgres::SimpleQueryMessage;

pub use options::PostgresOptions;

use self::{connect::Connector, pool::Pool, read_connections::ReadConnections, transaction::PostgresTransaction};
use crate::{Access, Engine, Pin, Rows, Statement, StoreError, Transaction, Value, engine::Dialect};

/// A schema step may build an index over many rows.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(3600);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// A PostgreSQL database.
pub struct PostgresEngine {
    pool: Arc<Pool>,
    readers: Option<ReadConnections>,
    statement_timeout: Duration,
}

impl PostgresEngine {
    /// Reads the options and the certificate files; connects when first needed.
    ///
    /// # Errors
    /// `Unavailable` with the reason when the URL or a certificate file is not understood. The URL is never told.
    pub fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        let connector = Arc::new(Connector::new(options)?);
        let readers = (options.pipelining && options.statement_cache && options.read_connections > 0)
            .then(|| ReadConnections::new(Arc::clone(&connector), options.read_connections, options.statement_timeout));
        Ok(Self { pool: Pool::new(connector, options)?, readers, statement_timeout: options.statement_timeout })
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn begin(&self, _access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        let lease = self.pool.acquire().await?;
        Ok(Box::new(PostgresTransaction::new(Arc::clone(&self.pool), lease)))
    }

    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        match &self.readers {
            Some(readers) => readers.read(statement, values).await,
            None => self.pool.read(statement, values, self.statement_timeout).await,
        }
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        let mut lease = self.pool.acquire().await?;
        let done = lease.within(SCHEMA_TIMEOUT, async |connection| connection.client.batch_execute(sql).await).await?;
        lease.settle(done.as_ref().err());
        done.map_err(|error| classify::schema(&error))
    }

    fn pin(&self, pin: Arc<Pin>) {
        self.pool.connector.pin(pin);
    }

    async fn health(&self) -> Result<(), StoreError> {
        let mut lease = self.pool.acquire().await?;
        let ask = "SHOW transaction_read_only";
        let answer = lease.within(HEALTH_TIMEOUT, async |connection| connection.client.simple_query(ask).await).await?;
        lease.settle(answer.as_ref().err());
        let messages = answer.map_err(|error| classify::connection(&error))?;
        let read_only =
            messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")));
        if read_only { Err(StoreError::Unavailable("postgres: the server is read-only".to_owned())) } else { Ok(()) }
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn close(&self) {
        self.pool.close().await;
        if let Some(readers) = &self.readers {
            readers.close();
        }
    }
}
