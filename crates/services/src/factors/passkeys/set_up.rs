//! Setting a passkey up: in a session that has just given its strongest proof, or as the step of a sign-in that demands
//! a factor. Where it was begun it is finished, once.

use serde_json::Value;
use userd_crypto::OpaqueSecret;
use userd_model::{Act, Factor, FactorId, FactorKind, PendingStep, Refusal, User, UserId, text};
use userd_passkeys::Person;
use userd_storage::Failure;

use super::{
    super::{FactorView, Factors, totp::must_have_room},
    PasskeyBegun, malformed,
    questions::{LIFE, Question, SET_UP},
};
use crate::{Context, change::Change, limits::Limited, recent_proof, sealing::hex, user_reader::internal};

impl Factors {
    /// Asks for a new passkey of the signed-in user.
    ///
    /// # Errors
    /// `NotFound` where there are none here; `InsufficientAuthentication`, `InvalidInput`, `TooManyAttempts`.
    pub async fn begin_passkey(&self, ctx: &Context, name: Option<&str>) -> Result<PasskeyBegun, Failure> {
        self.passkeys()?;
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
        let (challenge, hash) = OpaqueSecret::mint("", self.deps.random.as_ref());
        let whose = (user, held.as_slice(), session.to_string());
        self.ask_for_passkey(ctx, whose, name, (challenge.to_string(), hash)).await
    }

    /// Asks whoever has the challenge of a sign-in that demands a factor.
    ///
    /// # Errors
    /// `NotFound`, `ChallengeGone`, `InvalidInput`, `TooManyAttempts`.
    pub async fn begin_demanded_passkey(
        &self,
        ctx: &Context,
        challenge: &str,
        name: Option<&str>,
    ) -> Result<PasskeyBegun, Failure> {
        self.passkeys()?;
        self.limits.reserve_from(Limited::SecondFactorPerNetwork, &ctx.origin).await?;
        let mut reading = self.deps.store.reading();
        let found = self.sessions.challenge(&mut reading, challenge, PendingStep::FactorSetup, self.deps.now()).await?;
        self.limits.give_back(Limited::SecondFactorPerNetwork, &ctx.origin.network).await;
        let bound_to = hex(found.hash());
        let hash = self.hash_within(SET_UP, &bound_to);
        self.ask_for_passkey(ctx, (found.user, &[], bound_to), name, (challenge.to_owned(), hash)).await
    }

    async fn ask_for_passkey(
        &self,
        ctx: &Context,
        (user, held, bound_to): (UserId, &[Factor], String),
        name: Option<&str>,
        (challenge, hash): (String, [u8; 32]),
    ) -> Result<PasskeyBegun, Failure> {
        must_have_room(held)?;
        let name = name.map(text::device_name).transpose().map_err(|detail| Refusal::field("/name", detail))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        let found = self.deps.store.reading().users().find(user).await?.ok_or(Refusal::NotFound)?;
        let begun = self.creation(&found, held)?;
        let (hash, question) = (&hash, &Question { state: begun.state, bound_to, name });
        self.changes
            .run(ctx, "begin_passkey", |mut change| async move {
                let user = change.active_user(user).await?;
                self.forget(&mut change, SET_UP, user.id).await?;
                self.remember(&mut change, SET_UP, (hash, Some(user.id)), question).await?;
                change.commit(()).await
            })
            .await?;
        Ok(PasskeyBegun { challenge, options: begun.options, expires_in: LIFE.as_secs() })
    }

    fn creation(&self, user: &User, held: &[Factor]) -> Result<userd_passkeys::Begun, Failure> {
        let view = self.user_reader.view(user)?;
        let (name, display_name) = view.names_at_passkeys();
        let person = Person { handle: user.id.0, name: &name, display_name: &display_name };
        self.passkeys()?.begin_creation(&person, &self.credential_ids(user, held)?).map_err(internal)
    }

    /// Takes the browser's answer: from now on the passkey is a factor. Answers recovery codes with the first factor.
    ///
    /// # Errors
    /// `ChallengeGone` for what was not begun in this session a moment ago; `InvalidPasskey`;
    /// `InsufficientAuthentication`, `TooManyAttempts`.
    pub async fn finish_passkey(
        &self,
        ctx: &Context,
        challenge: &str,
        answer: &Value,
    ) -> Result<(FactorView, Option<Vec<String>>), Failure> {
        self.passkeys()?;
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        let hash = &OpaqueSecret::hash_of("", challenge).ok_or(Refusal::ChallengeGone)?;
        let (set, bound_to) = (&self.mint_set(), &session.to_string());
        let id = FactorId::mint(self.deps.random.as_ref());
        let (view, is_first) = self
            .changes
            .run(ctx, "finish_passkey", |mut change| async move {
                let user = change.active_user(user).await?;
                let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let asked = (hash, bound_to.as_str());
                let Some(factor) = self.confirm_passkey(&mut change, &user, &held, id, asked, answer).await? else {
                    return change.commit(None).await;
                };
                if held.is_empty() {
                    self.store_set(&mut change, user.id, set).await?;
                }
                let view = self.view(&user, factor)?;
                change.commit(Some((view, held.is_empty()))).await
            })
            .await?
            .ok_or(Refusal::InvalidPasskey)?;
        Ok((view, is_first.then(|| set.shown())))
    }

    /// The answer to the step of a sign-in.
    pub(in super::super) async fn confirm_demanded_with(
        &self,
        change: &mut Change<'_>,
        user: &User,
        (id, bound_to): (FactorId, &str),
        answer: &Value,
    ) -> Result<bool, Failure> {
        let hash = self.hash_within(SET_UP, bound_to);
        Ok(self.confirm_passkey(change, user, &[], id, (&hash, bound_to), answer).await?.is_some())
    }

    /// The new factor, where the answer is right. The question is used up in any case.
    async fn confirm_passkey(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: &[Factor],
        id: FactorId,
        (hash, bound_to): (&[u8; 32], &str),
        answer: &Value,
    ) -> Result<Option<Factor>, Failure> {
        must_have_room(held)?;
        let question = self.take(change, SET_UP, (hash, Some(user.id))).await?;
        let question = question.filter(|asked| asked.bound_to == bound_to).ok_or(Refusal::ChallengeGone)?;
        let created = match self.passkeys()?.finish_creation(&question.state, answer).map_err(malformed) {
            Ok(created) => created,
            Err(Refusal::InvalidPasskey) => return Ok(None),
            Err(malformed) => return Err(malformed.into()),
        };
        let claim = self.claim_of(user, &created.credential_id, change);
        if change.claims().find(&claim.hash).await?.is_some() {
            return Err(Refusal::field("/credential", "this passkey is set up already").into());
        }
        change.claims().insert(&claim).await?;
        let factor = Factor {
            id,
            user_id: user.id,
            kind: FactorKind::Passkey,
            name: question.name,
            secret: self.seal_secret(user, id, &created.key)?,
            counter: 0,
            created_at: change.now,
            last_used_at: None,
        };
        self.add(change, &factor).await?;
        Ok(Some(factor))
    }
}
