//! The cache room: hot reads, rate limits and the fan-out of revocations, in process or shared through Redis.
//!
//! Deliberately absent: what is cached and which limits exist (services decide), and any promise that a value stays.
//! Nothing here is a source of truth: every answer may be "not here", and callers then read the database. No method
//! returns an error and none waits longer than the configured timeout, so a dead Redis costs speed only.

mod fanout;
mod gcra;
mod memory;
mod options;
mod redis;
mod tiered;
mod typed;

use std::{
    any::Any,
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;

pub use fanout::{Message, Subscription};
pub use gcra::{Limit, LimitAnswer};
pub use memory::Memory;
pub use options::{CacheOptions, LONGEST_LIFE};
pub use tiered::Tiered;
pub use typed::{Cached, Loaded};

/// What every cache can do. Two forms: [`Memory`] (one process) and [`Tiered`] (memory in front of Redis).
#[async_trait]
pub trait Cache: Send + Sync {
    /// The newest value known under `key`, or `None`: not here, expired, below the floor, or not reachable.
    async fn get(&self, key: &CacheKey) -> Option<Entry>;

    /// Keeps `entry` for at most `ttl`. Answers `false` when a newer version (or its tombstone) is known: the caller's
    /// value was stale when it arrived and must not be kept anywhere.
    async fn put(&self, key: &CacheKey, entry: Entry, ttl: Duration) -> bool;

    /// Drops every value up to and including `version` here and on every replica, and for a while refuses to keep a
    /// value *below* `version`. Call it after the commit that wrote `version`. Finishes even if the caller goes away.
    async fn invalidate(&self, key: &CacheKey, version: i64);

    /// As [`Cache::invalidate`], in this process only and without waiting: for feeds that every replica reads itself.
    fn invalidate_local(&self, key: &CacheKey, version: i64);

    /// Takes `cost` from the allowance of `key` under `limit`, or refuses and takes nothing. Atomic: ask *before* the
    /// guarded work, so that a parallel storm never gets more than the burst (reserve, then verify).
    async fn check(&self, limit: &Limit, key: &str, cost: u32) -> LimitAnswer;

    /// Gives back one unit taken by [`Cache::check`].
    async fn refund(&self, limit: &Limit, key: &str);

    /// Makes the whole allowance of `key` available again.
    async fn reset_limit(&self, limit: &Limit, key: &str);

    /// Sends `message` to every subscriber in this process at once and to those of the other replicas in milliseconds.
    /// It can be lost while Redis is away: subscribers also poll what they must not miss. Finishes even if the caller
    /// goes away.
    async fn publish(&self, message: Bytes);

    /// Everything published from now on.
    fn subscribe(&self) -> Subscription;

    /// How the cache is doing. Never a reason to refuse traffic.
    async fn health(&self) -> CacheHealth;
}

/// Where a value lives: a space (what kind of thing, named by the code) and an id within it (any text at all).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    space: Cow<'static, str>,
    id: String,
}

impl CacheKey {
    /// The key of `id` in `space`. A space is a kind of thing, for example `user`; when the shape of its values
    /// changes, it gets a new name (`user.2`), so that two releases can share one Redis.
    pub fn new(space: &'static str, id: impl Into<String>) -> Self {
        Self { space: Cow::Borrowed(space), id: id.into() }
    }

    /// A key that another replica named.
    pub(crate) fn heard(space: String, id: String) -> Self {
        Self { space: Cow::Owned(space), id }
    }

    /// The kind of thing.
    #[must_use]
    pub fn space(&self) -> &str {
        &self.space
    }

    /// The id within the space.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A value and the version of the row that it was made from. Versions of one key only grow.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Version of the underlying row.
    pub version: i64,
    /// The value, opaque here.
    pub bytes: Bytes,
    /// What the bytes say, once somebody has read them from this process's memory: shared by all who read them there.
    decoded: Decoded,
}

/// A value of some type, made once.
type Decoded = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

impl Entry {
    /// A value that nobody has read yet.
    pub fn new(version: i64, bytes: impl Into<Bytes>) -> Self {
        Self { version, bytes: bytes.into(), decoded: Arc::default() }
    }

    /// The same bytes, not read yet: what they say depends on the key that they are kept under.
    fn unread(self) -> Self {
        Self { decoded: Arc::default(), ..self }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.version, &self.bytes) == (other.version, &other.bytes)
    }
}

impl Eq for Entry {}

/// State of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheHealth {
    /// There is no server; everything is in this process.
    InProcess,
    /// The server answers and its fan-out is being read.
    Connected,
    /// The server is away: this process answers alone, limits count per replica, values live a second at most.
    Degraded,
}

/// A configuration that can never work. A server that is merely away is not an error.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The URL is malformed. The text never contains the URL, which may hold a password.
    #[error("cache url: {0}")]
    Url(&'static str),
    /// The certificate file of the authority cannot be read or parsed.
    #[error("cache certificate authority file: {0}")]
    Authority(String),
    /// The client refused the settings.
    #[error("cache settings: {0}")]
    Settings(String),
}

/// Whether [`connect`] would understand `url`. Contacts nobody.
pub fn check_url(url: &str) -> Result<(), CacheError> {
    if url == "memory:" { Ok(()) } else { redis::check_url(url) }
}

/// Opens the cache that `url` names: `memory:` (in process), or Redis by `redis://`, `rediss://` (TLS),
/// `redis+cluster://`, `redis+sentinel://host:port,…/master-name`, each also as `rediss+…://`.
///
/// A server that does not answer now is logged and tried again in the background; the cache starts degraded.
pub async fn connect(url: &str, options: CacheOptions) -> Result<Arc<dyn Cache>, CacheError> {
    if url == "memory:" {
        return Ok(Arc::new(Memory::new(&options)));
    }
    Ok(Arc::new(Tiered::connect(url, options).await?))
}
