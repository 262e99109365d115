//! One unit of work on PostgreSQL.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_postgres::Error;

use super::{
    classify::{self, Meaning},
    connect::{Connection, query},
    pool::{Lease, Pool},
};
use crate::{Rows, Statement, StoreError, Transaction, Value};

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// How long a rolled back transaction's connection may take to be fit again.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been sent.
    Fresh,
    /// BEGIN and at least one statement have succeeded.
    Open,
    /// A statement failed or was not waited for. PostgreSQL would answer COMMIT with a silent rollback.
    Unsound,
}

pub(super) struct PostgresTransaction {
    pool: Arc<Pool>,
    lease: Option<Lease>,
    state: State,
}

/// What came of BEGIN and the first statement.
struct First {
    begun: Result<(), Error>,
    rows: Result<Result<Rows, StoreError>, Error>,
}

impl PostgresTransaction {
    pub(super) fn new(pool: Arc<Pool>, lease: Lease) -> Self {
        Self { pool, lease: Some(lease), state: State::Fresh }
    }

    async fn first(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        loop {
            let (pipelining, deadline) = (self.pool.connector.pipelining, self.pool.statement_timeout);
            let lease = self.lease.as_mut().ok_or_else(gone)?;
            let answer = lease
                .within_mut(deadline, async |connection| begin_with(connection, statement, values, pipelining).await)
                .await?;
            let error = match answer {
                Ok(First { begun: Ok(()), rows: Ok(rows) }) => {
                    lease.settle(None);
                    return rows;
                }
                Ok(First { begun: Err(_), rows: Ok(_) }) if !statement.is_read() => {
                    // BEGIN refused, the write behind it taken: it has committed by itself.
                    return Err(StoreError::OutcomeUnknown(format!("{}: postgres refused BEGIN", statement.name)));
                }
                Ok(First { begun: Err(error), .. } | First { rows: Err(error), .. }) | Err(error) => error,
            };
            lease.settle(Some(&error));
            if !(lease.used && classify::meaning(&error) != Meaning::Said) {
                return Err(classify::statement(&error, statement));
            }
            // The connection died while idle: nothing was committed, so a new one may start over.
            self.pool.forget_idle();
            self.lease = None;
            self.lease = Some(self.pool.acquire().await?);
        }
    }

    async fn next(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let deadline = self.pool.statement_timeout;
        let lease = self.lease.as_mut().ok_or_else(gone)?;
        let answer = lease.within_mut(deadline, async |connection| connection.query(statement, values).await).await?;
        lease.settle(answer.as_ref().err());
        answer.map_err(|error| classify::statement(&error, statement))?
    }
}

#[async_trait]
impl Transaction for PostgresTransaction {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        // Unsound until it has succeeded: also when nobody waits for the answer any more.
        let rows = match std::mem::replace(&mut self.state, State::Unsound) {
            State::Fresh => self.first(statement, values).await?,
            State::Open => self.next(statement, values).await?,
            State::Unsound => return Err(unsound()),
        };
        self.state = State::Open;
        Ok(rows)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.state, State::Unsound) {
            State::Open => {}
            State::Unsound => return Err(unsound()),
            State::Fresh => {
                self.state = State::Fresh;
                return Ok(());
            }
        }
        let deadline = self.pool.statement_timeout;
        let lease = self.lease.as_mut().ok_or_else(gone)?;
        let answer = lease
            .within(deadline, async |connection| connection.client.batch_execute("COMMIT").await)
            .await
            .map_err(|_| StoreError::OutcomeUnknown("postgres: no answer to COMMIT in time".to_owned()))?;
        lease.settle(answer.as_ref().err());
        answer.map_err(|error| classify::commit(&error))?;
        self.state = State::Fresh;
        Ok(())
    }
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take().filter(|lease| self.state != State::Fresh && lease.is_fit()) else {
            return;
        };
        // Outside of a runtime the connection is ended, which rolls back too.
        lease.doubt();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let rollback = async |connection: &Connection| connection.client.batch_execute("ROLLBACK").await;
                if let Ok(answer) = lease.within(ROLLBACK_TIMEOUT, rollback).await {
                    lease.settle(answer.as_ref().err());
                }
            });
        }
    }
}

/// Sends BEGIN and the first statement together; the server runs them in order.
async fn begin_with(
    connection: &mut Connection,
    statement: &'static Statement,
    values: &[Value],
    pipelining: bool,
) -> Result<First, Error> {
    let prepared = connection.prepare(statement).await?;
    let client = &connection.client;
    if !pipelining {
        client.batch_execute(BEGIN).await?;
        let rows = query(client, statement, prepared.as_ref(), values).await;
        return Ok(First { begun: Ok(()), rows });
    }
    // Biased: BEGIN is polled, and so sent, first.
    let (begun, rows) =
        tokio::join!(biased; client.batch_execute(BEGIN), query(client, statement, prepared.as_ref(), values));
    Ok(First { begun, rows })
}

fn unsound() -> StoreError {
    StoreError::corrupt("postgres: the transaction went on after a failed statement")
}

fn gone() -> StoreError {
    StoreError::Unavailable("postgres: the connection is gone".to_owned())
}
