//! What `/readyz` asks: the database must answer; without the cache the service is slower, but ready.

use std::sync::Arc;

use userd_cache::CacheHealth;
use userd_http::{PartState, Readiness};
use userd_services::Services;

/// Asks the parts.
pub struct AskParts(pub Arc<Services>);

#[async_trait::async_trait]
impl Readiness for AskParts {
    async fn parts(&self) -> Vec<(&'static str, PartState)> {
        let deps = &self.0.deps;
        let (database, cache) = tokio::join!(deps.store.health(), deps.cache.health());
        let database = if database.is_ok() { PartState::Ok } else { PartState::Down };
        let cache = if cache == CacheHealth::Degraded { PartState::Degraded } else { PartState::Ok };
        let keys = deps.crypto.tokens.active_kid().map_or(PartState::Down, |_| PartState::Ok);
        vec![("database", database), ("cache", cache), ("signing_keys", keys)]
    }
}
