//! The numbers of the cache room and their defaults. Deliberately absent: where they come from (the configuration).

use std::{path::PathBuf, sync::Arc, time::Duration};

use userd_model::{Clock, Random};
use zeroize::Zeroizing;

/// No value of a [`Cached`](crate::Cached) lives longer, wherever it is kept.
pub const LONGEST_LIFE: Duration = Duration::from_secs(330);

/// Everything that can be set. Start from [`CacheOptions::new`] and change fields.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds a password")]
pub struct CacheOptions {
    /// Time for expiry and for limits in process.
    pub clock: Arc<dyn Clock>,
    /// Chance for the name of this replica in the fan-out.
    pub random: Arc<dyn Random>,
    /// Most bytes of values kept in process.
    pub memory_bytes: u64,
    /// Most rate-limit cells kept in process (about 40 bytes each).
    pub limit_cells: usize,
    /// How long a version floor is remembered after an invalidation: longer than any value lives, and any load after it. A
    /// replica that hears of a change by a feed of its own raises its floor and no other: what the second level still holds
    /// must be dead before that floor is forgotten.
    pub floor_ttl: Duration,
    /// Longest life of a value in the in-process level (L1) in front of Redis; zero switches that level off.
    pub l1_ttl: Duration,
    /// Longest age of a value that L1 still answers with while the fan-out is not heard.
    pub degraded_age: Duration,
    /// Text before every Redis key, so that several services can share one server.
    pub key_prefix: String,
    /// Longest wait of a caller for Redis; then the breaker opens and this process answers alone.
    pub response_timeout: Duration,
    /// Longest wait of the background task for a new connection.
    pub connection_timeout: Duration,
    /// How long one read of the fan-out waits for news; also how soon a silent connection is noticed.
    pub fanout_wait: Duration,
    /// About how many messages the fan-out keeps for replicas that were cut off.
    pub fanout_length: usize,
    /// PEM file of the certificate authority for `rediss://`; the system's authorities when absent.
    pub authority_file: Option<PathBuf>,
    /// User name for Redis, before the one in the URL.
    pub username: Option<String>,
    /// Password for Redis, before the one in the URL.
    pub password: Option<Zeroizing<String>>,
}

impl CacheOptions {
    /// The defaults.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            clock,
            random,
            memory_bytes: 64 << 20,
            limit_cells: 200_000,
            floor_ttl: LONGEST_LIFE.saturating_add(Duration::from_secs(60)),
            l1_ttl: Duration::from_secs(30),
            degraded_age: Duration::from_secs(1),
            key_prefix: "userd".to_owned(),
            response_timeout: Duration::from_millis(50),
            connection_timeout: Duration::from_secs(1),
            fanout_wait: Duration::from_millis(400),
            fanout_length: 10_000,
            authority_file: None,
            username: None,
            password: None,
        }
    }
}
