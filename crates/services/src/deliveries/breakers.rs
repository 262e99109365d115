//! A breaker for each destination: one that has failed several times in a row is left alone for a while, so that its
//! messages hold nobody's place.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use userd_model::{DeliveryChannel, Timestamp};

use super::worker::Destination;

/// Failures in a row that open a breaker.
const PATIENCE: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// How long a breaker that is not asked any more says that its destination fails: longer than between two attempts.
const REMEMBERED: Duration = Duration::from_secs(2 * 3600);
/// Breakers that are remembered.
const MOST: usize = 10_000;

/// The breakers of this process.
#[derive(Default)]
pub(super) struct Breakers {
    breakers: Mutex<HashMap<Destination, Breaker>>,
    /// Receivers of events, of which their sender has said how long they are left alone: it has breakers of its own.
    held: Mutex<HashMap<Destination, Timestamp>>,
}

#[derive(Clone, Copy)]
struct Breaker {
    failures: u32,
    failing_since: Timestamp,
    open_until: Timestamp,
}

impl Breakers {
    /// Until when nothing is sent there.
    pub(super) fn open_until(&self, destination: Destination, now: Timestamp) -> Option<Timestamp> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get(&destination).map(|breaker| breaker.open_until).filter(|until| *until > now)
    }

    /// The same, also of receivers of events.
    pub(super) fn left_alone_until(&self, destination: Destination, now: Timestamp) -> Option<Timestamp> {
        if destination.0 != DeliveryChannel::Webhook {
            return self.open_until(destination, now);
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&destination).copied().filter(|until| *until > now)
    }

    /// Since when the destination of a channel that has failed longest fails, and something waits for it.
    pub(super) fn failing_since(&self, channel: DeliveryChannel, now: Timestamp) -> Option<Timestamp> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = breakers.iter().filter(|((of, _), breaker)| {
            *of == channel && breaker.failures >= PATIENCE && now < breaker.open_until.plus(REMEMBERED)
        });
        failing.map(|(_, breaker)| breaker.failing_since).min()
    }

    /// A receiver is left alone until then.
    pub(super) fn hold(&self, destination: Destination, until: Timestamp, now: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, until| *until > now);
        held.insert(destination, until);
    }

    pub(super) fn succeeded(&self, destination: Destination) {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner).remove(&destination);
    }

    pub(super) fn failed(&self, destination: Destination, now: Timestamp) {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if breakers.len() >= MOST {
            breakers.retain(|_, breaker| breaker.open_until > now);
        }
        let breaker =
            breakers.entry(destination).or_insert(Breaker { failures: 0, failing_since: now, open_until: now });
        breaker.failures = breaker.failures.saturating_add(1);
        if let Some(beyond) = breaker.failures.checked_sub(PATIENCE) {
            breaker.open_until = now.plus((SHORTEST * 2_u32.pow(beyond.min(5))).min(LONGEST));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// What waits for it is put off again and again, and so is never due for long.
    #[test]
    fn a_destination_that_fails_says_since_when() {
        let (breakers, relay) = (Breakers::default(), (DeliveryChannel::Email, Uuid::nil()));
        let begin = Timestamp::from_seconds(1_800_000_000);
        let at = |minutes: u64| begin.plus(Duration::from_secs(60 * minutes));
        for minute in [0, 1] {
            breakers.failed(relay, at(minute));
        }
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, at(1)), None, "that happens");
        for minute in 2..60 {
            breakers.failed(relay, at(minute));
        }
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, at(60)), Some(begin));
        assert_eq!(breakers.failing_since(DeliveryChannel::Telegram, at(60)), None);
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, at(60 * 4)), None, "nothing waits for it any more");
        breakers.succeeded(relay);
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, at(60)), None);
    }
}
