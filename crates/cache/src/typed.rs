//! The typed front: values of one Rust type in one space, loaded once however many ask at the same time. Deliberately
//! absent: caching of "there is none" (a user created a moment later must be seen at once).

use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use userd_model::Random;

use crate::{Cache, CacheKey, Entry, LONGEST_LIFE};

/// What a loader read from the source of truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<T> {
    /// Version of the row.
    pub version: i64,
    /// The value.
    pub value: T,
}

/// Values of type `T` in one space. Every value carries its space and id, and both are compared when it is read, so
/// that a damaged or tampered store can lose a value but never answer one id with the value of another.
///
/// What is read from this process's memory is decoded once, and shared until it is stored anew.
pub struct Cached<T, E> {
    cache: Arc<dyn Cache>,
    random: Arc<dyn Random>,
    space: &'static str,
    ttl: Duration,
    in_flight: Mutex<InFlight<E>>,
    /// Grows with every stored load, so that a caller who looked before one and begins a load after it looks again.
    epoch: AtomicU64,
    kind: PhantomData<fn() -> T>,
}

/// The loads that run now, by id.
type InFlight<E> = HashMap<String, Arc<Load<E>>>;

/// One load that several callers wait for.
type Load<E> = OnceCell<Result<Outcome, E>>;

/// What a load brought: the encoded value if there is one, and whether the cache knew of something newer.
#[derive(Clone)]
struct Outcome {
    bytes: Option<Bytes>,
    stale: bool,
}

impl<T, E> Cached<T, E>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: Clone,
{
    /// A typed view of `space` whose values live for `ttl` ± 10 % (so that they do not all expire together), and for
    /// [`LONGEST_LIFE`] at most.
    pub fn new(cache: Arc<dyn Cache>, random: Arc<dyn Random>, space: &'static str, ttl: Duration) -> Self {
        for result in ["hit", "miss"] {
            metrics::counter!("userd_cache_requests_total", "space" => space, "result" => result).increment(0);
        }
        Self { cache, random, space, ttl, in_flight: Mutex::default(), epoch: AtomicU64::new(0), kind: PhantomData }
    }

    /// The value of `id`, from the cache or by `load`. Concurrent misses of one id run one `load` and share its answer,
    /// also when it fails; a load whose caller goes away or panics is taken over by the next one who waits.
    pub async fn get_or_load<F, Fut>(&self, id: &str, load: F) -> Result<Option<Arc<T>>, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Option<Loaded<T>>, E>>,
    {
        let key = CacheKey::new(self.space, id);
        let seen = self.epoch.load(Ordering::Acquire);
        if let Some(value) = self.cache.get(&key).await.and_then(|entry| read(&key, &entry)) {
            return Ok(Some(value));
        }
        let mut outcome = self.load_once(&key, seen, &load).await?;
        if outcome.stale {
            // The value changed while it was read. Who joined late must not get the old one: read once more.
            outcome = self.load_once(&key, seen, &load).await?;
        }
        match outcome.bytes {
            None => Ok(None),
            Some(bytes) => match open(&key, &bytes) {
                Some(value) => Ok(Some(Arc::new(value))),
                // Only a type that does not survive its own encoding gets here: load it for this caller alone.
                None => Ok(load().await?.map(|loaded| Arc::new(loaded.value))),
            },
        }
    }

    /// Drops the value of `id` up to `version` on every replica; call it after the commit that wrote `version`.
    pub async fn invalidate(&self, id: &str, version: i64) {
        self.detach(id);
        self.cache.invalidate(&CacheKey::new(self.space, id), version).await;
    }

    /// As [`Cached::invalidate`], in this process only.
    pub fn invalidate_local(&self, id: &str, version: i64) {
        self.detach(id);
        self.cache.invalidate_local(&CacheKey::new(self.space, id), version);
    }

    /// Joins the load of `key` that is in flight, or begins one. `seen`: the epoch at which the cache was looked at.
    async fn load_once<F, Fut>(&self, key: &CacheKey, seen: u64, load: &F) -> Result<Outcome, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Option<Loaded<T>>, E>>,
    {
        let waiter = Waiter::join(&self.in_flight, key.id());
        let begin = async || {
            if self.epoch.load(Ordering::Acquire) != seen
                && let Some(entry) = self.cache.get(key).await.filter(|entry| read::<T>(key, entry).is_some())
            {
                return Ok(Outcome { bytes: Some(entry.bytes), stale: false });
            }
            self.store(key, load().await?).await
        };
        waiter.load.get_or_init(begin).await.clone()
    }

    async fn store(&self, key: &CacheKey, loaded: Option<Loaded<T>>) -> Result<Outcome, E> {
        let Some(Loaded { version, value }) = loaded else {
            return Ok(Outcome { bytes: None, stale: false });
        };
        let bytes = seal(key, &value);
        let stale = match &bytes {
            Some(bytes) => !self.cache.put(key, Entry::new(version, bytes.clone()), self.life()).await,
            None => false,
        };
        self.epoch.fetch_add(1, Ordering::Release);
        // A value that cannot be encoded is handed on as "unreadable", not as absent.
        Ok(Outcome { bytes: Some(bytes.unwrap_or_default()), stale })
    }

    /// Callers that come from now on start a new load instead of joining one that began before the change.
    fn detach(&self, id: &str) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn life(&self) -> Duration {
        let mut chance = [0; 2];
        self.random.fill(&mut chance);
        // 0.9 + 0.2 × chance, in 65,535ths.
        let life = self.ttl.mul_f64(0.9 + 0.2 * f64::from(u16::from_le_bytes(chance)) / f64::from(u16::MAX));
        life.min(LONGEST_LIFE)
    }
}

