//! Terms: what a user accepts is remembered with its time and where it came from, and asked for as a step of the sign-in
//! where a required document is not accepted in the version that counts now.

use userd_model::{Accepted, PendingStep, Refusal, terms};
use userd_storage::Failure;

use super::Accounts;
use crate::{
    Completion, Context,
    consent::{Consent, remember},
    limits::Limited,
    sign_in_outcome,
};

const STEP: PendingStep = PendingStep::Terms;

impl Accounts {
    /// Accepts documents with the challenge of a sign-in, and goes on with it.
    ///
    /// # Errors
    /// `ChallengeGone`; `InvalidInput` where a required one is missing (the challenge stays), `TooManyAttempts`; and those of
    /// the completion.
    pub async fn accept_terms(
        &self,
        ctx: &Context,
        challenge: &str,
        accept: &[Accepted],
    ) -> Result<Completion, Failure> {
        let end = self.accept_with(ctx, challenge, accept).await;
        sign_in_outcome::ended(sign_in_outcome::TERMS, end.as_ref().map(Completion::who));
        end
    }

    async fn accept_with(&self, ctx: &Context, text: &str, accept: &[Accepted]) -> Result<Completion, Failure> {
        let now = self.deps.now();
        let found = self.sessions.challenge(&mut self.deps.store.reading(), text, STEP, now).await;
        let found = self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        let missing = || Refusal::field("/accept", "must name every required document in its current version");
        let consent = &Consent::given(&self.deps, ctx, accept)?.ok_or_else(missing)?;
        let arrival = &self.sessions.arrive_again(ctx, found.user, found.proven, now);
        let completed = self
            .changes
            .run(ctx, "accept_terms", |mut change| async move {
                let now = change.now;
                let challenge = self.sessions.challenge(&mut change, text, STEP, now).await?;
                let user = change.active_user(challenge.user).await?;
                let key = user.data_key.as_ref().ok_or(Refusal::ChallengeGone)?;
                remember(&mut change, user.id, &consent.rows(&self.deps, user.id, key)?).await?;
                let accepted = change.terms_acceptances().of_user(user.id).await?;
                if !terms::owed(&self.deps.settings.documents, &accepted).is_empty() {
                    return Err(missing().into());
                }
                self.sessions.resolve(&mut change, &challenge).await?;
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(completed).await
            })
            .await?;
        self.sessions.completion(completed, arrival).await
    }
}
