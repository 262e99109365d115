//! One unit of work on PostgreSQL.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_postgres::Error;

use super::{
    batch::{Answer, Batch, one_by_one},
    classify::{self, Meaning},
    connect::Connection,
    pool::{Lease, Pool},
};
use crate::{Rows, Statement, StoreError, Transaction, Value, engine::Call};

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const COMMIT: &str = "COMMIT";
/// How long a rolled back transaction's connection may take to be fit again.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been sent, or everything is over.
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

/// What came of BEGIN and the first statements.
struct Begun {
    begun: Result<(), Error>,
    answers: Vec<Answer>,
}

/// What came of the last statements and of the COMMIT behind them; `None` when COMMIT was not sent.
struct Ended {
    answers: Vec<Answer>,
    committed: Option<Result<(), Error>>,
}

impl PostgresTransaction {
    pub(super) fn new(pool: Arc<Pool>, lease: Lease) -> Self {
        Self { pool, lease: Some(lease), state: State::Fresh }
    }

    async fn first(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        loop {
            let (pipelining, deadline) = (self.pool.connector.pipelining, self.pool.statement_timeout);
            let lease = self.lease.as_mut().ok_or_else(gone)?;
            let answer =
                lease.within_mut(deadline, async |connection| begin_with(connection, calls, pipelining).await).await?;
            let (statement, error) = match answer {
                Ok(Begun { begun: Ok(()), answers }) => match succeeded(calls, answers) {
                    Ok(rows) => {
                        lease.settle(None);
                        return rows;
                    }
                    Err(failed) => failed,
                },
                Ok(Begun { begun: Err(_), answers }) if wrote(calls, &answers) => {
                    // BEGIN refused, a write behind it taken: it has committed by itself.
                    return Err(StoreError::OutcomeUnknown(
                        "postgres refused BEGIN and took what came after".to_owned(),
                    ));
                }
                Ok(Begun { begun: Err(error), .. }) | Err(error) => (first_of(calls)?, error),
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

    async fn next(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        let (pipelining, deadline) = (self.pool.connector.pipelining, self.pool.statement_timeout);
        let lease = self.lease.as_mut().ok_or_else(gone)?;
        let answers =
            lease.within_mut(deadline, async |connection| run_all(connection, calls, pipelining).await).await?;
        let (statement, error) = match answers {
            Ok(answers) => match succeeded(calls, answers) {
                Ok(rows) => {
                    lease.settle(None);
                    return rows;
                }
                Err(failed) => failed,
            },
            Err(error) => (first_of(calls)?, error),
        };
        lease.settle(Some(&error));
        Err(classify::statement(&error, statement))
    }

    /// The last writes and COMMIT in one round trip. After a failed write PostgreSQL takes COMMIT for ROLLBACK, so the
    /// first failure among the writes is what the whole came to.
    async fn end(&mut self, writes: &[Call<'_>]) -> Result<(), StoreError> {
        let deadline = self.pool.statement_timeout;
        let lease = self.lease.as_mut().ok_or_else(gone)?;
        let answer = lease
            .within_mut(deadline, async |connection| commit_with(connection, writes).await)
            .await
            .map_err(|_| StoreError::OutcomeUnknown("postgres: no answer to COMMIT in time".to_owned()))?;
        let ended = match answer {
            Ok(ended) => ended,
            // One could not be prepared: nothing else was sent.
            Err(error) => {
                lease.settle(Some(&error));
                return Err(classify::statement(&error, first_of(writes)?));
            }
        };
        match (succeeded(writes, ended.answers), ended.committed) {
            (Ok(answers), Some(committed)) => {
                lease.settle(committed.as_ref().err());
                committed.map_err(|error| classify::commit(&error))?;
                self.state = State::Fresh;
                answers.map(drop)
            }
            (Ok(_), None) => Err(StoreError::corrupt("postgres: the writes went, COMMIT did not")),
            (Err((statement, error)), committed) => {
                lease.settle(Some(&error));
                match (committed, classify::meaning(&error)) {
                    // Not an answer but the lack of one, and COMMIT was on its way.
                    (Some(_), Meaning::Lost) => return Err(classify::commit(&error)),
                    (Some(Ok(())), _) => self.state = State::Fresh,
                    _ => {}
                }
                Err(classify::statement(&error, statement))
            }
        }
    }
}

#[async_trait]
impl Transaction for PostgresTransaction {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let mut answers = self.run_together(&[Call { statement, values }]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        // Unsound until it has succeeded: also when nobody waits for the answer any more.
        let rows = match std::mem::replace(&mut self.state, State::Unsound) {
            State::Fresh => self.first(calls).await?,
            State::Open => self.next(calls).await?,
            State::Unsound => return Err(unsound()),
        };
        self.state = State::Open;
        Ok(rows)
    }

    async fn commit_after(mut self: Box<Self>, writes: &[Call<'_>]) -> Result<(), StoreError> {
        if self.state == State::Open && self.pool.connector.pipelining && !writes.is_empty() {
            self.state = State::Unsound;
            return self.end(writes).await;
        }
        // BEGIN, writes and COMMIT at once could not start over on another connection when this one died while idle:
        // the answer might be what was lost.
        self.run_together(writes).await?;
        self.commit().await
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
            .within(deadline, async |connection| connection.client.batch_execute(COMMIT).await)
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

/// Sends BEGIN and the first statements together; the server runs them in order.
async fn begin_with(connection: &mut Connection, calls: &[Call<'_>], pipelining: bool) -> Result<Begun, Error> {
    let prepared = connection.prepare_all(calls).await?;
    let client = &connection.client;
    if !pipelining {
        client.batch_execute(BEGIN).await?;
        return Ok(Begun { begun: Ok(()), answers: one_by_one(client, calls, &prepared).await });
    }
    // Biased: BEGIN is polled, and so sent, first.
    let statements = async { Batch::send(client, calls, &prepared).await.answers().await };
    let (begun, answers) = tokio::join!(biased; client.batch_execute(BEGIN), statements);
    Ok(Begun { begun, answers })
}

async fn run_all(connection: &mut Connection, calls: &[Call<'_>], pipelining: bool) -> Result<Vec<Answer>, Error> {
    let prepared = connection.prepare_all(calls).await?;
    let client = &connection.client;
    Ok(if pipelining {
        Batch::send(client, calls, &prepared).await.answers().await
    } else {
        one_by_one(client, calls, &prepared).await
    })
}

/// Sends the writes and COMMIT together. Never a COMMIT behind a write that could not be sent: the rest would last.
async fn commit_with(connection: &mut Connection, writes: &[Call<'_>]) -> Result<Ended, Error> {
    let prepared = connection.prepare_all(writes).await?;
    let client = &connection.client;
    let batch = Batch::send(client, writes, &prepared).await;
    if batch.is_broken() {
        return Ok(Ended { answers: batch.answers().await, committed: None });
    }
    let (answers, committed) = tokio::join!(biased; batch.answers(), client.batch_execute(COMMIT));
    Ok(Ended { answers, committed: Some(committed) })
}

/// All rows, or the first failure and whose it is.
fn succeeded(
    calls: &[Call<'_>],
    answers: Vec<Answer>,
) -> Result<Result<Vec<Rows>, StoreError>, (&'static Statement, Error)> {
    let mut all = Vec::with_capacity(answers.len());
    for (call, answer) in calls.iter().zip(answers) {
        match answer {
            Ok(Ok(rows)) => all.push(rows),
            Ok(Err(corrupt)) => return Ok(Err(corrupt)),
            Err(error) => return Err((call.statement, error)),
        }
    }
    Ok(Ok(all))
}

fn wrote(calls: &[Call<'_>], answers: &[Answer]) -> bool {
    calls.iter().zip(answers).any(|(call, answer)| answer.is_ok() && !call.statement.is_read())
}

fn first_of(calls: &[Call<'_>]) -> Result<&'static Statement, StoreError> {
    calls.first().map(|call| call.statement).ok_or_else(|| StoreError::corrupt("postgres: nothing to run"))
}

fn unsound() -> StoreError {
    StoreError::corrupt("postgres: the transaction went on after a failed statement")
}

fn gone() -> StoreError {
    StoreError::Unavailable("postgres: the connection is gone".to_owned())
}
