//! Signing in by a passkey alone. Nobody says who they are before the proof, and whoever gives a wrong one hears the same
//! whether there is such an account, such a passkey, or neither.

use serde_json::Value;
use userd_crypto::OpaqueSecret;
use userd_model::{FactorMethod, Refusal, UserId, factor::with_method};
use userd_storage::Failure;
use uuid::Uuid;

use super::{
    super::Factors,
    PasskeyBegun, malformed,
    questions::{LIFE, Question, SIGN_IN},
};
use crate::{
    Completion, Context,
    limits::Limited,
    sessions::{EarlierProof, device_name},
    sign_in_outcome,
    user_reader::internal,
};

impl Factors {
    /// Asks for whatever passkey the browser has.
    ///
    /// # Errors
    /// `NotFound` where there are none here; `TooManyAttempts`.
    pub async fn begin_passkey_sign_in(&self, ctx: &Context) -> Result<PasskeyBegun, Failure> {
        let passkeys = self.passkeys()?;
        self.limits.reserve_from(Limited::PasskeyPerNetwork, &ctx.origin).await?;
        let begun = passkeys.begin_proof(&[]).map_err(internal)?;
        let (challenge, hash) = OpaqueSecret::mint("", self.deps.random.as_ref());
        let (hash, question) = (&hash, &Question { state: begun.state, ..Question::default() });
        self.changes
            .run(ctx, "begin_passkey_sign_in", |mut change| async move {
                self.remember(&mut change, SIGN_IN, (hash, None), question).await?;
                change.commit(()).await
            })
            .await?;
        Ok(PasskeyBegun { challenge: challenge.to_string(), options: begun.options, expires_in: LIFE.as_secs() })
    }

    /// Signs in by the browser's answer.
    ///
    /// # Errors
    /// `NotFound` where there are none here; `ChallengeGone`; `InvalidPasskey` for whatever is wrong with the answer;
    /// `TooManyAttempts`, and those of the completion.
    pub async fn finish_passkey_sign_in(
        &self,
        ctx: &Context,
        challenge: &str,
        answer: &Value,
        device: Option<&str>,
    ) -> Result<Completion, Failure> {
        self.passkeys()?;
        let end = self.prove_by_passkey(ctx, challenge, answer, device).await;
        sign_in_outcome::ended(sign_in_outcome::PASSKEY, end.as_ref().map(Completion::who));
        end
    }

    async fn prove_by_passkey(
        &self,
        ctx: &Context,
        challenge: &str,
        answer: &Value,
        device: Option<&str>,
    ) -> Result<Completion, Failure> {
        self.limits.reserve_from(Limited::PasskeyPerNetwork, &ctx.origin).await?;
        let (device_name, now) = (device_name(device)?, self.deps.now());
        let hash = &OpaqueSecret::hash_of("", challenge).ok_or(Refusal::ChallengeGone)?;
        let named = &self.passkeys()?.named(answer).map_err(malformed)?;
        let user = UserId(named.handle.unwrap_or(Uuid::nil()));
        let proven = EarlierProof {
            step: String::new(),
            amr: with_method(Vec::new(), FactorMethod::Passkey),
            auth_time: now,
            device_name,
            identity: None,
            audience: ctx.audience.clone(),
            known_device: false,
            failures: 0,
        };
        let arrival = &self.sessions.arrive_again(ctx, user, proven, now);
        let completed = self
            .changes
            .run(ctx, "sign_in_by_passkey", |mut change| async move {
                let question = self.take(&mut change, SIGN_IN, (hash, None)).await?.ok_or(Refusal::ChallengeGone)?;
                let Some(user) = change.users().find(user).await? else { return change.commit(None).await };
                let held = change.factors().of_user(user.id).await?;
                let shown = (question.state.as_str(), named, answer);
                if !self.is_right_passkey(&mut change, &user, held, shown).await? {
                    return change.commit(None).await;
                }
                let completed = self.sessions.complete(&mut change, user, arrival).await.map_err(unknown)?;
                change.commit(Some(completed)).await
            })
            .await?
            .ok_or(Refusal::InvalidPasskey)?;
        self.limits.give_back(Limited::PasskeyPerNetwork, &ctx.origin.network).await;
        self.sessions.completion(completed, arrival).await
    }
}

/// An account that is gone is no account.
fn unknown(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Refusal::InvalidPasskey.into(),
        other => other,
    }
}
