//! Idempotency keys: a repeated request gets the saved answer. The answer is saved in the same unit of work as
//! what it answers, so there is no moment in which one exists without the other.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use userd_crypto::Zeroizing;
use userd_model::Refusal;
use userd_storage::{Failure, UnitOfWork, repositories::idempotency_keys::IdempotencyRecord};

use crate::{Dependencies, change::Change, user_reader::internal};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
const CONTEXT: &str = "idempotency_keys";

/// One request's idempotency: its key (with who asks and what for) and its body, both as keyed hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    key_hash: Vec<u8>,
    body_hash: Vec<u8>,
}

/// Saved answers.
#[derive(Clone)]
pub struct IdempotencyKeys {
    deps: Dependencies,
}

impl IdempotencyKeys {
    pub(crate) const fn new(deps: Dependencies) -> Self {
        Self { deps }
    }

    /// Names a request: `scope` is who asks for what (`POST /v1/auth/register|anonymous`).
    #[must_use]
    pub fn request(&self, scope: &str, key: &str, body: &[u8]) -> IdempotentRequest {
        let index = &self.deps.crypto.index;
        let key_hash = index.keyed_hash("idempotency key", &[scope.as_bytes(), key.as_bytes()]).to_vec();
        let body_hash = index.keyed_hash("idempotency body", &[body]).to_vec();
        IdempotentRequest { key_hash, body_hash }
    }

    /// The saved answer, outside any unit of work: before costly work is done for nothing.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another body.
    pub async fn saved<T: DeserializeOwned>(&self, request: Option<&IdempotentRequest>) -> Result<Option<T>, Failure> {
        self.find(&mut self.deps.store.reading(), request).await
    }

    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        uow: &mut UnitOfWork,
        request: Option<&IdempotentRequest>,
    ) -> Result<Option<T>, Failure> {
        let Some(request) = request else { return Ok(None) };
        let Some(record) = uow.idempotency_keys().find(&request.key_hash, self.deps.now()).await? else {
            return Ok(None);
        };
        if record.body_hash != request.body_hash {
            return Err(Refusal::IdempotencyMismatch.into());
        }
        let bytes = self.deps.vault.open(CONTEXT, &record.answer).map_err(internal)?;
        serde_json::from_slice(&bytes).map(Some).map_err(internal)
    }

    /// Saves the answer, sealed, with what it answers. A request without a key saves nothing.
    pub(crate) async fn save<T: Serialize>(
        &self,
        change: &mut Change<'_>,
        request: Option<&IdempotentRequest>,
        answer: &T,
    ) -> Result<(), Failure> {
        let Some(request) = request else { return Ok(()) };
        let bytes = Zeroizing::new(serde_json::to_vec(answer).map_err(internal)?);
        let record = IdempotencyRecord {
            key_hash: request.key_hash.clone(),
            body_hash: request.body_hash.clone(),
            answer: self.deps.vault.seal(self.deps.random.as_ref(), CONTEXT, &bytes).map_err(internal)?,
            created_at: change.now,
            expires_at: change.now.plus(KEPT),
        };
        Ok(change.idempotency_keys().insert(&record).await?)
    }
}
