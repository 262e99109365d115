//! Challenges: a proof that does not suffice yet is kept, sealed, under the hash of a challenge, until the step that is
//! asked for is resolved. A challenge begins no session: whatever resolves it completes again (`completion.rs`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::OpaqueSecret;
use userd_model::{Document, FactorMethod, IdentityId, PendingStep, Refusal, Sealed, Timestamp, UserId};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use super::Sessions;
use crate::{change::Change, sealing::row_context, user_reader::internal};

/// A step between the proof and the session.
#[derive(Clone, Serialize)]
pub struct Pending {
    /// What is asked for: the `status` of a [`PendingStep`].
    pub status: String,
    /// Opens only the routes that resolve the step.
    pub challenge: String,
    /// How the step can be resolved, where there is a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<FactorMethod>,
    /// What has to be accepted, where that is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// Seconds.
    pub expires_in: u64,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.status)
    }
}

/// What somebody who shows a challenge has proven so far.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EarlierProof {
    /// The `status` of the step.
    pub step: String,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// When.
    pub auth_time: Timestamp,
    pub device_name: Option<String>,
    /// The account elsewhere, where that was the proof.
    pub identity: Option<IdentityId>,
    /// Whom the tokens are to be for; none: this service.
    #[serde(default)]
    pub audience: Option<String>,
    /// Whether the device was known to the user by its token.
    #[serde(default)]
    pub known_device: bool,
    /// Wrong answers so far.
    #[serde(default)]
    pub failures: u32,
}

/// A challenge that is good now.
pub(crate) struct Challenge {
    hash: [u8; 32],
    expires_at: Timestamp,
    pub user: UserId,
    pub proven: EarlierProof,
}

impl Challenge {
    /// The answer that gave it out, as it is now: the step is still asked for.
    pub(crate) fn again(&self, text: &str, now: Timestamp) -> Pending {
        Pending {
            status: self.proven.step.clone(),
            challenge: text.to_owned(),
            methods: Vec::new(),
            documents: Vec::new(),
            expires_in: self.expires_at.since(now).as_secs(),
        }
    }

    /// What names it in the database.
    pub(crate) const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

/// How long somebody has for a pending step.
pub(super) const CHALLENGE_LIFE: Duration = Duration::from_secs(600);
/// After so many wrong answers a challenge is gone: whoever was wrong that often starts again, and is counted again.
const MOST_FAILURES: u32 = 5;
pub(super) const PREFIX: &str = "";
pub(crate) const CHALLENGE_PURPOSE: &str = "sign_in_challenge";
pub(super) const CONTEXT: &str = "one_time_tokens|sign_in_challenge";

impl Sessions {
    /// Asks for a step: what was proven so far is kept.
    pub(super) async fn ask(
        &self,
        change: &mut Change<'_>,
        step: PendingStep,
        methods: Vec<FactorMethod>,
        (user, proven): (UserId, EarlierProof),
    ) -> Result<Pending, Failure> {
        let (challenge, hash) = OpaqueSecret::mint(PREFIX, self.deps.random.as_ref());
        let proven = EarlierProof { step: step.status().to_owned(), failures: 0, ..proven };
        let token = OneTimeToken {
            hash: hash.to_vec(),
            purpose: CHALLENGE_PURPOSE.to_owned(),
            owner: Some(user),
            payload: self.seal_proven(&hash, &proven)?,
            created_at: change.now,
            expires_at: change.now.plus(CHALLENGE_LIFE),
        };
        change.one_time_tokens().insert(&token).await?;
        let (status, expires_in) = (step.status().to_owned(), CHALLENGE_LIFE.as_secs());
        Ok(Pending { status, challenge: challenge.to_string(), methods, documents: Vec::new(), expires_in })
    }

    /// The challenge with this text, if it asks for `step` and is still good.
    ///
    /// # Errors
    /// `ChallengeGone`.
    pub(crate) async fn challenge(
        &self,
        unit: &mut UnitOfWork,
        text: &str,
        step: PendingStep,
        now: Timestamp,
    ) -> Result<Challenge, Failure> {
        let found = self.any_challenge(unit, text, now).await?;
        if found.proven.step == step.status() { Ok(found) } else { Err(Refusal::ChallengeGone.into()) }
    }

    /// The same, whatever it asks for: opens nothing.
    ///
    /// # Errors
    /// `ChallengeGone`.
    pub(crate) async fn any_challenge(
        &self,
        unit: &mut UnitOfWork,
        text: &str,
        now: Timestamp,
    ) -> Result<Challenge, Failure> {
        let hash = OpaqueSecret::hash_of(PREFIX, text).ok_or(Refusal::ChallengeGone)?;
        let found = unit.one_time_tokens().find(&hash, CHALLENGE_PURPOSE, now).await?.ok_or(Refusal::ChallengeGone)?;
        let user = found.owner.ok_or(Refusal::ChallengeGone)?;
        let expires_at = found.expires_at;
        let bytes = self.deps.vault.open(&row_context(CONTEXT, &[&hash]), &Sealed(found.payload)).map_err(internal)?;
        let proven: EarlierProof = serde_json::from_slice(&bytes).map_err(internal)?;
        Ok(Challenge { hash, expires_at, user, proven })
    }

    /// Uses a challenge up: its step is resolved.
    pub(crate) async fn resolve(&self, change: &mut Change<'_>, challenge: &Challenge) -> Result<(), Failure> {
        let now = change.now;
        let taken = change.one_time_tokens().take(&challenge.hash, CHALLENGE_PURPOSE, now).await?;
        taken.map(drop).ok_or_else(|| Refusal::ChallengeGone.into())
    }

    /// Counts a wrong answer, in the change that compared it: of many at once none is left out.
    pub(crate) async fn fail(&self, change: &mut Change<'_>, mut challenge: Challenge) -> Result<(), Failure> {
        challenge.proven.failures += 1;
        if challenge.proven.failures >= MOST_FAILURES {
            return self.resolve(change, &challenge).await;
        }
        let payload = self.seal_proven(&challenge.hash, &challenge.proven)?;
        Ok(change.one_time_tokens().update_payload(&challenge.hash, &payload).await?)
    }

    fn seal_proven(&self, hash: &[u8; 32], proven: &EarlierProof) -> Result<Vec<u8>, Failure> {
        let plain = serde_json::to_vec(proven).map_err(internal)?;
        let sealed = self.deps.vault.seal(self.deps.random.as_ref(), &row_context(CONTEXT, &[hash]), &plain);
        Ok(sealed.map_err(internal)?.0)
    }
}
