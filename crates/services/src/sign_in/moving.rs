//! Moving an account elsewhere from one user to another. Whoever asks is signed in to the one a moment ago, and shows
//! the one-time code of a sign-in to the other by the very account that moves: both sides are proven fresh.
//!
//! The other user keeps a way in, or is deleted with the move where that is asked for (decision 0057). Deliberately absent:
//! merging what the two accounts have.

use userd_model::{DeletedBy, EventKind, Identity, IdentityId, Refusal, User, UserStatus};
use userd_storage::Failure;

use super::{
    SignIn, Start, StartedFlow,
    exchange::{Admitted, code_hash},
    identities::IdentityView,
    identities::{end_its_sessions, identity_of},
    identity_names::{KIND, name},
    login_flow::Purpose,
};
use crate::{
    Context,
    change::Change,
    claims::{claim, claim_all},
    limits::Limited,
    outstanding::begun_dies,
    recent_proof,
};

/// What becomes of a user whose last way in moves away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptied {
    /// The move is refused.
    Kept,
    /// They are deleted as by their owner, who has proven both sides.
    Deleted,
}

impl SignIn {
    /// Begins the way to a code for [`Self::move_here`]. It ends with a link where what was chosen at the provider opens no account:
    /// of whoever moves something none is made.
    ///
    /// # Errors
    /// Those of [`Self::start_link`].
    pub async fn start_move(&self, ctx: &Context, provider: &str, start: Start) -> Result<StartedFlow, Failure> {
        let (user, session) = self.may_link(ctx).await?;
        self.start_for(ctx, provider, start, Purpose::Move { user, session }).await
    }

    /// Moves the account elsewhere that a code was given out for to the signed-in user. The code is used up.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `InvalidCode`, `LastWayIn` where the other user could not come in any more and is kept
    /// (whoever holds a role or a permission always is), `Blocked`.
    pub async fn move_here(
        &self,
        ctx: &Context,
        code: &str,
        verifier: Option<&str>,
        emptied: Emptied,
    ) -> Result<IdentityView, Failure> {
        self.may_link(ctx).await?;
        let hash = &code_hash(code)?;
        let moved = match self.admitted(ctx, hash).await?.filter(|admitted| admitted.is_proven_by(verifier, None)) {
            Some(admitted) => self.move_admitted(ctx, hash, &admitted, emptied).await,
            None => Err(Refusal::InvalidCode.into()),
        };
        if let Err(Failure::Refused(_)) = moved {
            self.void(ctx, hash).await?;
        }
        let view = moved?;
        self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
        Ok(view)
    }

    async fn move_admitted(
        &self,
        ctx: &Context,
        hash: &[u8; 32],
        admitted: &Admitted,
        emptied: Emptied,
    ) -> Result<IdentityView, Failure> {
        let (user, _) = ctx.user()?;
        let id = admitted.identity.ok_or(Refusal::InvalidCode)?;
        let (view, is_deleted) = self
            .changes
            .run(ctx, "move_identity", |mut change| async move {
                self.take_code(&mut change, hash, admitted).await?;
                let here = change.active_user(user).await?;
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                if admitted.user == user {
                    let identity = change.identities().find(id).await?.filter(|identity| identity.user_id == user);
                    let view = self.view(&here, &identity.ok_or(Refusal::InvalidCode)?)?;
                    return change.commit((view, false)).await;
                }
                let there = change.users().find(admitted.user).await?.ok_or(Refusal::InvalidCode)?;
                if there.status == UserStatus::Deleted {
                    return Err(Refusal::InvalidCode.into());
                }
                there.must_be_active(change.now)?;
                // The code proves one factor of theirs; where they hold another one, that is not enough to take something.
                if !change.factors().of_user(there.id).await?.is_empty() {
                    return Err(Refusal::IdentityTaken.into());
                }
                let identity = identity_of(&mut change, there.id, id).await?;
                end_its_sessions(&mut change, &identity).await?;
                let moved = self.adopt(&mut change, &there, &identity, &here).await?;
                for touched in [there.id, here.id] {
                    begun_dies(&self.deps, &mut change, touched).await?;
                }
                let is_deleted = self.settle(&mut change, &there, emptied).await?;
                change.commit((self.view(&here, &moved)?, is_deleted)).await
            })
            .await?;
        if is_deleted {
            self.deletions.wake();
            tracing::info!(user_id = %admitted.user, moved_to = %user, "account deleted, since its last way in moved away");
        }
        Ok(view)
    }

    /// Leaves the other user a way in, or deletes them; answers whether it did. Rights are not lost by the way: whoever holds
    /// any is deleted as such, or not at all.
    async fn settle(&self, change: &mut Change<'_>, there: &User, emptied: Emptied) -> Result<bool, Failure> {
        match self.ways_in.must_be_left(change, there).await {
            Err(Failure::Refused(Refusal::LastWayIn)) if emptied == Emptied::Deleted && !there.holds_rights() => {
                self.deletions.carry_out(change, there.id, DeletedBy::Owner).await?;
                Ok(true)
            }
            left => left.map(|()| false),
        }
    }

    /// Takes an identity from one user and gives it to another: its claims change hands, and what is sealed is sealed
    /// anew under the new owner's key.
    async fn adopt(
        &self,
        change: &mut Change<'_>,
        there: &User,
        identity: &Identity,
        here: &User,
    ) -> Result<Identity, Failure> {
        let (now, id): (_, IdentityId) = (change.now, change.id());
        let subject = self.open(there, identity.id, "subject", &identity.subject)?;
        let remembered = self.remembered(there, identity)?;
        let tokens = match &identity.tokens {
            Some(tokens) => Some(self.seal(here, id, "tokens", &self.open(there, identity.id, "tokens", tokens)?)?),
            None => None,
        };
        self.remove_identity(change, there, identity).await?;
        let subject_text = String::from_utf8_lossy(&subject);
        let mut names = vec![name(&identity.provider, &identity.issuer, &subject_text)];
        if let Some((issuer, subject)) = remembered.as_ref().and_then(|profile| profile.secondary.as_ref()) {
            names.push(name(&identity.provider, issuer, subject));
        }
        let claimed = |name: &String| (claim(&self.deps, KIND, name, here.id, now), Refusal::IdentityTaken);
        claim_all(change, &names.iter().map(claimed).collect::<Vec<_>>()).await?;
        let moved = Identity {
            id,
            user_id: here.id,
            subject: self.seal(here, id, "subject", &subject)?,
            profile: remembered.map(|profile| self.seal_profile(here, id, &profile)).transpose()?,
            tokens,
            created_at: now,
            ..identity.clone()
        };
        change.identities().insert(&moved).await?;
        let provider = &identity.provider;
        let left = serde_json::json!({ "identity_id": identity.id, "provider": provider, "moved_to": here.id });
        change.event(EventKind::IdentityUnlinked, there.id, left);
        let came = serde_json::json!({ "identity_id": id, "provider": provider, "moved_from": there.id });
        change.event(EventKind::IdentityLinked, here.id, came);
        Ok(moved)
    }
}
