//! An engine with somebody in between: the one wrapper that all misbehaving engines share.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Access, Call, Engine, Pin, Rows, Statement, StoreError, Transaction, Value,
    engine::{Dialect, Reruns},
};

/// What happens to a commit.
#[derive(Debug)]
pub enum Ending {
    /// It goes through, and its caller hears what the engine says.
    Commit,
    /// It is rolled back, and its caller hears this.
    RollBack(StoreError),
    /// It goes through, and its caller hears this all the same.
    CommitAndSay(StoreError),
}

/// Somebody between a store and its engine. An error from a method is answered in place of the call.
pub trait Tamper: Send + Sync + 'static {
    /// Before a transaction begins.
    ///
    /// # Errors
    /// Whatever the test wants.
    fn begin(&self, _access: Access) -> Result<(), StoreError> {
        Ok(())
    }

    /// Before one or several statements of a transaction are sent together, without the commit.
    fn round_trip(&self, _access: Access) {}

    /// Before a statement of a transaction runs; `nth` counts from 0 in each transaction.
    ///
    /// # Errors
    /// Whatever the test wants.
    fn statement(&self, _access: Access, _nth: u64, _statement: &'static Statement) -> Result<(), StoreError> {
        Ok(())
    }

    /// Before a read outside of transactions.
    ///
    /// # Errors
    /// Whatever the test wants.
    fn read(&self, _statement: &'static Statement) -> Result<(), StoreError> {
        Ok(())
    }

    /// Before a commit.
    fn commit(&self, _access: Access) -> Ending {
        Ending::Commit
    }
}

/// An engine with a [`Tamper`] in front.
pub struct Tampered<T> {
    inner: Arc<dyn Engine>,
    tamper: Arc<T>,
}

impl<T: Tamper> Tampered<T> {
    /// `tamper` in front of `inner`.
    pub fn over(inner: Arc<dyn Engine>, tamper: Arc<T>) -> Arc<dyn Engine> {
        Arc::new(Self { inner, tamper })
    }
}

#[async_trait]
impl<T: Tamper> Engine for Tampered<T> {
    async fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        self.tamper.begin(access)?;
        let inner = self.inner.begin(access).await?;
        Ok(Box::new(TamperedTransaction { inner, tamper: Arc::clone(&self.tamper), access, nth: 0 }))
    }

    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        self.tamper.read(statement)?;
        self.inner.read(statement, values).await
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        self.inner.run_schema(sql).await
    }

    fn reruns(&self) -> Reruns {
        self.inner.reruns()
    }

    async fn verify(&self) -> Result<(), StoreError> {
        self.inner.verify().await
    }

    fn pin(&self, pin: Arc<Pin>) {
        self.inner.pin(pin);
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }

    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct TamperedTransaction<T> {
    inner: Box<dyn Transaction>,
    tamper: Arc<T>,
    access: Access,
    nth: u64,
}

impl<T: Tamper> TamperedTransaction<T> {
    fn before(&mut self, statement: &'static Statement) -> Result<(), StoreError> {
        self.tamper.statement(self.access, self.nth, statement)?;
        self.nth += 1;
        Ok(())
    }
}

#[async_trait]
impl<T: Tamper> Transaction for TamperedTransaction<T> {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        self.tamper.round_trip(self.access);
        self.before(statement)?;
        self.inner.run(statement, values).await
    }

    async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        self.tamper.round_trip(self.access);
        for call in calls {
            self.before(call.statement)?;
        }
        self.inner.run_together(calls).await
    }

    async fn commit_after(mut self: Box<Self>, writes: &[Call<'_>]) -> Result<(), StoreError> {
        // As on PostgreSQL: a transaction that begins with its last writes commits in a round trip of its own.
        if self.nth == 0 {
            self.run_together(writes).await?;
            return self.commit().await;
        }
        for call in writes {
            self.before(call.statement)?;
        }
        match self.tamper.commit(self.access) {
            Ending::Commit => self.inner.commit_after(writes).await,
            Ending::RollBack(error) => {
                drop(self.inner);
                Err(error)
            }
            Ending::CommitAndSay(error) => {
                self.inner.commit_after(writes).await?;
                Err(error)
            }
        }
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.nth = self.nth.max(1);
        self.commit_after(&[]).await
    }
}
