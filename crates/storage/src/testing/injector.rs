//! One fault at a chosen storage call. A test sweeps it over a use case: the first call, the second one, and so on
//! until the fault no longer finds a call to hit, and looks each time whether the state is the one before or after.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{Ending, Tamper, Tampered};
use crate::{Access, Engine, Statement, StoreError};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The transaction loses against another one. Reads outside of transactions are spared: they cannot.
    Conflict,
    /// The database is gone; nothing has happened.
    Unavailable,
    /// At a commit: the connection is lost and it was *not* kept. Elsewhere the same as `Unavailable`.
    UnknownAndLost,
    /// At a commit: the connection is lost and it *was* kept. Elsewhere the same as `Unavailable`.
    UnknownButKept,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Conflict, Self::Unavailable, Self::UnknownAndLost, Self::UnknownButKept];

    fn before_commit(self) -> StoreError {
        match self {
            Self::Conflict => StoreError::Conflict,
            _ => StoreError::Unavailable("injected".to_owned()),
        }
    }
}

/// Counts begins, statements, reads and commits, and fails the chosen one, once.
#[derive(Default)]
pub struct Injector {
    calls: AtomicU64,
    plan: Mutex<Option<(u64, Fault)>>,
    fired: AtomicBool,
}

impl Injector {
    /// In front of `engine`; the other half steers it.
    pub fn over(engine: Arc<dyn Engine>) -> (Arc<dyn Engine>, Arc<Self>) {
        let injector = Arc::new(Self::default());
        (Tampered::over(engine, Arc::clone(&injector)), injector)
    }

    /// Fails the storage call `nth` from now (0 is the next one). Counting starts anew.
    pub fn arm(&self, nth: u64, fault: Fault) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some((nth, fault));
        self.calls.store(0, Ordering::SeqCst);
        self.fired.store(false, Ordering::SeqCst);
    }

    /// No fault from now on. Counting starts anew.
    pub fn disarm(&self) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.calls.store(0, Ordering::SeqCst);
    }

    /// Storage calls since it was armed or disarmed.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether the fault has found its call.
    pub fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    fn next(&self) -> Option<Fault> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let plan = *self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = plan.filter(|(nth, _)| *nth == call).map(|(_, fault)| fault);
        if fault.is_some() {
            self.fired.store(true, Ordering::SeqCst);
        }
        fault
    }

    fn fail(&self) -> Result<(), StoreError> {
        self.next().map_or(Ok(()), |fault| Err(fault.before_commit()))
    }
}

impl Tamper for Injector {
    fn begin(&self, _access: Access) -> Result<(), StoreError> {
        self.fail()
    }

    fn statement(&self, _access: Access, _nth: u64, _statement: &'static Statement) -> Result<(), StoreError> {
        self.fail()
    }

    fn read(&self, _statement: &'static Statement) -> Result<(), StoreError> {
        match self.next() {
            None | Some(Fault::Conflict) => Ok(()),
            Some(fault) => Err(fault.before_commit()),
        }
    }

    fn commit(&self, _access: Access) -> Ending {
        let unknown = || StoreError::OutcomeUnknown("injected".to_owned());
        match self.next() {
            None => Ending::Commit,
            Some(Fault::UnknownAndLost) => Ending::RollBack(unknown()),
            Some(Fault::UnknownButKept) => Ending::CommitAndSay(unknown()),
            Some(fault) => Ending::RollBack(fault.before_commit()),
        }
    }
}
