//! The emulator's clock: the system's, or one that tests set.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Zero means the system's clock.
#[derive(Debug)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn new(now: Option<u64>) -> Self {
        Self(AtomicU64::new(now.unwrap_or(0)))
    }

    /// Microseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "a server of its own: this is its wiring")]
    pub(crate) fn now(&self) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX)),
            set => set,
        }
    }

    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)));
    }
}
