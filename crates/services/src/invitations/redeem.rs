//! What whoever shows an invitation gets. It is looked at before anything costly is done, and used up in the change that
//! makes the account: of many at once as many win as it has uses.

use userd_model::{Email, Invitation, Permission, Refusal};
use userd_storage::Failure;

use super::Invitations;
use crate::{Context, change::Change, limits::Limited, link_tokens, role_reader::read_permissions};

/// An invitation that was good a moment ago.
#[derive(Clone, Debug)]
pub(crate) struct Redeemable {
    /// Of its token.
    pub hash: Vec<u8>,
    /// What the new account gets.
    pub roles: Vec<String>,
    /// The address that it was sent to: whoever shows it reads mail there.
    pub email: Option<Email>,
}

impl Invitations {
    /// What this token is good for.
    ///
    /// # Errors
    /// `InvitationGone`, `TooManyAttempts`.
    pub(crate) async fn look(&self, ctx: &Context, token: &str) -> Result<Redeemable, Failure> {
        let found = match link_tokens::hash_of(token) {
            Some(hash) => self.look_up(ctx, &hash).await,
            None => Err(Refusal::InvitationGone.into()),
        };
        self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await
    }

    /// The same by the hash of the token, for whoever has shown it before.
    pub(crate) async fn look_up(&self, ctx: &Context, hash: &[u8]) -> Result<Redeemable, Failure> {
        let found = self.deps.store.reading().invitations().by_token(hash).await?;
        let found = found.filter(|found| found.is_good(ctx.now)).ok_or(Refusal::InvitationGone)?;
        self.must_still_be_given(ctx, &found).await?;
        Ok(Redeemable { hash: hash.to_vec(), email: self.email_of(&found)?, roles: found.roles })
    }

    /// Whoever made it may still use the service, and may still do whatever its roles allow. The operator, and services,
    /// which hold what the operator gave them, are taken at their word.
    async fn must_still_be_given(&self, ctx: &Context, invitation: &Invitation) -> Result<(), Failure> {
        let Some(maker) = invitation.created_by else { return Ok(()) };
        let maker = self.deps.store.reading().users().find(maker).await?;
        let maker = maker.filter(|maker| maker.is_in_use(ctx.now));
        let maker = maker.ok_or(Refusal::InvitationGone)?;
        let holds = self.roles.rights_of(&maker, ctx.now).await?.permissions;
        let gives = self.roles.permissions(&invitation.roles).await?;
        if gives.iter().all(|permission| permission.may_be_given_by(&holds)) {
            return Ok(());
        }
        Err(Refusal::InvitationGone.into())
    }
}

impl Redeemable {
    /// Uses it up by one, in the change that makes the account.
    ///
    /// # Errors
    /// `InvitationGone` where others were faster, or whoever made it may not give that any more.
    pub(crate) async fn redeem(&self, change: &mut Change<'_>) -> Result<Invitation, Failure> {
        let mut found = change.invitations().by_token(&self.hash).await?.ok_or(Refusal::InvitationGone)?;
        must_still_be_given(change, &found).await?;
        found.use_once(change.now)?;
        change.invitations().write_uses(&found).await?;
        Ok(found)
    }
}

/// What was asked when it was looked at, by what is stored now: since then a password was hashed, and what is remembered of
/// roles may be a moment old. Of an end to the maker's rights and an account that gets theirs, one comes first.
async fn must_still_be_given(change: &mut Change<'_>, invitation: &Invitation) -> Result<(), Failure> {
    let now = change.now;
    let Some(maker) = invitation.created_by else { return Ok(()) };
    let maker = change.users().find(maker).await?.filter(|maker| maker.is_in_use(now));
    let maker = maker.ok_or(Refusal::InvitationGone)?;
    let roles: Vec<String> = maker.roles_at(now).cloned().collect();
    let mut holds = read_permissions(change, &roles).await?;
    holds.extend(maker.permissions_at(now).filter_map(|word| Permission::parse(word)));
    let gives = read_permissions(change, &invitation.roles).await?;
    if gives.iter().all(|permission| permission.may_be_given_by(&holds)) {
        Ok(())
    } else {
        Err(Refusal::InvitationGone.into())
    }
}
