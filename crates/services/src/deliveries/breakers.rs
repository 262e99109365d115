//! A breaker for each destination: one that has failed several times in a row is left alone for a while, so that its
//! messages hold nobody's place.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;

use super::worker::Destination;

/// Failures in a row that open a breaker.
const PATIENCE: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// Breakers that are remembered.
const MOST: usize = 10_000;

/// The breakers of this process.
#[derive(Default)]
pub(super) struct Breakers(Mutex<HashMap<Destination, Breaker>>);

#[derive(Clone, Copy)]
struct Breaker {
    failures: u32,
    open_until: Timestamp,
}

impl Breakers {
    /// Until when nothing is sent there.
    pub(super) fn open_until(&self, destination: Destination, now: Timestamp) -> Option<Timestamp> {
        let breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get(&destination).map(|breaker| breaker.open_until).filter(|until| *until > now)
    }

    pub(super) fn succeeded(&self, destination: Destination) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&destination);
    }

    pub(super) fn failed(&self, destination: Destination, now: Timestamp) {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if breakers.len() >= MOST {
            breakers.retain(|_, breaker| breaker.open_until > now);
        }
        let breaker = breakers.entry(destination).or_insert(Breaker { failures: 0, open_until: now });
        breaker.failures = breaker.failures.saturating_add(1);
        if let Some(beyond) = breaker.failures.checked_sub(PATIENCE) {
            breaker.open_until = now.plus((SHORTEST * 2_u32.pow(beyond.min(5))).min(LONGEST));
        }
    }
}
