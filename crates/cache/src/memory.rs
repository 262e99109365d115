//! The cache of one process: bounded values, version floors, rate-limit cells and a broadcast. It is the default, and
//! the first level (L1) before Redis and the fallback without it. Deliberately absent: any other process.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache as Bounded};
use tokio::sync::broadcast;
use userd_model::{Clock, Timestamp};

use crate::{
    Cache, CacheHealth, CacheKey, CacheOptions, Entry, Limit, LimitAnswer, Message, Subscription, fanout, gcra::Cells,
};

/// Writers of one key take turns, so that comparing versions and storing is one step. Readers never wait here.
const STRIPES: usize = 64;

/// The in-process cache.
#[expect(missing_debug_implementations, reason = "holds users' values")]
pub struct Memory {
    values: Bounded<CacheKey, Slot, Weight>,
    /// Apart from the values, so that a flood of values cannot push a floor out.
    floors: Bounded<CacheKey, Floor>,
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
    cells: Cells,
    fanout: broadcast::Sender<Message>,
    clock: Arc<dyn Clock>,
    floor_ttl: Duration,
}

#[derive(Clone)]
struct Slot {
    entry: Entry,
    stored_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Clone, Copy)]
struct Floor {
    version: i64,
    until: Timestamp,
}

#[derive(Clone)]
struct Weight;

impl Weighter<CacheKey, Slot> for Weight {
    fn weight(&self, key: &CacheKey, slot: &Slot) -> u64 {
        // Twice: as bytes, and as what they say once they are read.
        (key.id().len() + 2 * slot.entry.bytes.len() + 160) as u64
    }
}

impl Memory {
    /// An empty cache.
    #[must_use]
    pub fn new(options: &CacheOptions) -> Self {
        let items = usize::try_from(options.memory_bytes / 512).unwrap_or(usize::MAX).clamp(64, 1 << 20);
        Self {
            values: Bounded::with_weighter(items, options.memory_bytes, Weight),
            floors: Bounded::new(items),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            cells: Cells::new(options.limit_cells),
            fanout: broadcast::channel(fanout::BACKLOG).0,
            clock: options.clock.clone(),
            floor_ttl: options.floor_ttl,
        }
    }

    /// The value under `key` if it is alive and, where `age` is given, was stored no longer ago than that.
    pub(crate) fn find(&self, key: &CacheKey, age: Option<Duration>) -> Option<Entry> {
        let slot = self.values.get(key)?;
        let now = self.clock.now();
        // Stored in the future: the clock went back, and the value's age is unknown.
        let fresh = age.is_none_or(|age| slot.stored_at <= now && now.since(slot.stored_at) <= age);
        (now < slot.expires_at && fresh).then_some(slot.entry)
    }

    /// Stores unless something newer is known. See [`Cache::put`].
    pub(crate) fn keep(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        let now = self.clock.now();
        self.in_turn(key, || {
            let floor = self.floors.get(key).filter(|floor| now < floor.until).map_or(i64::MIN, |floor| floor.version);
            let held = self
                .values
                .peek(key)
                .filter(|slot| now < slot.expires_at.plus(self.floor_ttl))
                .map_or(i64::MIN, |slot| slot.entry.version);
            if entry.version < floor.max(held) {
                return false;
            }
            self.values.insert(key.clone(), Slot { entry: entry.unread(), stored_at: now, expires_at: now.plus(ttl) });
            true
        })
    }

    /// Drops everything up to `version` and remembers it as the floor.
    pub(crate) fn drop_until(&self, key: &CacheKey, version: i64) {
        let now = self.clock.now();
        self.in_turn(key, || {
            let known = self.floors.get(key).filter(|floor| now < floor.until).map_or(i64::MIN, |floor| floor.version);
            self.floors.insert(key.clone(), Floor { version: version.max(known), until: now.plus(self.floor_ttl) });
            self.values.remove_if(key, |slot| slot.entry.version <= version);
        });
    }

    /// Forgets all values (floors stay): invalidations may have been missed.
    pub(crate) fn forget_values(&self) {
        self.values.clear();
    }

    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Hands `message` to the subscribers of this process; none is fine.
    pub(crate) fn tell(&self, message: Message) {
        let _nobody_listens = self.fanout.send(message);
    }

    #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the fixed length")]
    fn in_turn<T>(&self, key: &CacheKey, work: impl FnOnce() -> T) -> T {
        let index = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0);
        let _turn = self.stripes[index].lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

#[async_trait]
impl Cache for Memory {
    async fn get(&self, key: &CacheKey) -> Option<Entry> {
        let found = self.find(key, None);
        count(key, if found.is_some() { "hit" } else { "miss" });
        found
    }

    async fn put(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        self.keep(key, entry, ttl)
    }

    async fn invalidate(&self, key: &CacheKey, version: i64) {
        self.drop_until(key, version);
    }

    fn invalidate_local(&self, key: &CacheKey, version: i64) {
        self.drop_until(key, version);
    }

    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer {
        self.cells.check(limit, key, cost, self.clock.now())
    }

    async fn refund(&self, limit: &Limit, key: &str) {
        self.cells.refund(limit, key, self.clock.now());
    }

    async fn reset_limit(&self, limit: &Limit, key: &str) {
        self.cells.set_debt(limit, key, 0, self.clock.now());
    }

    async fn publish(&self, message: Bytes) {
        self.tell(Message::Payload(message));
    }

