//! A user's accounts elsewhere: list and unlink. Deliberately absent: linking (`admit.rs`) and moving (`moving.rs`).

use serde::Serialize;
use userd_model::{Act, EventKind, Identity, IdentityId, Refusal, Timestamp, User, UserId};
use userd_providers::{Provider, ProviderTokens};
use userd_storage::{Failure, UnitOfWork};

use super::{
    SignIn,
    identity_names::{KIND, name},
};
use crate::{Context, change::Change, outstanding::begun_dies, recent_proof, user_reader::internal};

/// An account elsewhere as its owner sees it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct IdentityView {
    pub id: IdentityId,
    pub provider: String,
    pub display_name: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub picture: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

impl SignIn {
    /// A user's accounts elsewhere, oldest first.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn identities(&self, ctx: &Context, of: UserId) -> Result<Vec<IdentityView>, Failure> {
        ctx.may(&Act::ReadIdentities(of))?;
        let mut reading = self.deps.store.reading();
        let user = reading.users().find(of).await?.ok_or(Refusal::NotFound)?;
        reading.identities().of_user(user.id).await?.iter().map(|identity| self.view(&user, identity)).collect()
    }

    /// Unlinks an account elsewhere of the signed-in user, and tells the provider where it listens.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `LastWayIn`, `NotFound`.
    pub async fn unlink(&self, ctx: &Context, id: IdentityId) -> Result<(), Failure> {
        let (user, _) = ctx.user()?;
        ctx.may(&Act::UnlinkIdentity(user))?;
        self.take_way_in(ctx, user, id).await
    }

    /// The same by an administrator. Not the last way in either: whoever shall not come in is blocked.
    ///
    /// # Errors
    /// `Forbidden`, `LastWayIn`, `NotFound`.
    pub async fn unlink_of(&self, ctx: &Context, user: UserId, id: IdentityId) -> Result<(), Failure> {
        recent_proof::may_administer(ctx, &Act::RemoveIdentity(user), &self.deps).await?;
        self.take_way_in(ctx, user, id).await
    }

    async fn take_way_in(&self, ctx: &Context, of: UserId, id: IdentityId) -> Result<(), Failure> {
        let is_owner = ctx.user().is_ok_and(|(user, _)| user == of);
        let (user, identity) = self
            .changes
            .run(ctx, "unlink_identity", |mut change| async move {
                if !is_owner {
                    recent_proof::must_not_be_above(ctx, &mut change, of).await?;
                }
                let user = change.users().find(of).await?.ok_or(Refusal::NotFound)?;
                if is_owner {
                    user.must_be_active(change.now)?;
                    recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                }
                let identity = identity_of(&mut change, of, id).await?;
                end_its_sessions(&mut change, &identity).await?;
                self.remove_identity(&mut change, &user, &identity).await?;
                self.ways_in.must_be_left(&mut change, &user).await?;
                begun_dies(&self.deps, &mut change, of).await?;
                let data = serde_json::json!({ "identity_id": id, "provider": identity.provider });
                change.event(EventKind::IdentityUnlinked, of, data);
                change.commit((user, identity)).await
            })
            .await?;
        self.revoke_upstream(&user, &identity, ctx.now).await;
        Ok(())
    }

    /// Unlinks an account elsewhere that its owner did not link, where it is there still. What is left is looked at by whoever
    /// asks; every session ends with it.
    pub(crate) async fn take_linked(
        &self,
        change: &mut Change<'_>,
        user: &User,
        id: IdentityId,
    ) -> Result<(), Failure> {
        let found = change.identities().find(id).await?.filter(|identity| identity.user_id == user.id);
        let Some(identity) = found else { return Ok(()) };
        self.remove_identity(change, user, &identity).await?;
        let data = serde_json::json!({ "identity_id": id, "provider": identity.provider });
        change.event(EventKind::IdentityUnlinked, user.id, data);
        Ok(())
    }

    /// Removes an identity and its claims within a unit of work.
    pub(super) async fn remove_identity(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        identity: &Identity,
    ) -> Result<(), Failure> {
        let subject = self.open(user, identity.id, "subject", &identity.subject)?;
        let subject = String::from_utf8_lossy(&subject).into_owned();
        let mut names = vec![name(&identity.provider, &identity.issuer, &subject)];
        if let Some((issuer, subject)) = self.remembered(user, identity)?.and_then(|profile| profile.secondary) {
            names.push(name(&identity.provider, &issuer, &subject));
        }
        for name in names {
            uow.claims().remove(&self.deps.crypto.index.claim_hash(KIND, &name)).await?;
        }
        Ok(uow.identities().remove(identity.id).await?)
    }

    /// Best effort: the link here is gone whether or not the provider hears of it.
    async fn revoke_upstream(&self, user: &User, identity: &Identity, now: Timestamp) {
        let Some(sealed) = &identity.tokens else { return };
        let Ok(provider) = self.provider(&identity.provider) else { return };
        let tokens = self
            .open(user, identity.id, "tokens", sealed)
            .and_then(|bytes| ProviderTokens::from_sealable(&bytes).map_err(internal));
        let outcome = match tokens {
            Ok(tokens) => {
                let living = living(provider.as_ref(), tokens, now).await;
                provider.revoke(&living, now).await.map_err(internal)
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = outcome {
            tracing::warn!(provider = provider.id(), %failure, "the provider was not told of the unlinking");
        }
    }

    pub(super) fn view(&self, user: &User, identity: &Identity) -> Result<IdentityView, Failure> {
        let profile = self.remembered(user, identity)?;
        let (name, username, email, phone, picture) =
            profile.map_or((None, None, None, None, None), |p| (p.name, p.username, p.email, p.phone, p.picture));
        Ok(IdentityView {
            id: identity.id,
            provider: identity.provider.clone(),
            display_name: name,
            username,
            email,
            phone,
            picture,
            created_at: identity.created_at,
            last_used_at: identity.last_used_at,
        })
    }
}

/// This identity of this user.
pub(super) async fn identity_of(uow: &mut UnitOfWork, of: UserId, id: IdentityId) -> Result<Identity, Failure> {
    let found = uow.identities().find(id).await?.filter(|identity| identity.user_id == of);
    Ok(found.ok_or(Refusal::NotFound)?)
}

/// Ends the sessions that began with an identity: whoever holds it is shut out. Not the one that acts; its holder has just
/// proven who they are.
pub(super) async fn end_its_sessions(change: &mut Change<'_>, identity: &Identity) -> Result<(), Failure> {
    let acting = change.context.user().ok().map(|(_, session)| session);
    let now = change.now;
    let mut sessions = change.sessions().alive_of_user(identity.user_id, now).await?;
    sessions.retain(|session| session.identity_id == Some(identity.id) && Some(session.id) != acting);
    change.end_sessions(sessions, "identity_unlinked").await
}

/// Tokens that the provider still knows: ones that have run out are renewed first, since only living ones can be given
/// back. Where that fails, the old ones are all there is to give.
async fn living(provider: &dyn Provider, tokens: ProviderTokens, now: Timestamp) -> ProviderTokens {
    let is_over = tokens.expires_at.is_some_and(|end| end <= now);
    if !is_over || tokens.refresh_token.is_none() || !provider.capabilities().refresh {
        return tokens;
    }
    provider.refresh(&tokens, now).await.unwrap_or(tokens)
}
