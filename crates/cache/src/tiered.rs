//! The cache of several replicas: memory in front, Redis behind. Warm reads never leave the process. An invalidation
//! reaches the memory of the other replicas through the fan-out in milliseconds; while the fan-out is not heard, values
//! in memory answer for a second at most; while Redis is away, limits count in this process. Deliberately absent: how
//! Redis is spoken to (redis/).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::{
    Cache, CacheError, CacheHealth, CacheKey, CacheOptions, Entry, Limit, LimitAnswer, Memory, Message, Subscription,
    gcra::micros,
    memory::count,
    redis::{Far, Found, Kept, Reader},
};

/// Memory before Redis.
#[expect(missing_debug_implementations, reason = "holds users' values and a password")]
pub struct Tiered {
    near: Arc<Memory>,
    far: Arc<Far>,
    /// Whether the fan-out is being read without a gap.
    heard: Arc<AtomicBool>,
    near_ttl: Duration,
    degraded_age: Duration,
    tasks: Vec<JoinHandle<()>>,
}

impl Tiered {
    /// Opens the Redis at `url`. When it does not answer now, the cache starts degraded and keeps trying.
    ///
    /// # Errors
    /// A malformed URL or an unusable certificate file.
    pub async fn connect(url: &str, options: CacheOptions) -> Result<Self, CacheError> {
        let far = Arc::new(Far::new(url, &options)?);
        let near = Arc::new(Memory::new(&options));
        let heard = Arc::new(AtomicBool::new(false));
        let mut reader = Reader::new(far.clone(), near.clone(), heard.clone());
        let (linked, begun) = tokio::join!(far.relink(), reader.begin());
        if let Err(error) = linked.and(begun) {
            tracing::warn!(%error, "redis does not answer; starting without it and trying on");
        }
        let tasks = vec![tokio::spawn(far.clone().keep_linked()), tokio::spawn(reader.run())];
        let CacheOptions { near_ttl, degraded_age, .. } = options;
        Ok(Self { near, far, heard, near_ttl, degraded_age, tasks })
    }

    /// Whether invalidations of other replicas arrive at once.
    fn hears(&self) -> bool {
        self.heard.load(Ordering::Acquire) && self.far.answers()
    }

    fn near_get(&self, key: &CacheKey) -> Option<Entry> {
        if self.near_ttl.is_zero() {
            return None;
        }
        self.near.find(key, (!self.hears()).then_some(self.degraded_age))
    }

    fn near_keep(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        self.near.keep(key, entry, ttl.min(self.near_ttl))
    }

    /// A value from Redis counts only if this process has not heard of a newer version.
    fn accept(&self, key: &CacheKey, entry: Entry, life: Duration) -> Option<Entry> {
        self.near_keep(key, entry.clone(), life).then_some(entry)
    }
}

#[async_trait]
impl Cache for Tiered {
    async fn get(&self, key: &CacheKey) -> Option<Entry> {
        if let Some(entry) = self.near_get(key) {
            count(key, "hit");
            return Some(entry);
        }
        let (entry, result) = match self.far.get(key).await {
            None => (None, "bypass"),
            Some(Found::Nothing) => (None, "miss"),
            Some(Found::Tombstone(version)) => {
                self.near.drop_until(key, version);
                (None, "miss")
            }
            Some(Found::Value(entry, life)) => match self.accept(key, entry, life) {
                Some(entry) => (Some(entry), "hit_redis"),
                None => (None, "miss"),
            },
        };
        count(key, result);
        entry
    }

    async fn put(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        match self.far.put(key, &entry, ttl).await {
            Some(Kept::Newer(version)) => {
                if let Some(version) = version {
                    self.near.drop_until(key, version);
                }
                false
            }
            Some(Kept::Yes) | None => self.near_keep(key, entry, ttl),
        }
    }

    async fn invalidate(&self, key: &CacheKey, version: i64) {
        self.near.drop_until(key, version);
        let (far, key) = (self.far.clone(), key.clone());
        finish(tokio::spawn(async move { far.invalidate(&key, version).await })).await;
    }

    fn invalidate_local(&self, key: &CacheKey, version: i64) {
        self.near.drop_until(key, version);
    }

    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer {
        if cost > limit.burst {
            return LimitAnswer::RetryAfter(limit.period);
        }
        let (cells, now) = (self.near.cells(), self.near.now());
        let seed = cells.debt(limit, key, now);
        match self.far.take(limit, key, i64::from(cost), seed).await {
            None => cells.check(limit, key, cost, self.near.now()),
            Some((wait, debt)) => {
                // Remembered, so that a Redis that fails or is flushed does not hand out a fresh allowance.
                cells.set_debt(limit, key, debt, self.near.now());
                if wait > 0 { LimitAnswer::RetryAfter(micros(wait)) } else { LimitAnswer::Allowed }
            }
        }
    }

    async fn refund(&self, limit: &Limit, key: &str) {
        let (cells, now) = (self.near.cells(), self.near.now());
        let seed = cells.debt(limit, key, now);
        match self.far.take(limit, key, -1, seed).await {
            None => cells.refund(limit, key, self.near.now()),
            Some((_, debt)) => cells.set_debt(limit, key, debt, self.near.now()),
        }
    }

    async fn reset_limit(&self, limit: &Limit, key: &str) {
        self.near.cells().set_debt(limit, key, 0, self.near.now());
        let _reset_here_at_least = self.far.reset(limit, key).await;
    }

    async fn publish(&self, message: Bytes) {
        self.near.tell(Message::Payload(message.clone()));
        let far = self.far.clone();
        finish(tokio::spawn(async move { far.publish(&message).await })).await;
    }

    fn subscribe(&self) -> Subscription {
        self.near.subscribe()
    }

    async fn health(&self) -> CacheHealth {
        if self.hears() { CacheHealth::Connected } else { CacheHealth::Degraded }
    }
}

impl Drop for Tiered {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Waits for work that goes on even if the waiting future is dropped (a client that hung up must not keep other
/// replicas from hearing of a change).
async fn finish(work: JoinHandle<()>) {
    if let Err(error) = work.await {
        tracing::error!(%error, "telling other replicas broke off");
    }
}
