//! An engine with somebody in between: the one wrapper that all misbehaving engines share.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Access, Engine, Rows, Statement, StoreError, Transaction, Value, engine::Dialect};

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

#[async_trait]
impl<T: Tamper> Transaction for TamperedTransaction<T> {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        self.tamper.statement(self.access, self.nth, statement)?;
        self.nth += 1;
        self.inner.run(statement, values).await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        match self.tamper.commit(self.access) {
            Ending::Commit => self.inner.commit().await,
            Ending::RollBack(error) => {
                drop(self.inner);
                Err(error)
            }
            Ending::CommitAndSay(error) => {
                self.inner.commit().await?;
                Err(error)
            }
        }
    }
}
