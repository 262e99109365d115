//! Idempotency keys: a repeated request gets the saved answer. The answer is saved in the same unit of work as
//! what it answers, so there is no moment in which one exists without the other.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use userd_model::{Refusal, Sealed, Timestamp};
use userd_storage::{Failure, UnitOfWork, repositories::idempotency_keys::IdempotencyRecord};

use crate::{Parts, people::internal};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
const CONTEXT: &str = "idempotency_keys";

/// One request's idempotency: its key (with who asks and what for) and its body, both as keyed hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    key_hash: Vec<u8>,
    body_hash: Vec<u8>,
}

/// Saved answers.
#[derive(Clone)]
pub struct Answers {
    parts: Parts,
}

impl Answers {
    pub(crate) const fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Names a request: `scope` is who asks for what (`POST /v1/auth/register|anonymous`).
    #[must_use]
    pub fn once(&self, scope: &str, key: &str, body: &[u8]) -> Once {
        let index = &self.parts.crypto.index;
        let key_hash = index.keyed_hash("idempotency key", &[scope.as_bytes(), key.as_bytes()]).to_vec();
        let body_hash = index.keyed_hash("idempotency body", &[body]).to_vec();
        Once { key_hash, body_hash }
    }

    /// The saved answer, outside any unit of work: before costly work is done for nothing.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another body.
    pub async fn saved<T: DeserializeOwned>(&self, once: Option<&Once>) -> Result<Option<T>, Failure> {
        self.find(&mut self.parts.store.reading(), once).await
    }

    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        uow: &mut UnitOfWork,
        once: Option<&Once>,
    ) -> Result<Option<T>, Failure> {
        let Some(once) = once else { return Ok(None) };
        let Some(record) = uow.idempotency_keys().find(&once.key_hash, self.parts.now()).await? else {
            return Ok(None);
        };
        if record.body_hash != once.body_hash {
            return Err(Refusal::IdempotencyMismatch.into());
        }
        let bytes = self.parts.vault.open(CONTEXT, &record.answer).map_err(internal)?;
        serde_json::from_slice(&bytes).map(Some).map_err(internal)
    }

    /// Seals an answer before the unit of work that will save it.
    pub(crate) fn seal<T: Serialize>(&self, answer: &T) -> Result<Sealed, Failure> {
        let bytes = serde_json::to_vec(answer).map_err(internal)?;
        self.parts.vault.seal(self.parts.random.as_ref(), CONTEXT, &bytes).map_err(internal)
    }

    pub(crate) async fn save(
        &self,
        uow: &mut UnitOfWork,
        once: Option<&Once>,
        answer: &Sealed,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(once) = once else { return Ok(()) };
        let record = IdempotencyRecord {
            key_hash: once.key_hash.clone(),
            body_hash: once.body_hash.clone(),
            answer: answer.clone(),
            created_at: now,
            expires_at: now.plus(KEPT),
        };
        Ok(uow.idempotency_keys().insert(&record).await?)
    }
}