    fn subscribe(&self) -> Subscription {
        Subscription::new(self.fanout.subscribe())
    }

    async fn health(&self) -> CacheHealth {
        CacheHealth::InProcess
    }
}

/// Counts a read. Results: `hit` (in process), `hit_redis`, `miss`, `bypass` (Redis is away and it is not in process).
pub(crate) fn count(key: &CacheKey, result: &'static str) {
    metrics::counter!("userd_cache_requests_total", "space" => key.space.clone(), "result" => result).increment(1);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use userd_model::Random;

    use super::*;

    const SECOND: i64 = 1_000_000;
    const TEN: Duration = Duration::from_secs(10);
    /// How long floors hold here, in microseconds.
    const FLOOR: i64 = 60 * SECOND;

    /// Microseconds since the test began.
    struct Hand(AtomicI64);

    impl Hand {
        fn at(&self, micros: i64) {
            self.0.store(1_700_000_000 * SECOND + micros, Ordering::SeqCst);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::SeqCst))
        }
    }

    impl Random for Hand {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn memory() -> (Memory, Arc<Hand>) {
        let clock = Arc::new(Hand(AtomicI64::new(0)));
        clock.at(0);
        let floor_ttl = Duration::from_secs(60);
        let options = CacheOptions { floor_ttl, ..CacheOptions::new(clock.clone(), clock.clone()) };
        (Memory::new(&options), clock)
    }

    fn key() -> CacheKey {
        CacheKey::new("user", "u")
    }

    fn entry(version: i64) -> Entry {
        Entry::new(version, "text")
    }

    #[test]
    fn a_value_is_dead_at_the_end_of_its_life_and_alive_right_before() {
        let (memory, clock) = memory();
        assert!(memory.keep(&key(), entry(1), TEN));
        clock.at(10 * SECOND - 1);
        assert_eq!(memory.find(&key(), None), Some(entry(1)));
        clock.at(10 * SECOND);
        assert_eq!(memory.find(&key(), None), None);
    }

    /// The age of what was stored in the future is unknown: the clock went back.
    #[test]
    fn a_value_of_the_age_that_is_asked_for_is_found_and_no_older_one() {
        let (memory, clock) = memory();
        let age = Some(Duration::from_secs(1));
        assert!(memory.keep(&key(), entry(1), TEN));
        for (micros, is_found) in [(0, true), (SECOND, true), (SECOND + 1, false), (-1, false)] {
            clock.at(micros);
            assert_eq!(memory.find(&key(), age).is_some(), is_found, "{micros}");
            assert!(memory.find(&key(), None).is_some(), "whatever its age");
        }
    }

    #[test]
    fn a_floor_holds_for_its_time_and_for_what_is_below_it() {
        let (memory, clock) = memory();
        memory.drop_until(&key(), 5);
        clock.at(FLOOR - 1);
        assert!(!memory.keep(&key(), entry(4), TEN));
        clock.at(FLOOR);
        assert!(memory.keep(&key(), entry(4), TEN));
        memory.drop_until(&key(), 5);
        assert_eq!(memory.find(&key(), None), None);
        assert!(memory.keep(&key(), entry(5), TEN), "what is as new as the floor");
    }

    #[test]
    fn a_floor_never_sinks_while_it_holds() {
        let (memory, clock) = memory();
        memory.drop_until(&key(), 5);
        memory.drop_until(&key(), 3);
        assert!(!memory.keep(&key(), entry(4), TEN));
        clock.at(FLOOR);
        memory.drop_until(&key(), 3);
        assert!(memory.keep(&key(), entry(4), TEN), "the one of before is forgotten");
    }

    #[test]
    fn only_what_is_up_to_the_version_is_dropped() {
        let (memory, _clock) = memory();
        assert!(memory.keep(&key(), entry(5), TEN));
        memory.drop_until(&key(), 4);
        assert_eq!(memory.find(&key(), None), Some(entry(5)));
        memory.drop_until(&key(), 5);
        assert_eq!(memory.find(&key(), None), None);
    }

    /// A load that began before it died may still come.
    #[test]
    fn a_dead_value_keeps_older_ones_out_for_as_long_as_a_floor_would() {
        let (memory, clock) = memory();
        assert!(memory.keep(&key(), entry(5), TEN));
        assert!(!memory.keep(&key(), entry(4), TEN));
        clock.at(10 * SECOND + FLOOR - 1);
        assert!(!memory.keep(&key(), entry(4), TEN));
        clock.at(10 * SECOND + FLOOR);
        assert!(memory.keep(&key(), entry(4), TEN));
    }

    #[test]
    fn floors_outlive_values_that_are_forgotten() {
        let (memory, _clock) = memory();
        memory.drop_until(&key(), 2);
        assert!(memory.keep(&key(), entry(2), TEN));
        memory.forget_values();
        assert_eq!(memory.find(&key(), None), None);
        assert!(!memory.keep(&key(), entry(1), TEN));
    }

    #[test]
    fn a_value_weighs_its_bytes_twice_its_id_and_what_holds_them() {
        let now = Timestamp::from_micros(0);
        let slot = Slot { entry: Entry::new(1, "ten bytes."), stored_at: now, expires_at: now };
        assert_eq!(Weight.weight(&CacheKey::new("user", "abc"), &slot), 3 + 20 + 160);
    }
}
