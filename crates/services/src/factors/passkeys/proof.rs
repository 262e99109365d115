//! A passkey as a second factor, and for stepping up. The question belongs to the sign-in or the session that it was asked
//! in: an answer that was given elsewhere is worth nothing here.

use serde_json::Value;
use userd_model::{Act, Factor, FactorKind, PendingStep, Refusal, User};
use userd_storage::Failure;

use super::{
    super::Factors,
    PasskeyBegun, malformed,
    questions::{LIFE, PROOF, Question},
};
use crate::{Context, change::Change, limits::Limited, sealing::hex, user_reader::internal};

impl Factors {
    /// Asks whoever has the challenge of a sign-in for one of the account's passkeys.
    ///
    /// # Errors
    /// `NotFound` where there are none; `ChallengeGone`, `TooManyAttempts`.
    pub async fn begin_second_factor(&self, ctx: &Context, challenge: &str) -> Result<PasskeyBegun, Failure> {
        self.passkeys()?;
        self.limits.reserve_from(Limited::PasskeyPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let found =
            self.sessions.challenge(&mut reading, challenge, PendingStep::SecondFactor, self.deps.now()).await?;
        let user = reading.users().find(found.user).await?.ok_or(Refusal::ChallengeGone)?;
        let held = reading.factors().of_user(user.id).await?;
        self.ask_for_proof(ctx, (&user, &held), challenge.to_owned(), hex(found.hash())).await
    }

    /// Asks whoever is signed in for one of their passkeys.
    ///
    /// # Errors
    /// `NotFound` where there are none; `TooManyAttempts`.
    pub async fn begin_step_up(&self, ctx: &Context) -> Result<PasskeyBegun, Failure> {
        self.passkeys()?;
        let (user, session) = ctx.user()?;
        ctx.may(&Act::StepUp(user))?;
        self.limits.reserve_from(Limited::PasskeyPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let user = reading.users().find(user).await?.ok_or(Refusal::NotSignedIn)?;
        let held = reading.factors().of_user(user.id).await?;
        self.ask_for_proof(ctx, (&user, &held), String::new(), session.to_string()).await
    }

    async fn ask_for_proof(
        &self,
        ctx: &Context,
        (user, held): (&User, &[Factor]),
        challenge: String,
        bound_to: String,
    ) -> Result<PasskeyBegun, Failure> {
        if !held.iter().any(|factor| factor.kind == FactorKind::Passkey) {
            return Err(Refusal::NotFound.into());
        }
        let begun = self.passkeys()?.begin_proof(&self.credential_ids(user, held)?).map_err(internal)?;
        let hash = &self.hash_within(PROOF, &bound_to);
        let question = &Question { state: begun.state, bound_to, name: None };
        self.changes
            .run(ctx, "begin_passkey_proof", |mut change| async move {
                self.remember(&mut change, PROOF, (hash, Some(user.id)), question).await?;
                change.commit(()).await
            })
            .await?;
        Ok(PasskeyBegun { challenge, options: begun.options, expires_in: LIFE.as_secs() })
    }

    /// Whether the answer is right, to what was asked in this sign-in or session.
    pub(in super::super) async fn is_right_answer(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: Vec<Factor>,
        (answer, bound_to): (&Value, &str),
    ) -> Result<bool, Failure> {
        let Some(passkeys) = &self.deps.passkeys else { return Ok(false) };
        let named = passkeys.named(answer).map_err(malformed)?;
        let hash = self.hash_within(PROOF, bound_to);
        let Some(question) = self.take(change, PROOF, (&hash, Some(user.id))).await? else { return Ok(false) };
        self.is_right_passkey(change, user, held, (&question.state, &named, answer)).await
    }
}
