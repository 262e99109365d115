//! A factor that policy demands of somebody who holds none: set up as a step of the sign-in. Until it is there, they can do
//! nothing else.

use serde_json::Value;
use userd_model::{Act, FactorId, FactorKind, FactorMethod, PendingStep, Refusal, UserId, factor::with_method};
use userd_storage::Failure;

use super::{Factors, TotpBegun, held::remove_all};
use crate::{
    Completion, Context, limits::Limited, recent_proof, sealing::hex, sessions::EarlierProof, sign_in_outcome,
    users::sign_out_everywhere,
};

const STEP: PendingStep = PendingStep::FactorSetup;

/// The first showing of a factor.
#[derive(Clone, Copy)]
enum First<'a> {
    Code(&'a str),
    Passkey(&'a Value),
}

impl First<'_> {
    const fn method(self) -> FactorMethod {
        match self {
            Self::Code(_) => FactorMethod::Totp,
            Self::Passkey(_) => FactorMethod::Passkey,
        }
    }

    const fn refusal(self) -> Refusal {
        match self {
            Self::Code(_) => Refusal::InvalidCode,
            Self::Passkey(_) => Refusal::InvalidPasskey,
        }
    }
}

impl Factors {
    /// Begins setting an authenticator app up with the challenge of a sign-in.
    ///
    /// # Errors
    /// `ChallengeGone`, `InvalidInput`, `TooManyAttempts`.
    pub async fn begin_demanded(
        &self,
        ctx: &Context,
        challenge: &str,
        name: Option<&str>,
    ) -> Result<TotpBegun, Failure> {
        self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let found = self.sessions.challenge(&mut reading, challenge, STEP, self.deps.now()).await?;
        self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        let hash = found.hash();
        self.begin_waiting(ctx, (found.user, self.setup_id(hash)), name, &hex(hash), None).await
    }

    /// What was begun with the challenge, once more: for whoever has shown a wrong code.
    ///
    /// # Errors
    /// `ChallengeGone`; `NotFound` where nothing waits, or not any more; `TooManyAttempts`.
    pub async fn waiting_demanded(&self, ctx: &Context, challenge: &str) -> Result<TotpBegun, Failure> {
        self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let found = self.sessions.challenge(&mut reading, challenge, STEP, self.deps.now()).await?;
        self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        let hash = found.hash();
        self.waiting(found.user, self.setup_id(hash), &hex(hash)).await
    }

    /// Shows a first code with the challenge, and goes on with the sign-in. Answers the recovery codes too.
    ///
    /// # Errors
    /// `ChallengeGone`, also where there is a factor meanwhile: then that one is to be shown. `NotFound` where nothing was
    /// begun; `InvalidCode`, `TooManyAttempts`; and those of the completion.
    pub async fn confirm_demanded(
        &self,
        ctx: &Context,
        challenge: &str,
        code: &str,
    ) -> Result<(Completion, Vec<String>), Failure> {
        self.confirm(ctx, challenge, First::Code(code)).await
    }

    /// The same by the answer to [`Self::begin_demanded_passkey`].
    ///
    /// # Errors
    /// `ChallengeGone`; `InvalidPasskey`, `TooManyAttempts`; and those of the completion.
    pub async fn confirm_demanded_passkey(
        &self,
        ctx: &Context,
        challenge: &str,
        answer: &Value,
    ) -> Result<(Completion, Vec<String>), Failure> {
        self.passkeys()?;
        self.confirm(ctx, challenge, First::Passkey(answer)).await
    }

    async fn confirm(&self, ctx: &Context, text: &str, first: First<'_>) -> Result<(Completion, Vec<String>), Failure> {
        let end = self.confirm_with(ctx, text, first).await;
        sign_in_outcome::ended(sign_in_outcome::SECOND_FACTOR, end.as_ref().map(|(completion, _)| completion.who()));
        end
    }

    async fn confirm_with(
        &self,
        ctx: &Context,
        text: &str,
        first: First<'_>,
    ) -> Result<(Completion, Vec<String>), Failure> {
        let now = self.deps.now();
        self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
        let found = self.sessions.challenge(&mut self.deps.store.reading(), text, STEP, now).await?;
        let (user, set) = (found.user, &self.mint_set());
        let amr = with_method(found.proven.amr.clone(), first.method());
        let arrival = &self.sessions.arrive_again(ctx, user, EarlierProof { amr, auth_time: now, ..found.proven }, now);
        let completed = self
            .changes
            .run(ctx, "set_up_demanded_factor", |mut change| async move {
                let now = change.now;
                let challenge = self.sessions.challenge(&mut change, text, STEP, now).await?;
                let user = change.active_user(challenge.user).await?;
                let held = change.factors().of_user(user.id).await?;
                if !held.is_empty() {
                    return Err(Refusal::ChallengeGone.into());
                }
                let waiting = (self.setup_id(challenge.hash()), hex(challenge.hash()));
                let waiting = (waiting.0, waiting.1.as_str());
                let is_right = match first {
                    First::Code(code) => self.confirm_waiting(&mut change, &user, &held, waiting, code).await?,
                    First::Passkey(answer) => self.confirm_demanded_with(&mut change, &user, waiting, answer).await?,
                };
                if !is_right {
                    self.sessions.fail(&mut change, challenge).await?;
                    return change.commit(None).await;
                }
                self.store_set(&mut change, user.id, set).await?;
                self.sessions.resolve(&mut change, &challenge).await?;
                let completed = self.sessions.complete(&mut change, user, arrival).await?;
                change.commit(Some(completed)).await
            })
            .await?
            .ok_or_else(|| first.refusal())?;
        self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        Ok((self.sessions.completion(completed, arrival).await?, set.shown()))
    }

    /// Removes all factors of somebody who has lost them, by an administrator: every session ends, and the user is told.
    ///
    /// # Errors
    /// `Forbidden`, also for one's own; `InsufficientAuthentication`, `NotFound`; `LastWayIn` where a passkey is all that they
    /// come in by: they are sent a link to set a password first.
    pub async fn reset(&self, ctx: &Context, of: UserId) -> Result<(), Failure> {
        ctx.may(&Act::ResetFactors(of))?;
        self.changes
            .run(ctx, "reset_factors", |mut change| async move {
                recent_proof::must_be_given_by_people(ctx, &self.deps.settings, &mut change).await?;
                recent_proof::must_not_be_above(ctx, &mut change, of).await?;
                let mut user = change.users().find(of).await?.ok_or(Refusal::NotFound)?;
                let taken = remove_all(&mut change, of, "reset").await?;
                if taken.iter().any(|factor| factor.kind == FactorKind::Passkey) {
                    self.must_leave_way_in(&mut change, &user, FactorKind::Passkey).await?;
                }
                if !taken.is_empty() {
                    sign_out_everywhere(&mut change, &mut user, "factors_reset").await?;
                }
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %of, by = %ctx.actor.name(), "second factors were reset");
        Ok(())
    }

    /// The factor that a sign-in will set up has the same id however often it begins.
    fn setup_id(&self, challenge: &[u8; 32]) -> FactorId {
        let hash = self.deps.crypto.index.keyed_hash("factor of a challenge", &[challenge]);
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        FactorId::from_random(bytes)
    }
}
