//! The second step of a sign-in: a challenge of the completion, and a factor that goes with it. However the first step was
//! made, this is the only way on.

use userd_model::{PendingStep, Refusal, factor::with_method};
use userd_storage::Failure;

use super::{Factors, Shown};
use crate::{Completion, Context, limits::Limited, sealing::hex, sessions::EarlierProof, sign_in_outcome};

impl Factors {
    /// Shows a second factor and goes on with the sign-in.
    ///
    /// # Errors
    /// `ChallengeGone`; `InvalidCode` or `InvalidPasskey` for what is wrong, used already, or no factor of the user's; `TooManyAttempts`; and
    /// those of the completion, such as `Blocked`.
    pub async fn second_step(&self, ctx: &Context, challenge: &str, shown: &Shown) -> Result<Completion, Failure> {
        let end = self.show(ctx, challenge, shown).await;
        sign_in_outcome::ended(sign_in_outcome::SECOND_FACTOR, end.as_ref().map(Completion::who));
        end
    }

    async fn show(&self, ctx: &Context, text: &str, shown: &Shown) -> Result<Completion, Failure> {
        let (method, now) = (shown.method(), self.deps.now());
        // Wrong answers count against the account, which all challenges of it share, and against the network, which
        // all accounts share: neither new challenges nor other accounts bring further guesses.
        self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let found = self.sessions.challenge(&mut reading, text, PendingStep::SecondFactor, now).await?;
        let user = found.user;
        self.reserve_try(user, method).await?;
        let amr = with_method(found.proven.amr.clone(), method);
        let proven = EarlierProof { amr, auth_time: now, ..found.proven };
        let arrival = &self.sessions.arrive_again(ctx, user, proven, now);
        let completed = self
            .changes
            .run(ctx, "second_factor", |mut change| async move {
                let now = change.now;
                let challenge = self.sessions.challenge(&mut change, text, PendingStep::SecondFactor, now).await?;
                let user = change.users().find(challenge.user).await?.ok_or(Refusal::ChallengeGone)?;
                let held = change.factors().of_user(user.id).await?;
                let bound_to = hex(challenge.hash());
                if !self.is_right(&mut change, &user, held, (shown, &bound_to)).await? {
                    self.sessions.fail(&mut change, challenge).await?;
                    return change.commit(None).await;
                }
                self.sessions.resolve(&mut change, &challenge).await?;
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(Some(completed)).await
            })
            .await?;
        let completed = completed.ok_or_else(|| shown.refusal())?;
        self.give_try_back(user, method).await;
        self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        self.sessions.completion(completed, arrival).await
    }
}
