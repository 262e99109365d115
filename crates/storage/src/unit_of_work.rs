//! The unit of work: one transaction that exposes every repository, runs wholly or not at all, and whose body may
//! run more than once. Dropping it rolls back; only [`UnitOfWork::commit`] makes it last.
//!
//! Invariant: a failed statement dooms the unit of work on every engine. PostgreSQL aborts the transaction by itself
//! and then answers COMMIT with a silent rollback; SQLite would carry on. Here both refuse, so that code which
//! swallows an error cannot commit half a thought on one engine and nothing on another.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::{Engine, Failure, Rows, Statement, StoreError, Transaction, Value};

/// Where statements go: a transaction, or (for reads that decide nothing) the engine itself.
enum Link {
    Transaction(Box<dyn Transaction>),
    Reading(Arc<dyn Engine>),
}

/// One transaction with all repositories on it. See `repositories/` for the accessors (`uow.users()` and so on).
pub struct UnitOfWork {
    link: Link,
    phase: Arc<Phase>,
    doomed: Option<Doom>,
}

/// How far a unit of work has come: told to the store, which gives up on one that takes too long, but not on a commit
/// under way, and refuses one that answers `Ok` without having committed.
#[derive(Default)]
pub(crate) struct Phase(AtomicU8);

impl Phase {
    const COMMITTING: u8 = 1;
    const COMMITTED: u8 = 2;

    pub(crate) fn has_begun_to_commit(&self) -> bool {
        self.0.load(Ordering::Acquire) >= Self::COMMITTING
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::COMMITTED
    }

    fn reach(&self, phase: u8) {
        self.0.store(phase, Ordering::Release);
    }
}

/// What a failed statement leaves behind.
enum Doom {
    Conflict,
    Unavailable(&'static str),
    Other(&'static str),
}

impl UnitOfWork {
    pub(crate) fn new(transaction: Box<dyn Transaction>, phase: Arc<Phase>) -> Self {
        Self { link: Link::Transaction(transaction), phase, doomed: None }
    }

    pub(crate) fn reading(engine: Arc<dyn Engine>) -> Self {
        Self { link: Link::Reading(engine), phase: Arc::default(), doomed: None }
    }

    /// Commits and answers `value` once everything is durable.
    ///
    /// # Errors
    /// `Conflict` when the database wants a re-run (the store does it), `OutcomeUnknown` when the connection was
    /// lost while committing. After a failed statement: that statement's `Conflict` or `Unavailable`, else `Corrupt`.
    pub async fn commit<T>(self, value: T) -> Result<T, Failure> {
        if let Some(doom) = &self.doomed {
            return Err(doom.error().into());
        }
        match self.link {
            Link::Transaction(transaction) => {
                self.phase.reach(Phase::COMMITTING);
                transaction.commit().await?;
            }
            Link::Reading(_) => return Err(StoreError::corrupt("commit of a reading").into()),
        }
        self.phase.reach(Phase::COMMITTED);
        Ok(value)
    }

    pub(crate) async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        debug_assert_eq!(statement.parameters.len(), values.len(), "{}", statement.name);
        let answer = match &mut self.link {
            Link::Reading(engine) if statement.is_read() => return engine.read(statement, values).await,
            Link::Reading(_) => {
                return Err(StoreError::corrupt(format!("{} writes outside a unit of work", statement.name)));
            }
            Link::Transaction(_) if self.doomed.is_some() => {
                return Err(self.doomed.as_ref().map_or(StoreError::Conflict, Doom::error));
            }
            Link::Transaction(transaction) => transaction.run(statement, values).await,
        };
        if let Err(error) = &answer {
            self.doomed = Some(Doom::of(error, statement.name));
        }
        answer
    }
}

impl Doom {
    fn of(error: &StoreError, statement: &'static str) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_) => Self::Unavailable(statement),
            _ => Self::Other(statement),
        }
    }

    fn error(&self) -> StoreError {
        match self {
            Self::Conflict => StoreError::Conflict,
            Self::Unavailable(statement) => StoreError::Unavailable(format!("{statement} failed before")),
            Self::Other(statement) => {
                StoreError::corrupt(format!("the unit of work went on after {statement} had failed"))
            }
        }
    }
}
