//! The sign that the process is about to stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The sign that the process is about to stop: it is not ready from then on.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Raises the sign.
    pub fn start(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Is it raised?
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
