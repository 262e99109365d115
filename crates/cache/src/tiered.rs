//! The cache of several replicas, in two levels: L1 is this process's memory, L2 is Redis. Warm reads never leave the
//! process. An invalidation reaches the L1 of the other replicas through the fan-out in milliseconds; while the fan-out
//! is not heard, values in L1 answer for a second at most; while Redis is away, limits count in this process.
//! Deliberately absent: how Redis is spoken to (redis/).

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
    redis::{Found, Kept, Reader, RedisLevel},
};

/// Memory (L1) before Redis (L2).
#[expect(missing_debug_implementations, reason = "holds users' values and a password")]
pub struct Tiered {
    l1: Arc<Memory>,
    l2: Arc<RedisLevel>,
    /// Whether the fan-out is being read without a gap.
    heard: Arc<AtomicBool>,
    l1_ttl: Duration,
    degraded_age: Duration,
    tasks: Vec<JoinHandle<()>>,
}

impl Tiered {
    /// Opens the Redis at `url`. When it does not answer now, the cache starts degraded and keeps trying.
    pub async fn connect(url: &str, options: CacheOptions) -> Result<Self, CacheError> {
        // The client of Redis takes what the process agreed on. A build with the client of YDB has two implementations in it,
        // and Rustls then chooses none by itself.
        let _there_already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let l2 = Arc::new(RedisLevel::new(url, &options)?);
        let l1 = Arc::new(Memory::new(&options));
        let heard = Arc::new(AtomicBool::new(false));
        let mut reader = Reader::new(l2.clone(), l1.clone(), heard.clone());
        let (connected, begun) = tokio::join!(l2.reconnect(), reader.begin());
        if let Err(error) = connected.and(begun) {
            tracing::warn!(%error, "redis does not answer; starting without it and trying on");
        }
        let tasks = vec![tokio::spawn(l2.clone().keep_connected()), tokio::spawn(reader.run())];
        let CacheOptions { l1_ttl, degraded_age, .. } = options;
        Ok(Self { l1, l2, heard, l1_ttl, degraded_age, tasks })
    }

    /// Whether invalidations of other replicas arrive at once.
    fn hears(&self) -> bool {
        self.heard.load(Ordering::Acquire) && self.l2.answers()
    }

    fn l1_get(&self, key: &CacheKey) -> Option<Entry> {
        if self.l1_ttl.is_zero() {
            return None;
        }
        self.l1.find(key, (!self.hears()).then_some(self.degraded_age))
    }

    fn l1_keep(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        self.l1.keep(key, entry, ttl.min(self.l1_ttl))
    }

    /// A value from Redis counts only if this process has not heard of a newer version.
    fn accept(&self, key: &CacheKey, entry: Entry, life: Duration) -> Option<Entry> {
        self.l1_keep(key, entry.clone(), life).then_some(entry)
    }
}

#[async_trait]
impl Cache for Tiered {
    async fn get(&self, key: &CacheKey) -> Option<Entry> {
        if let Some(entry) = self.l1_get(key) {
            count(key, "hit");
            return Some(entry);
        }
        let (entry, result) = match self.l2.get(key).await {
            None => (None, "bypass"),
            Some(Found::Nothing) => (None, "miss"),
            Some(Found::Tombstone(version)) => {
                self.l1.drop_until(key, version);
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
        match self.l2.put(key, &entry, ttl).await {
            Some(Kept::Newer(version)) => {
                if let Some(version) = version {
                    self.l1.drop_until(key, version);
                }
                false
            }
            Some(Kept::Yes) | None => self.l1_keep(key, entry, ttl),
        }
    }

    async fn invalidate(&self, key: &CacheKey, version: i64) {
        self.l1.drop_until(key, version);
        let (l2, key) = (self.l2.clone(), key.clone());
        finish(tokio::spawn(async move { l2.invalidate(&key, version).await })).await;
    }

    fn invalidate_local(&self, key: &CacheKey, version: i64) {
        self.l1.drop_until(key, version);
    }

    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer {
        if cost > limit.burst {
            return LimitAnswer::RetryAfter(limit.period);
        }
        let (cells, now) = (self.l1.cells(), self.l1.now());
        let seed = cells.debt(limit, key, now);
        match self.l2.take(limit, key, i64::from(cost), seed).await {
            None => cells.check(limit, key, cost, self.l1.now()),
            Some((wait, debt)) => {
                // Remembered, so that a Redis that fails or is flushed does not hand out a fresh allowance.
                cells.set_debt(limit, key, debt, self.l1.now());
                if wait > 0 { LimitAnswer::RetryAfter(micros(wait)) } else { LimitAnswer::Allowed }
            }
        }
    }

    async fn refund(&self, limit: &Limit, key: &str) {
        let (cells, now) = (self.l1.cells(), self.l1.now());
        let seed = cells.debt(limit, key, now);
        match self.l2.take(limit, key, -1, seed).await {
            None => cells.refund(limit, key, self.l1.now()),
            Some((_, debt)) => cells.set_debt(limit, key, debt, self.l1.now()),
        }
    }

    async fn reset_limit(&self, limit: &Limit, key: &str) {
        self.l1.cells().set_debt(limit, key, 0, self.l1.now());
        let _reset_here_at_least = self.l2.reset(limit, key).await;
    }

    async fn publish(&self, message: Bytes) {
        self.l1.tell(Message::Payload(message.clone()));
        let l2 = self.l2.clone();
        finish(tokio::spawn(async move { l2.publish(&message).await })).await;
    }

    fn subscribe(&self) -> Subscription {
        self.l1.subscribe()
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
