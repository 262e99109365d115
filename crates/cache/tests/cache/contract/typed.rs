//! The typed front: one load for many callers, and no value that belongs to another id.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::task::JoinSet;
use userd_cache::{Cache, CacheHealth, CacheKey, Cached, Entry, Limit, LimitAnswer, Loaded, Subscription};

use super::Fixture;
use crate::support::{MINUTE, TestRng};

type Names = Cached<String, &'static str>;

fn names(cache: &Arc<dyn Cache>) -> Arc<Names> {
    Arc::new(Cached::new(cache.clone(), Arc::new(TestRng), "name", MINUTE))
}

fn loaded(version: i64, name: &str) -> Result<Option<Loaded<String>>, &'static str> {
    Ok(Some(Loaded { version, value: name.to_owned() }))
}

/// F31: one question for a hundred who miss.
pub(crate) async fn a_hundred_misses_load_once(fixture: Fixture) {
    let names = names(&fixture.a);
    let (loads, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (names, loads, asked) = (names.clone(), loads.clone(), asked.clone());
        callers.spawn(async move {
            asked.fetch_add(1, Ordering::SeqCst);
            names
                .get_or_load("u", || async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    while asked.load(Ordering::SeqCst) < 100 {
                        tokio::task::yield_now().await;
                    }
                    loaded(1, "Ada")
                })
                .await
        });
    }
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap(), Ok(Some(Arc::new("Ada".to_owned()))));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    assert_eq!(names.get_or_load("u", || async { Err("warm") }).await, Ok(Some(Arc::new("Ada".to_owned()))));
}

pub(crate) async fn a_load_that_is_dropped_or_panics_wedges_nobody(fixture: Fixture) {
    let names = names(&fixture.a);
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let stuck = tokio::spawn({
        let names = names.clone();
        async move {
            names
                .get_or_load("u", || async {
                    begun.send(()).unwrap();
                    std::future::pending().await
                })
                .await
        }
    });
    begins.recv().await.unwrap();
    let waiting = tokio::spawn({
        let names = names.clone();
        async move { names.get_or_load("u", || async { panic!("the loader is broken") }).await }
    });
    stuck.abort();
    assert!(waiting.await.unwrap_err().is_panic(), "it took over, and broke in its turn");
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some(Arc::new("Ada".to_owned()))));
}

pub(crate) async fn an_absence_is_not_remembered(fixture: Fixture) {
    let names = names(&fixture.a);
    assert_eq!(names.get_or_load("u", || async { Ok(None) }).await, Ok(None));
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some(Arc::new("Ada".to_owned()))));
}

pub(crate) async fn a_failed_load_is_shared_and_not_remembered(fixture: Fixture) {
    let names = names(&fixture.a);
    let (loads, asked) = (AtomicU32::new(0), AtomicU32::new(0));
    let fails = async || {
        asked.fetch_add(1, Ordering::SeqCst);
        let load = || async {
            loads.fetch_add(1, Ordering::SeqCst);
            while asked.load(Ordering::SeqCst) < 2 {
                tokio::task::yield_now().await;
            }
            Err("database away")
        };
        names.get_or_load("u", load).await
    };
    let (first, second) = tokio::join!(fails(), fails());
    assert_eq!((first, second), (Err("database away"), Err("database away")));
    assert!(loads.load(Ordering::SeqCst) <= 2, "{loads:?}");
    assert_eq!(names.get_or_load("u", || async { loaded(1, "Ada") }).await, Ok(Some(Arc::new("Ada".to_owned()))));
}

