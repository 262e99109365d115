//! A new password that somebody demands: set as a step of the sign-in. Until then the owner can do nothing else.

use userd_model::{EventKind, PendingStep, Refusal};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use super::{Accounts, check_new_password};
use crate::{Completion, Context, limits::Limited, passwords::Password, sign_in_outcome};

const STEP: PendingStep = PendingStep::PasswordChange;

impl Accounts {
    /// Sets the new password with the challenge of a sign-in, and goes on with it. Every session so far ends.
    ///
    /// # Errors
    /// `ChallengeGone`; `InvalidInput` (the challenge stays), `TooManyAttempts`, `Busy`; and those of the completion.
    pub async fn change_demanded(&self, ctx: &Context, challenge: &str, new: &Password) -> Result<Completion, Failure> {
        let end = self.set_demanded(ctx, challenge, new).await;
        sign_in_outcome::ended(sign_in_outcome::PASSWORD, end.as_ref().map(Completion::who));
        end
    }

    async fn set_demanded(&self, ctx: &Context, text: &str, new: &Password) -> Result<Completion, Failure> {
        let now = self.deps.now();
        let found = self.sessions.challenge(&mut self.deps.store.reading(), text, STEP, now).await;
        let found = self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        let id = found.user;
        check_new_password(&self.deps, &self.user_reader.show(id).await?, new, "/new_password")?;
        self.proof.must_differ_if_demanded(id, new, &ctx.origin).await?;
        let hash = &self.proof.hash(new, &ctx.origin).await?;
        let arrival = &self.sessions.arrive_again(ctx, id, found.proven, now);
        let completed = self
            .changes
            .run(ctx, "change_demanded_password", |mut change| async move {
                let now = change.now;
                let challenge = self.sessions.challenge(&mut change, text, STEP, now).await?;
                self.sessions.resolve(&mut change, &challenge).await?;
                let user = change.active_user(id).await?;
                change.password_credentials().find(id).await?.ok_or(Refusal::ChallengeGone)?;
                let password =
                    PasswordCredential { user_id: id, hash: hash.clone(), changed_at: now, must_change: false };
                change.password_credentials().upsert(&password).await?;
                change.one_time_tokens().remove_of_owner(id).await?;
                let others = change.sessions().alive_of_user(id, now).await?;
                change.end_sessions(others, "password_changed").await?;
                change.event(EventKind::PasswordChanged, id, serde_json::json!({}));
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(completed).await
            })
            .await?;
        tracing::info!(user_id = %id, "the demanded password is set");
        self.sessions.completion(completed, arrival).await
    }
}
