//! Which access tokens were used here: of each session the newest generation, which tells an answer that was lost from
//! one that arrived. Kept in the cache alone, so that a request costs no write: where it was forgotten, the rule that
//! counts parties still holds (decision 0003). Deliberately absent: both rules (`crates/model/src/session.rs`).

use userd_cache::{CacheKey, Entry};
use userd_model::SessionId;

use super::Sessions;
use crate::Authenticated;

impl Sessions {
    /// An access token was shown here for the first time.
    pub(crate) async fn saw(&self, authenticated: &Authenticated) {
        let claims = &authenticated.token.claims;
        let (Some(session), Some(generation)) = (claims.sid, claims.generation) else { return };
        // The cache keeps the newest version: an older token that is used later hides nothing.
        let entry = Entry::new(generation, Vec::new());
        self.deps.cache.put(&key(session), entry, self.deps.settings.refresh_ttl).await;
    }

    /// The generation of the newest access token of the session that was used here.
    pub(super) async fn newest_seen(&self, session: SessionId) -> Option<i64> {
        self.deps.cache.get(&key(session)).await.map(|entry| entry.version)
    }
}

fn key(session: SessionId) -> CacheKey {
    CacheKey::new("session.seen", session.to_string())
}