impl<T, E> std::fmt::Debug for Cached<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cached").field("space", &self.space).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// A caller who waits for a load. The last waiter to go, or the first once the load is done, takes the load out of the
/// map, also when its future is dropped or panics: the map never grows.
struct Waiter<'a, E> {
    in_flight: &'a Mutex<InFlight<E>>,
    id: &'a str,
    load: Arc<Load<E>>,
}

impl<'a, E> Waiter<'a, E> {
    fn join(in_flight: &'a Mutex<InFlight<E>>, id: &'a str) -> Self {
        let load = in_flight.lock().unwrap_or_else(PoisonError::into_inner).entry(id.to_owned()).or_default().clone();
        Self { in_flight, id, load }
    }
}

impl<E> Drop for Waiter<'_, E> {
    fn drop(&mut self) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = in_flight.get(self.id).is_some_and(|load| Arc::ptr_eq(load, &self.load));
        // Two holders: the map and this waiter.
        if mine && (self.load.initialized() || Arc::strong_count(&self.load) <= 2) {
            in_flight.remove(self.id);
        }
    }
}

/// Layout: length of space (u16), space, length of id (u32), id, JSON.
fn seal<T: Serialize>(key: &CacheKey, value: &T) -> Option<Bytes> {
    let mut bytes = BytesMut::with_capacity(64 + key.id().len());
    bytes.put_u16(u16::try_from(key.space().len()).ok()?);
    bytes.put_slice(key.space().as_bytes());
    bytes.put_u32(u32::try_from(key.id().len()).ok()?);
    bytes.put_slice(key.id().as_bytes());
    let mut writer = bytes.writer();
    serde_json::to_writer(&mut writer, value).ok()?;
    Some(writer.into_inner().freeze())
}

/// What an entry says, made by whoever reads it first.
fn read<T: DeserializeOwned + Send + Sync + 'static>(key: &CacheKey, entry: &Entry) -> Option<Arc<T>> {
    if let Some(known) = entry.decoded.get().and_then(|known| Arc::clone(known).downcast().ok()) {
        return Some(known);
    }
    let value = Arc::new(open::<T>(key, &entry.bytes)?);
    // Whoever was first: both say the same.
    let _ = entry.decoded.set(Arc::clone(&value) as _);
    Some(value)
}

fn open<T: DeserializeOwned>(key: &CacheKey, bytes: &[u8]) -> Option<T> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (space, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (id, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let mine = space == key.space().as_bytes() && id == key.id().as_bytes();
    mine.then(|| serde_json::from_slice(rest).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use userd_model::{Clock, Timestamp};

    use super::*;
    use crate::{CacheOptions, Memory};

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(1_000)
        }
    }

    fn cached(chance: u8) -> Cached<String, ()> {
        let options = CacheOptions::new(Arc::new(Fixed(0)), Arc::new(Fixed(0)));
        Cached::new(Arc::new(Memory::new(&options)), Arc::new(Fixed(chance)), "name", Duration::from_secs(100))
    }

    #[test]
    fn values_do_not_all_expire_together() {
        let lives = [0, 128, 255].map(|chance| cached(chance).life().as_secs_f64());
        assert!((lives[0] - 90.0).abs() < 0.1 && (lives[1] - 100.0).abs() < 0.1 && (lives[2] - 110.0).abs() < 0.1);
    }

    /// A feed raises floors in one process: what Redis holds below them must be dead before they are forgotten, with a minute
    /// for a load that began before.
    #[test]
    fn no_value_outlives_a_floor() {
        let options = CacheOptions::new(Arc::new(Fixed(0)), Arc::new(Fixed(0)));
        for seconds in [60, 300, 86_400] {
            let names = Cached { ttl: Duration::from_secs(seconds), ..cached(255) };
            assert!(names.life() + Duration::from_secs(60) <= options.floor_ttl, "{seconds}");
        }
    }

    #[tokio::test]
    async fn what_is_read_again_is_decoded_once_until_it_is_stored_anew() {
        let names = cached(0);
        let read = async |version, name: &str| {
            let load = async || Ok(Some(Loaded { version, value: name.to_owned() }));
            names.get_or_load("u", load).await.unwrap().unwrap()
        };
        read(1, "Ada").await;
        let (first, second) = (read(1, "Ada").await, read(1, "Ada").await);
        assert!(Arc::ptr_eq(&first, &second));
        names.invalidate("u", 2).await;
        read(2, "Countess Lovelace").await;
        let third = read(2, "nobody asks").await;
        assert_eq!((first.as_str(), third.as_str()), ("Ada", "Countess Lovelace"));
    }

    #[tokio::test]
    async fn no_load_stays_in_flight() {
        let names = cached(0);
        for turn in 0..100 {
            let id = turn.to_string();
            let load = async || match turn % 3 {
                0 => Ok(Some(Loaded { version: 1, value: id.clone() })),
                1 => Ok(None),
                _ => Err(()),
            };
            let _answer = names.get_or_load(&id, load).await;
            let dropped = names.get_or_load("dropped", std::future::pending);
            assert!(futures_util::FutureExt::now_or_never(dropped).is_none());
        }
        assert!(names.in_flight.lock().unwrap().is_empty());
    }
}
