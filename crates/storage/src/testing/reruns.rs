//! Two engines that make every unit of work run again. Whatever works on them runs wholly or not at all, and running
//! it twice equals running it once.

use std::sync::Arc;

use super::{Ending, Tamper, Tampered};
use crate::{Access, Engine, Statement, StoreError};

/// Rolls every first attempt back at its commit and answers `Conflict`: the whole body runs twice.
pub struct RunTwice;

impl RunTwice {
    /// In front of `engine`.
    pub fn over(engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
        Tampered::over(engine, Arc::new(Self))
    }
}

impl Tamper for RunTwice {
    fn commit(&self, access: Access) -> Ending {
        if access.attempt == 0 { Ending::RollBack(StoreError::Conflict) } else { Ending::Commit }
    }
}

/// Answers `Conflict` as early as an engine can and once more as late as it can: the second statement of the first
/// attempt (the first one, when the body has no second, is let through), then the commit of the second attempt. A
/// body that takes a conflict for something else is found out.
pub struct ConflictFirst;

impl ConflictFirst {
    /// In front of `engine`.
    pub fn over(engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
        Tampered::over(engine, Arc::new(Self))
    }
}

impl Tamper for ConflictFirst {
    fn statement(&self, access: Access, nth: u64, _statement: &'static Statement) -> Result<(), StoreError> {
        if access.attempt == 0 && nth == 1 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    fn commit(&self, access: Access) -> Ending {
        if access.attempt <= 1 { Ending::RollBack(StoreError::Conflict) } else { Ending::Commit }
    }
}
