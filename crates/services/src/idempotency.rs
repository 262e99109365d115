//! Idempotency keys: a repeated request names what the first one made. That is saved in the same unit of work as what
//! it names, so there is no moment in which one exists without the other. Answers are never saved: tokens are issued
//! anew, and any other secret is kept apart, for minutes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{Zeroizing, constant_time_eq};
use userd_model::{
    AccessRequestId, ClientId, FactorId, InvitationId, MessageId, Refusal, Sealed, Timestamp, UserId, WebhookId,
};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{idempotency_keys::IdempotencyRecord, one_time_tokens::OneTimeToken},
};

use crate::{Dependencies, change::Change, sealing::row_context, user_reader::internal};

/// How long a repeat is recognised.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a secret is shown again to a repeat.
const SECRET_SHOWN: Duration = Duration::from_secs(600);
pub(crate) const SECRET_PURPOSE: &str = "idempotent_secret";
/// Stands for the owner's consent to repeats: gone with everything else that would begin a session of theirs.
pub(crate) const REPLAY_PURPOSE: &str = "idempotent_replay";

/// One request's idempotency: its key (with who asks and what for) and its body, both as keyed hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    key_hash: Vec<u8>,
    body_hash: Vec<u8>,
}

/// What a request made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub(crate) enum Made {
    User(UserId),
    Client(ClientId),
    Webhook(WebhookId),
    Message(MessageId),
    Invitation(InvitationId),
    /// A registration that waits for its address: what names it is the challenge, which is kept as a secret.
    Registration,
    Role(String),
    Permission(String),
    AccessRequest(AccessRequestId),
    /// A set-up that waits for its first code.
    Factor(FactorId),
}

/// What an earlier request with the same key made.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    pub made: Made,
    /// Whether it had the same body. With another one it is not this request's.
    pub same_body: bool,
}

