//! Counts what each unit of work asks of the database: a use case that begins to ask more is a slower use case.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Ending, Tamper, Tampered};
use crate::{Access, Engine, Statement, StoreError};

/// What one kind of unit of work has asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions begun, re-runs included.
    pub attempts: u64,
    /// Statements.
    pub statements: u64,
    /// Times that one statement or several together were sent ahead of the commit.
    pub requests: u64,
    /// Commits tried.
    pub commits: u64,
}

impl Counts {
    /// Answers waited for on a networked engine: one for each statement or batch of them (BEGIN travels with the first),
    /// and one per commit, with which the deferred writes travel.
    #[must_use]
    pub const fn round_trips(self) -> u64 {
        self.requests + self.commits
    }
}

/// Everything counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// By the name of the unit of work.
    pub units: BTreeMap<&'static str, Counts>,
    /// Reads outside of units of work, by the name of the statement.
    pub reads: BTreeMap<&'static str, u64>,
}

/// Counts and changes nothing.
#[derive(Default)]
pub struct Counting(Mutex<Counted>);

impl Counting {
    /// In front of `engine`; the other half tells the counts.
    pub fn over(engine: Arc<dyn Engine>) -> (Arc<dyn Engine>, Arc<Self>) {
        let counting = Arc::new(Self::default());
        (Tampered::over(engine, Arc::clone(&counting)), counting)
    }

    /// What has been counted since the last time, or since the beginning.
    pub fn take(&self) -> Counted {
        std::mem::take(&mut *self.counted())
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, access: Access, add: impl FnOnce(&mut Counts)) {
        add(self.counted().units.entry(access.name).or_default());
    }
}

impl Tamper for Counting {
    fn begin(&self, access: Access) -> Result<(), StoreError> {
        self.count(access, |counts| counts.attempts += 1);
        Ok(())
    }

    fn round_trip(&self, access: Access) {
        self.count(access, |counts| counts.requests += 1);
    }

    fn statement(&self, access: Access, _nth: u64, _statement: &'static Statement) -> Result<(), StoreError> {
        self.count(access, |counts| counts.statements += 1);
        Ok(())
    }

    fn read(&self, statement: &'static Statement) -> Result<(), StoreError> {
        *self.counted().reads.entry(statement.name).or_default() += 1;
        Ok(())
    }

    fn commit(&self, access: Access) -> Ending {
        self.count(access, |counts| counts.commits += 1);
        Ending::Commit
    }
}