pub(crate) async fn a_value_that_carries_another_id_is_a_miss(fixture: Fixture) {
    let names = names(&fixture.a);
    assert!(names.get_or_load("mallory", || async { loaded(9, "Mallory") }).await.is_ok());
    // Read once more, so that what it says is remembered beside its bytes.
    assert_eq!(
        names.get_or_load("mallory", || async { Err("it is in the cache") }).await,
        Ok(Some(Arc::new("Mallory".to_owned())))
    );
    let of_mallory = fixture.a.get(&CacheKey::new("name", "mallory")).await.unwrap();
    assert!(fixture.a.put(&CacheKey::new("name", "ada"), of_mallory.clone(), MINUTE).await);
    assert_eq!(names.get_or_load("ada", || async { loaded(9, "Ada") }).await, Ok(Some(Arc::new("Ada".to_owned()))));

    let nonsense = userd_cache::Entry::new(1, of_mallory.bytes.slice(..7));
    assert!(fixture.a.put(&CacheKey::new("name", "bob"), nonsense, MINUTE).await);
    assert_eq!(names.get_or_load("bob", || async { loaded(1, "Bob") }).await, Ok(Some(Arc::new("Bob".to_owned()))));
}

pub(crate) async fn a_change_during_the_load_is_loaded_again(fixture: Fixture) {
    let names = names(&fixture.a);
    let loads = AtomicU32::new(0);
    let answer = names
        .get_or_load("u", || async {
            if loads.fetch_add(1, Ordering::SeqCst) > 0 {
                return loaded(2, "Countess Lovelace");
            }
            let read_before_the_change = loaded(1, "Ada");
            names.invalidate("u", 2).await;
            read_before_the_change
        })
        .await;
    assert_eq!(answer, Ok(Some(Arc::new("Countess Lovelace".to_owned()))));
    assert_eq!(
        names.get_or_load("u", || async { Err("warm") }).await,
        Ok(Some(Arc::new("Countess Lovelace".to_owned())))
    );
}

/// A cache whose first answer takes its time on the way.
struct Dawdling {
    inner: Arc<dyn Cache>,
    first: AtomicU32,
    gate: tokio::sync::Semaphore,
}

#[async_trait::async_trait]
impl Cache for Dawdling {
    async fn get(&self, key: &CacheKey) -> Option<Entry> {
        let answer = self.inner.get(key).await;
        if self.first.fetch_add(1, Ordering::SeqCst) == 0 {
            self.gate.acquire().await.unwrap().forget();
        }
        answer
    }
    async fn put(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool {
        self.inner.put(key, entry, ttl).await
    }
    async fn invalidate(&self, key: &CacheKey, version: i64) {
        self.inner.invalidate(key, version).await;
    }
    fn invalidate_local(&self, key: &CacheKey, version: i64) {
        self.inner.invalidate_local(key, version);
    }
    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer {
        self.inner.check(limit, key, cost).await
    }
    async fn refund(&self, limit: &Limit, key: &str) {
        self.inner.refund(limit, key).await;
    }
    async fn reset_limit(&self, limit: &Limit, key: &str) {
        self.inner.reset_limit(limit, key).await;
    }
    async fn publish(&self, message: Bytes) {
        self.inner.publish(message).await;
    }
    fn subscribe(&self) -> Subscription {
        self.inner.subscribe()
    }
    async fn health(&self) -> CacheHealth {
        self.inner.health().await
    }
}

/// Who looked before a load landed and would take off after it finds the loaded value instead.
#[tokio::test]
async fn a_miss_that_arrives_late_does_not_load_again() {
    let inner = Fixture::memory().a;
    let slow = Arc::new(Dawdling { inner, first: AtomicU32::new(0), gate: tokio::sync::Semaphore::new(0) });
    let names: Names = Cached::new(slow.clone(), Arc::new(TestRng), "name", MINUTE);
    let late = names.get_or_load("u", || async { Err("loaded twice") });
    let meanwhile = async {
        let answer = names.get_or_load("u", || async { loaded(1, "Ada") }).await;
        slow.gate.add_permits(1);
        answer
    };
    let (late, meanwhile) = tokio::join!(late, meanwhile);
    assert_eq!(meanwhile, Ok(Some(Arc::new("Ada".to_owned()))));
    assert_eq!(late, Ok(Some(Arc::new("Ada".to_owned()))));
}
