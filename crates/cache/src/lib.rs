//! The cache room: hot reads, rate limits and the fan-out of revocations, in process or shared through Redis.
//!
//! Deliberately absent: what is cached and which limits exist (services decide), and any promise that a value stays.
//! Nothing here is a source of truth: every answer may be "not here", and callers then read the database. No method
//! returns an error and none waits longer than the configured timeout, so a dead Redis costs speed only.

mod fanout;
mod gcra;
mod memory;
mod options;
mod typed;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use fanout::{Message, Subscription};
pub use gcra::{Limit, LimitAnswer};
pub use memory::Memory;
pub use options::CacheOptions;
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
    /// The kind of thing, for example `user`. Add a number when the value's shape changes: `user.2`.
    pub space: &'static str,
    /// The id within the space; may hold any character.
    pub id: String,
}

impl CacheKey {
    /// The key of `id` in `space`.
    pub fn new(space: &'static str, id: impl Into<String>) -> Self {
        Self {
            space,
            id: id.into(),
        }
    }
}

/// A value and the version of the row that it was made from. Versions of one key only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Version of the underlying row.
    pub version: i64,
    /// The value, opaque here.
    pub bytes: Bytes,
}

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
