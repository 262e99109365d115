//! What the cache tests share: clocks, chance, replicas, waiting. Deliberately absent: cases.

pub(crate) mod proxy;
pub(crate) mod server;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use userd_cache::{Cache, CacheHealth, CacheKey, CacheOptions, Entry, Message, Subscription, Tiered};
use userd_model::{Clock, Random, Timestamp};

/// The real time.
pub(crate) struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
    }
}

/// A time that moves when told to.
pub(crate) struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_700_000_000_000_000))
    }
}

impl ManualClock {
    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Unequal bytes; nothing in these tests is a secret.
pub(crate) struct TestRng;

impl Random for TestRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let chance = RandomState::new().hash_one(()).to_le_bytes();
            chunk.copy_from_slice(&chance[..chunk.len()]);
        }
    }
}

/// Options for a real Redis on a busy machine: patient where patience is not what is tested.
pub(crate) fn patient() -> CacheOptions {
    CacheOptions {
        response_timeout: Duration::from_secs(5),
        connection_timeout: Duration::from_secs(10),
        fanout_wait: Duration::from_millis(50),
        ..CacheOptions::new(Arc::new(WallClock), Arc::new(TestRng))
    }
}

/// As shipped, except for the news, which tests wait for.
pub(crate) fn hasty() -> CacheOptions {
    CacheOptions { fanout_wait: Duration::from_millis(50), ..CacheOptions::new(Arc::new(WallClock), Arc::new(TestRng)) }
}

pub(crate) async fn replica(url: &str, options: CacheOptions) -> Arc<Tiered> {
    Arc::new(Tiered::connect(url, options).await.unwrap())
}

pub(crate) fn key(id: &str) -> CacheKey {
    CacheKey::new("user", id)
}

pub(crate) fn entry(version: i64, text: &str) -> Entry {
    Entry::new(version, text.to_owned())
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Waits, by asking again and again, until `done`; fails after 20 seconds.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut done: F) -> Duration {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

pub(crate) async fn connected(cache: &dyn Cache) {
    eventually("connected", async || cache.health().await == CacheHealth::Connected).await;
}

pub(crate) async fn degraded(cache: &dyn Cache) {
    eventually("degraded", async || cache.health().await == CacheHealth::Degraded).await;
}

/// The next message; fails when none comes in 20 seconds.
pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    tokio::time::timeout(Duration::from_secs(20), subscription.next()).await.unwrap().unwrap()
}