/// Requests that came before.
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

    /// What came before under this key, outside any unit of work: before costly work is done for nothing.
    ///
    /// # Errors
    /// `ReplayRefused` for a record that is not what was written there.
    pub(crate) async fn earlier(&self, request: Option<&IdempotentRequest>) -> Result<Option<Earlier>, Failure> {
        self.look_up(&mut self.deps.store.reading(), request).await
    }

    /// What this very request made before.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another body; `ReplayRefused` once its owner's password changed,
    /// the account was blocked, or everybody was signed out of it.
    pub(crate) async fn find(
        &self,
        uow: &mut UnitOfWork,
        request: Option<&IdempotentRequest>,
    ) -> Result<Option<Made>, Failure> {
        let Some(earlier) = self.look_up(uow, request).await? else { return Ok(None) };
        if !earlier.same_body {
            return Err(Refusal::IdempotencyMismatch.into());
        }
        let guard = request.map(|request| self.hash(REPLAY_PURPOSE, request));
        match guard {
            Some(hash) if uow.one_time_tokens().find(&hash, REPLAY_PURPOSE, self.deps.now()).await?.is_none() => {
                Err(Refusal::ReplayRefused.into())
            }
            _ => Ok(Some(earlier.made)),
        }
    }

    async fn look_up(
        &self,
        uow: &mut UnitOfWork,
        request: Option<&IdempotentRequest>,
    ) -> Result<Option<Earlier>, Failure> {
        let Some(request) = request else { return Ok(None) };
        let Some(record) = uow.idempotency_keys().find(&request.key_hash, self.deps.now()).await? else {
            return Ok(None);
        };
        let context = row_context("idempotency_keys", &[&record.key_hash, &record.body_hash]);
        let made = self.deps.vault.open(&context, &record.answer).ok();
        let Some(made) = made.and_then(|bytes| serde_json::from_slice(&bytes).ok()) else {
            tracing::error!("a row of idempotency_keys is not the one that was written there; the repeat is refused");
            return Err(Refusal::ReplayRefused.into());
        };
        Ok(Some(Earlier { made, same_body: constant_time_eq(&record.body_hash, &request.body_hash) }))
    }

    /// Saves what was made, with it. A request without a key saves nothing. What begins sessions of `owner` no longer
    /// when their password changes, ends repeats too.
    pub(crate) async fn save(
        &self,
        change: &mut Change<'_>,
        request: Option<&IdempotentRequest>,
        made: Made,
        owner: Option<UserId>,
    ) -> Result<(), Failure> {
        let Some(request) = request else { return Ok(()) };
        let IdempotentRequest { key_hash, body_hash } = request.clone();
        let bytes = serde_json::to_vec(&made).map_err(internal)?;
        let context = row_context("idempotency_keys", &[&key_hash, &body_hash]);
        let answer = self.deps.vault.seal(self.deps.random.as_ref(), &context, &bytes).map_err(internal)?;
        let (created_at, expires_at) = (change.now, change.now.plus(KEPT));
        let guard = OneTimeToken {
            hash: self.hash(REPLAY_PURPOSE, request).to_vec(),
            purpose: REPLAY_PURPOSE.to_owned(),
            owner,
            payload: Vec::new(),
            created_at,
            expires_at,
        };
        let record = IdempotencyRecord { key_hash, body_hash, answer, created_at, expires_at };
        change.idempotency_keys().insert(&record).await?;
        Ok(change.one_time_tokens().replace(&guard).await?)
    }

    /// Keeps a secret of the answer for a repeat that comes soon.
    pub(crate) async fn keep_secret(
        &self,
        change: &mut Change<'_>,
        request: Option<&IdempotentRequest>,
        owner: Option<UserId>,
        secret: &str,
    ) -> Result<(), Failure> {
        let Some(request) = request else { return Ok(()) };
        let hash = self.hash(SECRET_PURPOSE, request);
        let random = self.deps.random.as_ref();
        let sealed = self.deps.vault.seal(random, &secret_context(&hash), secret.as_bytes()).map_err(internal)?;
        let kept = OneTimeToken {
            hash: hash.to_vec(),
            purpose: SECRET_PURPOSE.to_owned(),
            owner,
            payload: sealed.0,
            created_at: change.now,
            expires_at: change.now.plus(SECRET_SHOWN),
        };
        Ok(change.one_time_tokens().replace(&kept).await?)
    }

    /// The secret of the first answer.
    ///
    /// # Errors
    /// `SecretAlreadyShown` when its minutes are over.
    pub(crate) async fn secret(
        &self,
        uow: &mut UnitOfWork,
        request: Option<&IdempotentRequest>,
    ) -> Result<Zeroizing<String>, Failure> {
        Ok(self.secret_until(uow, request).await?.0)
    }

    /// The same, and until when it is shown.
    pub(crate) async fn secret_until(
        &self,
        uow: &mut UnitOfWork,
        request: Option<&IdempotentRequest>,
    ) -> Result<(Zeroizing<String>, Timestamp), Failure> {
        let hash = request.map(|request| self.hash(SECRET_PURPOSE, request)).ok_or(Refusal::SecretAlreadyShown)?;
        let found = uow.one_time_tokens().find(&hash, SECRET_PURPOSE, self.deps.now()).await?;
        let kept = found.ok_or(Refusal::SecretAlreadyShown)?;
        let until = kept.expires_at;
        let bytes = self.deps.vault.open(&secret_context(&hash), &Sealed(kept.payload)).map_err(internal)?;
        let text = std::str::from_utf8(&bytes).map_err(internal)?;
        Ok((Zeroizing::new(text.to_owned()), until))
    }

    fn hash(&self, purpose: &str, request: &IdempotentRequest) -> [u8; 32] {
        self.deps.crypto.index.keyed_hash(purpose, &[&request.key_hash])
    }
}

fn secret_context(hash: &[u8]) -> String {
    row_context("one_time_tokens|idempotent_secret", &[hash])
}
