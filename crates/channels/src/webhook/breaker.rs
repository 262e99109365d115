//! A breaker per receiver: one that does not answer is left alone for a while, and one that is slow has a few calls at a
//! time, so that neither holds up the others. Nobody sleeps here: who comes too early is told how long to wait.
//!
//! Deliberately absent: storage. Each process learns for itself.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;

use super::WebhookFault;

/// So many failures one after the other, and a receiver is left alone.
const FAILURES: u32 = 3;
/// For this long at first, and twice as long each time.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(5);
/// How long before it is made a call may have been dated.
const SLACK: Duration = Duration::from_mins(5);
/// How long to wait for a call that another one has in the making.
const MEANWHILE: Duration = Duration::from_secs(2);

/// What is known of receivers that fail, or are being called.
pub(super) struct Breakers {
    receivers: Mutex<HashMap<String, Receiver>>,
    most: usize,
}

#[derive(Default)]
struct Receiver {
    failures: u32,
    calls: usize,
    /// From when until when nobody calls.
    left_alone: Option<(Timestamp, Timestamp)>,
}

/// Leave to make one call. Dropped without an end, it counts as no call.
pub(super) struct Leave<'a> {
    breakers: &'a Breakers,
    url: &'a str,
}

impl Breakers {
    /// With at most so many calls of one receiver at a time.
    pub(super) fn new(most: usize) -> Self {
        Self { receivers: Mutex::default(), most: most.max(1) }
    }

    /// Leave to call, or how long to wait before asking again.
    pub(super) fn leave<'a>(&'a self, url: &'a str, now: Timestamp) -> Result<Leave<'a>, Duration> {
        let mut receivers = self.locked();
        let receiver = receivers.entry(url.to_owned()).or_default();
        // A call may have been in the making for a while. Long before `from`, the clock was put back.
        if let Some((from, until)) = receiver.left_alone
            && from.minus(SLACK) <= now
            && now < until
        {
            let wait = until.micros().saturating_sub(now.micros());
            return Err(Duration::from_micros(wait.try_into().unwrap_or(0)));
        }
        // One call finds out whether a receiver has recovered.
        let most = if receiver.failures < FAILURES { self.most } else { 1 };
        if receiver.calls >= most {
            return Err(MEANWHILE);
        }
        receiver.calls += 1;
        Ok(Leave { breakers: self, url })
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Receiver>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// How the call ended, and when.
    pub(super) fn ended(self, fault: Option<&WebhookFault>, now: Timestamp) {
        let mut receivers = self.breakers.locked();
        let Some(receiver) = receivers.get_mut(self.url) else { return };
        match fault {
            Some(WebhookFault::Throttled { retry_after, .. } | WebhookFault::Unavailable { retry_after, .. }) => {
                receiver.failures = receiver.failures.saturating_add(1);
                let times = receiver.failures.checked_sub(FAILURES);
                let ours = times.map(|times| FIRST.saturating_mul(1_u32 << times.min(10)).min(LONGEST));
                receiver.left_alone = ours.max(*retry_after).map(|wait| (now, now.plus(wait)));
            }
            // Whoever answers is there.
            _ => (receiver.failures, receiver.left_alone) = (0, None),
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut receivers = self.breakers.locked();
        let Some(receiver) = receivers.get_mut(self.url) else { return };
        receiver.calls = receiver.calls.saturating_sub(1);
        if receiver.calls == 0 && receiver.failures == 0 {
            receivers.remove(self.url);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_796_000_000).plus(Duration::from_secs(seconds))
    }

    fn down(retry_after: Option<u64>) -> WebhookFault {
        WebhookFault::Unavailable { retry_after: retry_after.map(Duration::from_secs), reason: String::new() }
    }

    fn wait(breakers: &Breakers, url: &str, now: Timestamp) -> Option<u64> {
        breakers.leave(url, now).err().map(|wait| wait.as_secs())
    }

    #[test]
    fn a_dead_receiver_is_left_alone_longer_and_longer_and_others_are_called() {
        let breakers = Breakers::new(8);
        let mut now = 0;
        for expected in [0, 0, 10, 20, 40, 80, 160, 300, 300] {
            breakers.leave("dead", at(now)).unwrap_or_else(|wait| panic!("{wait:?}")).ended(Some(&down(None)), at(now));
            assert_eq!(wait(&breakers, "dead", at(now)), (expected > 0).then_some(expected), "at {now}");
            assert_eq!(wait(&breakers, "alive", at(now)), None);
            now += expected;
        }
        let probe = breakers.leave("dead", at(now)).ok().unwrap();
        assert_eq!(wait(&breakers, "dead", at(now)), Some(2), "one call finds out");
        probe.ended(None, at(now));
        for _ in 0..3 {
            assert_eq!(wait(&breakers, "dead", at(now)), None, "and it is called as before");
        }
        assert!(breakers.locked().is_empty(), "who answers is forgotten");
    }

    #[test]
    fn a_receiver_is_given_the_time_that_it_asks_for() {
        let breakers = Breakers::new(8);
        breakers.leave("busy", at(0)).ok().unwrap().ended(Some(&down(Some(120))), at(0));
        assert_eq!(wait(&breakers, "busy", at(1)), Some(119));
        assert_eq!(
            wait(&breakers, "busy", at(0).minus(Duration::from_secs(30))),
            Some(150),
            "a call that was dated before"
        );
        assert_eq!(wait(&breakers, "busy", at(120)), None);
        assert_eq!(wait(&breakers, "busy", Timestamp::from_seconds(0)), None, "a clock that was put back");
    }

    #[test]
    fn a_slow_receiver_has_few_calls_at_a_time() {
        let breakers = Breakers::new(2);
        let (first, second) =
            (breakers.leave("slow", at(0)).ok().unwrap(), breakers.leave("slow", at(0)).ok().unwrap());
        assert_eq!(wait(&breakers, "slow", at(0)), Some(2));
        assert_eq!(wait(&breakers, "other", at(0)), None);
        drop(first);
        assert_eq!(wait(&breakers, "slow", at(0)), None, "a call that was given up counts no more");
        second.ended(Some(&WebhookFault::Refused(String::new())), at(0));
        assert!(breakers.locked().is_empty());
    }
}
