//! What `/readyz` asks: the database must find rows and keep them, and the signing keys in it must open; without the cache the service is
//! slower, but ready.

use std::{sync::Arc, time::Duration};

use userd_cache::CacheHealth;
use userd_http::{PartState, Readiness};
use userd_services::Services;

/// A database that answers later than this does not serve, whatever it answers.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the parts.
pub struct AskParts(pub Arc<Services>);

#[async_trait::async_trait]
impl Readiness for AskParts {
    async fn parts(&self) -> Vec<(&'static str, PartState)> {
        let deps = &self.0.deps;
        let database = tokio::time::timeout(DATABASE_TIMEOUT, self.0.health.database());
        let (database, cache) = tokio::join!(database, deps.cache.health());
        let state = |works: bool| if works { PartState::Ok } else { PartState::Down };
        let (reads, writes) = database.map_or((false, false), |database| (database.reads, database.writes));
        let cache = if cache == CacheHealth::Degraded { PartState::Degraded } else { PartState::Ok };
        let has_keys = deps.crypto.tokens.active_kid().is_some() && self.0.signing_keys.are_readable();
        // Accounts that are sealed under another key are served elsewhere; the others here.
        let master = if deps.crypto.fields.lacks_a_key() { PartState::Degraded } else { PartState::Ok };
        vec![
            ("database", state(reads && writes)),
            ("database_read", state(reads)),
            ("database_write", state(writes)),
            ("cache", cache),
            ("signing_keys", state(has_keys)),
            ("master_key", master),
        ]
    }
}
