//! The cache of one replica, with a line to the others on which messages are late or lost.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use userd_cache::{Cache, CacheHealth, CacheKey, CacheOptions, Entry, Limit, LimitAnswer, Memory, Subscription};
use userd_storage::testing::{ManualClock, TestRandom};

/// What was said, and to whom.
pub(crate) type Messages = Arc<Mutex<Vec<(usize, Vec<u8>)>>>;

/// See the module.
pub(crate) struct Line {
    memory: Memory,
    others: Vec<usize>,
    messages: Messages,
}

impl Line {
    pub(crate) fn of(replica: usize, clock: Arc<ManualClock>, replicas: usize, messages: Messages) -> Arc<dyn Cache> {
        let memory = Memory::new(&CacheOptions::new(clock, Arc::new(TestRandom::seeded(replica as u64))));
        Arc::new(Self { memory, others: (0..replicas).filter(|other| *other != replica).collect(), messages })
    }
}

#[async_trait]
impl Cache for Line {
    async fn get(&self, key: &CacheKey) -> Option<Entry> {
        self.memory.get(key).await
    }

    async fn put(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        self.memory.put(key, entry, ttl).await
    }

    async fn invalidate(&self, key: &CacheKey, version: i64) {
        self.memory.invalidate(key, version).await;
    }

    fn invalidate_local(&self, key: &CacheKey, version: i64) {
        self.memory.invalidate_local(key, version);
    }

    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer {
        self.memory.check(limit, key, cost).await
    }

    async fn refund(&self, limit: &Limit, key: &str) {
        self.memory.refund(limit, key).await;
    }

    async fn reset_limit(&self, limit: &Limit, key: &str) {
        self.memory.reset_limit(limit, key).await;
    }

    async fn publish(&self, message: bytes::Bytes) {
        let mut messages = self.messages.lock().unwrap();
        messages.extend(self.others.iter().map(|other| (*other, message.to_vec())));
    }

    fn subscribe(&self) -> Subscription {
        self.memory.subscribe()
    }

    async fn health(&self) -> CacheHealth {
        self.memory.health().await
    }
}
