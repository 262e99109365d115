//! The unit of work: one transaction that exposes every repository, runs wholly or not at all, and whose body may
//! run more than once. Dropping it rolls back; only [`UnitOfWork::commit`] makes it last.
//!
//! Invariant: a failed statement poisons the unit of work on every engine. PostgreSQL aborts the transaction by itself
//! and then answers COMMIT with a silent rollback; SQLite would carry on. Here both refuse, so that code which
//! swallows an error cannot commit half a thought on one engine and nothing on another.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::{Call, Engine, Failure, Rows, Statement, StoreError, Transaction, Value};

/// Where statements go: a transaction, or (for reads that decide nothing) the engine itself.
enum Link {
    Transaction(Box<dyn Transaction>),
    Reading(Arc<dyn Engine>),
}

/// One transaction with all repositories on it. See `repositories/` for the accessors (`uow.users()` and so on).
pub struct UnitOfWork {
    link: Link,
    phase: Arc<Phase>,
    poisoned: Option<Poison>,
    deferred: Option<Deferred>,
}

/// Writes that have not been sent yet, in order.
type Deferred = Vec<(&'static Statement, Vec<Value>)>;

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
enum Poison {
    Conflict,
    Unavailable(&'static str),
    Other(&'static str),
}

impl UnitOfWork {
    pub(crate) fn new(transaction: Box<dyn Transaction>, phase: Arc<Phase>) -> Self {
        Self { link: Link::Transaction(transaction), phase, poisoned: None, deferred: None }
    }

    pub(crate) fn reading(engine: Arc<dyn Engine>) -> Self {
        Self { link: Link::Reading(engine), phase: Arc::default(), poisoned: None, deferred: None }
    }

    /// From here on writes are kept and sent together, with the next read or with the commit where the engine can, so
    /// that none costs a round trip of its own. A write then answers before it has happened; what is wrong with it
    /// (`Duplicate`, `Conflict`) is told by that read or by the commit. A read sends what is kept first, and sees it. What
    /// must know at once whether a key was free (claims, single use) is never kept.
    pub fn defer_writes(&mut self) {
        if matches!(self.link, Link::Transaction(_)) {
            self.deferred.get_or_insert_default();
        }
    }

    /// Commits and answers `value` once everything is durable.
    ///
    /// # Errors
    /// `Conflict` when the database wants a re-run (the store does it), `OutcomeUnknown` when the connection was
    /// lost while committing. After a failed statement: `Conflict` or `Unavailable`, as its own answer was, else
    /// `Corrupt`.
    /// What a deferred write came to.
    pub async fn commit<T>(self, value: T) -> Result<T, Failure> {
        if let Some(poison) = &self.poisoned {
            return Err(poison.error().into());
        }
        let Link::Transaction(transaction) = self.link else {
            return Err(StoreError::corrupt("commit of a reading").into());
        };
        self.phase.reach(Phase::COMMITTING);
        match self.deferred.unwrap_or_default().as_slice() {
            [] => transaction.commit().await?,
            writes => transaction.commit_after(&calls(writes)).await?,
        }
        self.phase.reach(Phase::COMMITTED);
        Ok(value)
    }

    pub(crate) async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let mut answers = self.run_together(&[Call { statement, values }]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Runs statements that do not need each other's answers, in one round trip where the engine can; what was
    /// deferred goes before them.
    pub(crate) async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        debug_assert!(calls.iter().all(|call| call.statement.parameters.len() == call.values.len()));
        let transaction = match &mut self.link {
            Link::Reading(engine) => return read_together(engine, calls).await,
            Link::Transaction(transaction) => transaction,
        };
        if let Some(poison) = &self.poisoned {
            return Err(poison.error());
        }
        let deferred = self.deferred.as_mut().map(std::mem::take).unwrap_or_default();
        let answer = match (deferred.as_slice(), calls) {
            ([], [call]) => transaction.run(call.statement, call.values).await.map(|rows| vec![rows]),
            ([], calls) => transaction.run_together(calls).await,
            (kept, calls) => {
                let together = [self::calls(kept).as_slice(), calls].concat();
                transaction.run_together(&together).await.map(|mut answers| answers.split_off(kept.len()))
            }
        };
        if let Err(error) = &answer {
            let name = calls.first().map_or("a deferred write", |call| call.statement.name);
            self.poisoned = Some(Poison::of(error, name));
        }
        answer
    }

    /// Runs a write, or keeps it when writes are deferred.
    pub(crate) async fn write(&mut self, statement: &'static Statement, values: &[Value]) -> Result<(), StoreError> {
        match &mut self.deferred {
            Some(deferred) if self.poisoned.is_none() => deferred.push((statement, values.to_vec())),
            _ => drop(self.run(statement, values).await?),
        }
        Ok(())
    }

    /// The same for each of many rows or keys, in one round trip where the engine can.
    pub(crate) async fn write_many(
        &mut self,
        statement: &'static Statement,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        match &mut self.deferred {
            Some(deferred) if self.poisoned.is_none() => {
                deferred.extend(rows.into_iter().map(|values| (statement, values)));
            }
            _ => {
                let calls: Vec<Call<'_>> = rows.iter().map(|values| Call { statement, values }).collect();
                self.run_together(&calls).await?;
            }
        }
        Ok(())
    }
}

fn calls<'a>(kept: &'a [(&'static Statement, Vec<Value>)]) -> Vec<Call<'a>> {
    kept.iter().map(|(statement, values)| Call { statement, values }).collect()
}

/// Reads outside of a transaction, side by side: each sees what is durable when it runs.
async fn read_together(engine: &Arc<dyn Engine>, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
    if let Some(call) = calls.iter().find(|call| !call.statement.is_read()) {
        return Err(StoreError::corrupt(format!("{} writes outside a unit of work", call.statement.name)));
    }
    match calls {
        [call] => Ok(vec![engine.read(call.statement, call.values).await?]),
        calls => engine.read_together(calls).await,
    }
}

impl Poison {
    fn of(error: &StoreError, statement: &'static str) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_)
            | StoreError::NoSchema(_)
            | StoreError::Unusable(_)
            | StoreError::OutcomeUnknown(_) => Self::Unavailable(statement),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_work_that_went_on_hears_what_its_first_failure_was() {
        let what = || "what".to_owned();
        let after = |error: &StoreError| Poison::of(error, "users.by_id").error();
        assert!(matches!(after(&StoreError::Conflict), StoreError::Conflict));
        for error in [
            StoreError::Unavailable(what()),
            StoreError::NoSchema(what()),
            StoreError::Unusable(what()),
            StoreError::OutcomeUnknown(what()),
        ] {
            let StoreError::Unavailable(told) = after(&error) else { panic!("{error}") };
            assert!(told.contains("users.by_id"), "{told}");
        }
        for error in [StoreError::Duplicate(crate::Duplicate::Key("users")), StoreError::corrupt("what")] {
            let StoreError::Corrupt(told) = after(&error) else { panic!("{error}") };
            assert!(told.contains("users.by_id"), "{told}");
        }
    }

    #[test]
    fn a_commit_has_begun_before_it_has_been_made() {
        let phase = Phase::default();
        assert_eq!((phase.has_begun_to_commit(), phase.is_committed()), (false, false));
        phase.reach(Phase::COMMITTING);
        assert_eq!((phase.has_begun_to_commit(), phase.is_committed()), (true, false));
        phase.reach(Phase::COMMITTED);
        assert_eq!((phase.has_begun_to_commit(), phase.is_committed()), (true, true));
    }
}
