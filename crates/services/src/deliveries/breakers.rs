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

    fn second(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn the_third_failure_in_a_row_opens_a_breaker_and_each_further_one_for_longer() {
        let (breakers, relay) = (Breakers::default(), (DeliveryChannel::Email, Uuid::nil()));
        for (failure, open) in [0, 0, 10, 20, 40, 80, 160, 300, 300].into_iter().enumerate() {
            breakers.failed(relay, second(0));
            let until = Some(second(open)).filter(|until| *until > second(0));
            assert_eq!(breakers.open_until(relay, second(0)), until, "{failure}");
            assert_eq!(breakers.left_alone_until(relay, second(0)), until, "{failure}");
            assert_eq!(breakers.open_until(relay, second(open)), None, "{failure}");
        }
        assert_eq!(breakers.open_until((DeliveryChannel::Telegram, Uuid::nil()), second(0)), None, "another way");
        breakers.succeeded(relay);
        breakers.failed(relay, second(1));
        assert_eq!(breakers.open_until(relay, second(1)), None, "a new row begins");
    }

    #[test]
    fn a_breaker_that_is_not_asked_any_more_is_forgotten_two_hours_after_it_closes() {
        let (breakers, relay) = (Breakers::default(), (DeliveryChannel::Email, Uuid::nil()));
        for _ in 0..3 {
            breakers.failed(relay, second(0));
        }
        let end = 10 + 2 * 3600;
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, second(end - 1)), Some(second(0)));
        assert_eq!(breakers.failing_since(DeliveryChannel::Email, second(end)), None);
    }

    /// Their sender has the breakers of receivers: here is only what it said.
    #[test]
    fn a_receiver_is_left_alone_for_as_long_as_its_sender_says() {
        let breakers = Breakers::default();
        let [one, other] = [1, 2].map(|number| (DeliveryChannel::Webhook, Uuid::from_u128(number)));
        for _ in 0..5 {
            breakers.failed(one, second(0));
        }
        assert_eq!(breakers.left_alone_until(one, second(0)), None);
        breakers.hold(one, second(30), second(0));
        assert_eq!(breakers.left_alone_until(one, second(29)), Some(second(30)));
        assert_eq!(breakers.left_alone_until(one, second(30)), None);
        assert_eq!(breakers.left_alone_until(other, second(0)), None);
        breakers.hold(other, second(90), second(29));
        assert_eq!(breakers.left_alone_until(one, second(29)), Some(second(30)), "both");
        breakers.hold(other, second(90), second(30));
        assert_eq!(breakers.held.lock().unwrap_or_else(PoisonError::into_inner).len(), 1, "what is over goes");
    }

    #[test]
    fn breakers_do_not_pile_up() {
        let breakers = Breakers::default();
        let destination = |number: usize| (DeliveryChannel::Webhook, Uuid::from_u128(number as u128));
        let count = || breakers.breakers.lock().unwrap_or_else(PoisonError::into_inner).len();
        for _ in 0..3 {
            breakers.failed(destination(0), second(0));
        }
        for number in 1..MOST {
            breakers.failed(destination(number), second(0));
        }
        assert_eq!(count(), MOST);
        breakers.failed(destination(MOST), second(1));
        assert_eq!(count(), 2, "the open one, and the new one");
    }
}
