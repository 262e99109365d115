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
