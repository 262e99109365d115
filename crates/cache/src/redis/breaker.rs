//! The breaker: whether there is a connection right now, and what could not be said while there was none. Closed, it
//! hands the connection out under a deadline; one failure opens it, and from then on callers are sent away at once
//! until the background task (`keep_connected`) has a connection that answers in time. Deliberately absent: commands.

use std::{
    collections::HashMap,
    mem,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{RedisError, RedisResult};
use tokio::{sync::Notify, time::Instant};

use super::{
    connection::Connection,
    pause::{self, FIRST_PAUSE},
};
use crate::CacheKey;

/// Most invalidations remembered while Redis is away. Beyond it, values that Redis still holds may be up to their
/// remaining life too old once it is back.
const MISSED: usize = 65_536;

/// A connection that broke within this time of being opened makes the next pause longer.
const STEADY: Duration = Duration::from_secs(2);

pub(crate) struct Breaker {
    state: RwLock<State>,
    /// Whether there is a connection, for readers that must not wait for the lock.
    closed: AtomicBool,
    opened: Notify,
    deadline: Duration,
}

struct State {
    connection: Option<Connection>,
    /// Counts connections, so that a late failure of an old one cannot break its successor.
    generation: u64,
    since: Instant,
    pause: Duration,
    missed: Missed,
}

/// What other replicas have not been told.
#[derive(Default)]
pub(crate) struct Missed {
    pub(crate) invalidations: HashMap<CacheKey, i64>,
    pub(crate) messages: bool,
}

impl Missed {
    fn is_empty(&self) -> bool {
        self.invalidations.is_empty() && !self.messages
    }

    fn add(&mut self, key: CacheKey, version: i64) {
        if self.invalidations.len() >= MISSED && !self.invalidations.contains_key(&key) {
            return;
        }
        let known = self.invalidations.entry(key).or_insert(version);
        *known = version.max(*known);
    }
}

impl Breaker {
    pub(crate) fn new(deadline: Duration) -> Self {
        metrics::gauge!("userd_cache_redis_up").set(0.0);
        for operation in ["get", "put", "invalidate", "publish", "limit"] {
            drop(metrics::histogram!("userd_cache_redis_seconds", "operation" => operation));
        }
        Self {
            state: RwLock::new(State {
                connection: None,
                generation: 0,
                since: Instant::now(),
                pause: FIRST_PAUSE,
                missed: Missed::default(),
            }),
            closed: AtomicBool::new(false),
            opened: Notify::new(),
            deadline,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Runs `work` on the connection within the deadline. `None`: there is no connection, or this broke it.
    pub(crate) async fn run<T, W, F>(&self, operation: &'static str, work: W) -> Option<T>
    where
        W: FnOnce(Connection) -> F,
        F: Future<Output = RedisResult<T>>,
    {
        let (connection, generation) = {
            let state = self.read();
            (state.connection.clone()?, state.generation)
        };
        let start = Instant::now();
        let result = tokio::time::timeout(self.deadline, work(connection)).await;
        metrics::histogram!("userd_cache_redis_seconds", "operation" => operation).record(start.elapsed());
        match result {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                self.open(generation, operation, &error);
                None
            }
            Err(_) => {
                self.open(generation, operation, &std::io::Error::from(std::io::ErrorKind::TimedOut).into());
                None
            }
        }
    }

    /// Notes an invalidation for later. `false`: there is a connection again, say it now.
    pub(crate) fn miss(&self, key: &CacheKey, version: i64) -> bool {
        let mut state = self.write();
        let open = state.connection.is_none();
        if open {
            state.missed.add(key.clone(), version);
        }
        open
    }

    /// Notes that a message did not leave this replica.
    pub(crate) fn miss_message(&self) {
        self.write().missed.messages = true;
    }

    /// Takes what was missed.
    pub(crate) fn take_missed(&self) -> Missed {
        mem::take(&mut self.write().missed)
    }

    /// Puts back what could not be said after all.
    pub(crate) fn put_back(&self, missed: Missed) {
        let mut state = self.write();
        state.missed.messages |= missed.messages;
        for (key, version) in missed.invalidations {
            state.missed.add(key, version);
        }
    }

    /// Closes the breaker over `connection`, unless something was missed meanwhile: then `false`, say that first.
    pub(crate) fn close(&self, connection: Connection) -> bool {
        let mut state = self.write();
        if !state.missed.is_empty() {
            return false;
        }
        state.connection = Some(connection);
        state.generation += 1;
        state.since = Instant::now();
        self.closed.store(true, Ordering::Release);
        metrics::gauge!("userd_cache_redis_up").set(1.0);
        true
    }

    /// Waits until the breaker is open; answers how long to pause before the first attempt.
    pub(crate) async fn wait_until_open(&self) -> Duration {
        loop {
            let opened = self.opened.notified();
            {
                let state = self.read();
                if state.connection.is_none() {
                    return state.pause;
                }
            }
            opened.await;
        }
    }

    /// Another attempt failed; answers how long to pause.
    pub(crate) fn longer(&self) -> Duration {
        let mut state = self.write();
        state.pause = pause::longer(state.pause);
        state.pause
    }

    fn open(&self, generation: u64, operation: &'static str, error: &RedisError) {
        {
            let mut state = self.write();
            if state.generation != generation || state.connection.take().is_none() {
                return;
            }
            self.closed.store(false, Ordering::Release);
            let steady = state.since.elapsed() >= STEADY;
            state.pause = if steady { FIRST_PAUSE } else { pause::longer(state.pause) };
        }
        metrics::gauge!("userd_cache_redis_up").set(0.0);
        tracing::warn!(operation, %error, "redis failed; this replica answers from its own memory until it is back");
        self.opened.notify_one();
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> CacheKey {
        CacheKey::new("user", number.to_string())
    }

    #[test]
    fn of_missed_invalidations_of_one_key_the_newest_is_kept() {
        let mut missed = Missed::default();
        assert!(missed.is_empty());
        for version in [2, 5, 3] {
            missed.add(key(1), version);
        }
        assert_eq!(missed.invalidations, HashMap::from([(key(1), 5)]));
        assert!(!missed.is_empty());
        assert!(!Missed { messages: true, ..Missed::default() }.is_empty());
    }

    #[test]
    fn missed_invalidations_take_no_more_than_their_room_and_those_in_it_stay_right() {
        let mut missed = Missed::default();
        (0..=MISSED).for_each(|number| missed.add(key(number), 1));
        assert_eq!(missed.invalidations.len(), MISSED);
        assert!(!missed.invalidations.contains_key(&key(MISSED)));
        missed.add(key(0), 7);
        assert_eq!(missed.invalidations.get(&key(0)), Some(&7));
        assert_eq!(missed.invalidations.len(), MISSED);
    }

    /// Whoever could not say something while there was a connection is told to say it now; put back, it is the newest.
    #[tokio::test]
    async fn what_was_missed_is_kept_while_the_breaker_is_open() {
        let breaker = Breaker::new(Duration::from_secs(1));
        assert!(!breaker.is_closed());
        assert!(breaker.miss(&key(1), 2));
        let taken = breaker.take_missed();
        assert_eq!((taken.invalidations.len(), taken.messages), (1, false));
        assert!(breaker.take_missed().is_empty());
        assert!(breaker.miss(&key(1), 9));
        breaker.put_back(taken);
        breaker.miss_message();
        breaker.put_back(Missed::default());
        let taken = breaker.take_missed();
        assert_eq!(taken.invalidations, HashMap::from([(key(1), 9)]));
        assert!(taken.messages, "a message that was missed is not forgotten with what is put back");
        assert_eq!(breaker.wait_until_open().await, FIRST_PAUSE);
        assert_eq!(breaker.longer(), FIRST_PAUSE * 2);
    }
}
