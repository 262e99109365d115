//! The engine interface: the only thing a database has to offer. An engine knows nothing about users.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::try_join_all;

use crate::{Rows, Statement, StoreError, Value};

/// Why a transaction is opened: the name of the unit of work and which attempt this is.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The unit of work's name, for metrics and for test decorators.
    pub name: &'static str,
    /// 0 for the first attempt, counting up with each re-run.
    pub attempt: u32,
}

/// A statement and what it is run with.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What is run.
    pub statement: &'static Statement,
    /// One value for each parameter.
    pub values: &'a [Value],
}

/// What tells one database from another: a read, and what it answers where it should.
pub struct Pin {
    /// What is read.
    pub statement: &'static Statement,
    /// With what.
    pub values: Vec<Value>,
    /// What the right database answers.
    pub rows: Rows,
}

impl Pin {
    /// Whether an answer comes from the right database.
    ///
    /// # Errors
    /// `Unusable` when it does not.
    pub fn check(&self, answer: &Rows) -> Result<(), StoreError> {
        if *answer == self.rows {
            return Ok(());
        }
        Err(StoreError::Unusable(format!(
            "this is another database than the one that this process began with ({}: another answer); nothing is written. \
             Look where database.url leads now, then restart",
            self.statement.name
        )))
    }
}

/// How units of work that lost a race are run again.
#[derive(Clone, Copy, Debug)]
pub struct Reruns {
    /// How often one is run before its caller hears `Unavailable`.
    pub attempts: u32,
    /// The bound of the first wait; each further one doubles it.
    pub first_wait: Duration,
    /// The bound of every wait.
    pub longest_wait: Duration,
}

impl Reruns {
    /// Where whoever meets another one waits for it, and loses seldom.
    pub const FEW: Self =
        Self { attempts: 12, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(100) };
    /// Where nobody waits and only the first to finish wins: of many at one row each loses often.
    pub const MANY: Self =
        Self { attempts: 24, first_wait: Duration::from_millis(5), longest_wait: Duration::from_millis(300) };
}

/// A database.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Opens a serializable read-write transaction.
    async fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, StoreError>;

    /// Runs one reading statement outside any transaction: for reads that decide nothing.
    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError>;

    /// Runs reading statements outside any transaction, side by side: each sees what is durable when it runs.
    async fn read_together(&self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        try_join_all(calls.iter().map(|call| self.read(call.statement, call.values))).await
    }

    /// Runs one piece of schema SQL, outside any transaction. Each step is safe to repeat.
    async fn run_schema(&self, sql: &str) -> Result<(), StoreError>;

    /// How units of work that lost a race are run again.
    fn reruns(&self) -> Reruns {
        Reruns::FEW
    }

    /// Answers when the tables are those that are declared. Nothing to do where making one tells.
    async fn verify(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// From now on every new connection must lead to the pinned database before it is used. An engine whose
    /// connections cannot lead elsewhere has nothing to do.
    fn pin(&self, _pin: Arc<Pin>) {}

    /// Answers when the database can be read and written now.
    async fn health(&self) -> Result<(), StoreError>;

    /// Which dialect of the schema and its steps this engine speaks.
    fn dialect(&self) -> Dialect;

    /// Waits for work under way and releases files and connections.
    async fn close(&self);
}

/// A transaction under way. Dropping it rolls back. Whoever has heard an error may only drop it.
#[async_trait]
pub trait Transaction: Send {
    /// Runs one statement.
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError>;

    /// Runs statements in their order, none of which needs another one's answer; the answers come in the same order.
    /// The first failure is the answer for all. An engine that has a network in between sends them together: one
    /// round trip. Calls of one statement stand beside each other, for engines that take lists of values.
    async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(self.run(call.statement, call.values).await?);
        }
        Ok(answers)
    }

    /// Runs the last writes and makes everything durable, in one round trip where the engine can. A failed write is
    /// told as [`Self::run`] would tell it, and nothing has happened then.
    async fn commit_after(mut self: Box<Self>, writes: &[Call<'_>]) -> Result<(), StoreError> {
        self.run_together(writes).await?;
        self.commit().await
    }

    /// Makes everything durable. Answers only when it is.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The SQL dialects. A new engine adds a line here, a folder of migrations and one file in `engines/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL and engines that speak its protocol.
    Postgres,
    /// YDB. Its engine says declared statements in YQL; schema steps it is given in PostgreSQL's words, of which they use
    /// few, and says those in YQL too.
    Ydb,
}
