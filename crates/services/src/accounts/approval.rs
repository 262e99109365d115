//! An account that waits until it is approved: its owner, who has just proven who they are, asks whether it is.

use userd_model::{PendingStep, Refusal};
use userd_storage::Failure;

use super::Accounts;
use crate::{Completion, Context, limits::Limited, sign_in_outcome};

const STEP: PendingStep = PendingStep::Approval;

impl Accounts {
    /// Goes on with a sign-in that waits for the approval of its account. While nobody has decided, the answer is the same
    /// step, and the challenge stays.
    ///
    /// # Errors
    /// `ChallengeGone`, `Blocked` for an account that was refused, `TooManyAttempts`; and those of the completion.
    pub async fn ask_whether_approved(&self, ctx: &Context, challenge: &str) -> Result<Completion, Failure> {
        let end = self.go_on_when_approved(ctx, challenge).await;
        sign_in_outcome::ended(sign_in_outcome::APPROVAL, end.as_ref().map(Completion::who));
        end
    }

    async fn go_on_when_approved(&self, ctx: &Context, text: &str) -> Result<Completion, Failure> {
        let now = self.deps.now();
        let found = self.sessions.challenge(&mut self.deps.store.reading(), text, STEP, now).await;
        let found = self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        let user = self.deps.store.reading().users().find(found.user).await?.ok_or(Refusal::ChallengeGone)?;
        if user.awaits_approval_since.is_some() && user.must_be_active(now).is_ok() {
            return Ok(Completion::Pending(found.again(text, now)));
        }
        let arrival = &self.sessions.arrive_again(ctx, found.user, found.proven, now);
        let completed = self
            .changes
            .run(ctx, "sign_in_approved", |mut change| async move {
                let now = change.now;
                let challenge = self.sessions.challenge(&mut change, text, STEP, now).await?;
                let user = change.active_user(challenge.user).await?;
                self.sessions.resolve(&mut change, &challenge).await?;
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(completed).await
            })
            .await?;
        self.sessions.completion(completed, arrival).await
    }
}
