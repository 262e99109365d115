//! The unit of work: one transaction that exposes every repository, runs wholly or not at all, and whose body may
//! run more than once. Dropping it rolls back; only [`UnitOfWork::commit`] makes it last.

use std::sync::Arc;

use crate::{Engine, Failure, Rows, Statement, StoreError, Transaction, Value};

/// Where statements go: a transaction, or (for reads that decide nothing) the engine itself.
enum Link {
    Transaction(Box<dyn Transaction>),
    Reading(Arc<dyn Engine>),
}

/// One transaction with all repositories on it. See `repositories/` for the accessors (`uow.users()` and so on).
pub struct UnitOfWork {
    link: Link,
}

impl UnitOfWork {
    pub(crate) fn new(transaction: Box<dyn Transaction>) -> Self {
        Self { link: Link::Transaction(transaction) }
    }

    pub(crate) fn reading(engine: Arc<dyn Engine>) -> Self {
        Self { link: Link::Reading(engine) }
    }

    /// Commits and answers `value` once everything is durable.
    ///
    /// # Errors
    /// `Conflict` when the database wants a re-run (the store does it), `OutcomeUnknown` when the connection was
    /// lost while committing.
    pub async fn commit<T>(self, value: T) -> Result<T, Failure> {
        match self.link {
            Link::Transaction(transaction) => transaction.commit().await?,
            Link::Reading(_) => return Err(StoreError::corrupt("commit of a reading").into()),
        }
        Ok(value)
    }

    pub(crate) async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        debug_assert_eq!(statement.parameters.len(), values.len(), "{}", statement.name);
        match &mut self.link {
            Link::Transaction(transaction) => transaction.run(statement, values).await,
            Link::Reading(engine) if statement.is_read() => engine.read(statement, values).await,
            Link::Reading(_) => {
                Err(StoreError::corrupt(format!("{} writes outside a unit of work", statement.name)))
            }
        }
    }
}
