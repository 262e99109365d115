//! The replay guard: one primitive for everything that may happen once (a state, a nonce, a widget payload, a vote).

use userd_model::Timestamp;

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// What may be used once, and has been.
pub struct ReplayGuard<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { REPLAY_GUARD:
    BY_HASH = "replay_guard.by_hash": Shape::Find;
    INSERT = "replay_guard.insert": Shape::Insert;
}

impl ReplayGuard<'_> {
    /// Uses up `hash`: true for the first caller whose unit of work commits, false for all others. What was used
    /// stays used until it is swept after `expires_at`, by when the caller must refuse it for its age.
    ///
    /// # Errors
    /// `Conflict` when another one was using it at the same moment.
    pub async fn consume_once(
        &mut self,
        hash: &[u8],
        purpose: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.0.one(&BY_HASH, &[hash.into()], used).await?.is_some() {
            return Ok(false);
        }
        match self.0.write_now(&INSERT, &[hash.into(), purpose.into(), expires_at.into()]).await {
            // It was not there a moment ago: a lost race. PostgreSQL has given up the transaction, so run again.
            Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict),
            other => other.map(|()| true),
        }
    }

    /// Whether `hash` has been used: for looking before costly work, never for deciding.
    pub async fn was_consumed(&mut self, hash: &[u8]) -> Result<bool, StoreError> {
        Ok(self.0.one(&BY_HASH, &[hash.into()], used).await?.is_some())
    }
}

fn used(row: &mut Row) -> Result<(), StoreError> {
    row.bytes(position!(REPLAY_GUARD.hash)).map(drop)
}
