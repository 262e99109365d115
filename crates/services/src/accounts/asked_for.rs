//! What a challenge asks for: whoever shows one without an answer is told what is missing, and may go on.

use userd_model::{PendingStep, Refusal};
use userd_storage::Failure;

use super::Accounts;
use crate::{Context, limits::Limited, mailbox_proofs::Proofs};

impl Accounts {
    /// The step that a challenge asks for. Changes nothing.
    ///
    /// # Errors
    /// `ChallengeGone`, `TooManyAttempts`.
    pub async fn asked_for(&self, ctx: &Context, challenge: &str) -> Result<PendingStep, Failure> {
        let found = self.step_of(challenge).await;
        self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await
    }

    async fn step_of(&self, challenge: &str) -> Result<PendingStep, Failure> {
        let now = self.deps.now();
        let mut reading = self.deps.store.reading();
        // One of a registration that waits for its address is none of a sign-in.
        let proofs = Proofs(&self.deps);
        match proofs.hash_behind(&mut reading, challenge, now).await? {
            // The challenge's own row outlives the proof that it leads to.
            Some(hash) => match proofs.find(&mut reading, &hash, now).await? {
                Some(proof) if !proof.has_ended() => Ok(PendingStep::Confirmation),
                _ => Err(Refusal::ChallengeGone.into()),
            },
            None => {
                let found = self.sessions.any_challenge(&mut reading, challenge, now).await?;
                Ok(PendingStep::parse(&found.proven.step).ok_or(Refusal::ChallengeGone)?)
            }
        }
    }
}
