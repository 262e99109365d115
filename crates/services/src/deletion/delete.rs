//! Deleting: at once signed out and gone for everybody. Nothing is erased yet, and no name and no proven address becomes free. One
//! that nobody has proven is given up to whoever wants it: else a squatter would hold it by deleting (decision 0068).

use userd_model::{Act, DeletedBy, Deletion, EventKind, Refusal, Timestamp, UserId};
use userd_storage::Failure;

use super::Deletions;
use crate::{
    Context,
    change::Change,
    deliveries::Letter,
    passwords::Password,
    recent_proof,
    users::{end_everything, must_leave_an_administrator},
};

impl Deletions {
    /// Deletes the account of the signed-in user. Answers until when it can be restored.
    ///
    /// # Errors
    /// `WrongCurrentPassword`, or `InsufficientAuthentication` where there is no password or a second
    /// factor; `LastAdministrator`.
    pub async fn delete_own(&self, ctx: &Context, current: Option<&Password>) -> Result<Timestamp, Failure> {
        let (id, session) = ctx.user()?;
        ctx.may(&Act::DeleteAccount(id))?;
        recent_proof::must_show_factor(ctx, &self.deps.settings, &mut self.deps.store.reading(), id).await?;
        let proven = match current {
            Some(current) => Some(self.proof.again(id, session, current, &ctx.origin).await?.hash),
            None if self.deps.store.reading().password_credentials().find(id).await?.is_some() => {
                return Err(Refusal::field("/current_password", "is required: this account has a password").into());
            }
            None => {
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
                None
            }
        };
        let proven = proven.as_ref();
        let deletion = self
            .changes
            .run(ctx, "delete_own_account", |mut change| async move {
                change.active_user(id).await?;
                let stored = change.password_credentials().find(id).await?.map(|credential| credential.hash);
                if stored.as_ref() != proven {
                    return Err(Refusal::WrongCurrentPassword.into());
                }
                recent_proof::must_still_be_given(ctx, &self.deps.settings, &mut change, proven.is_some()).await?;
                let deletion = self.carry_out(&mut change, id, DeletedBy::Owner).await?;
                change.commit(deletion).await
            })
            .await?;
        self.wake();
        tracing::info!(user_id = %id, restorable_until = %deletion.purge_at, "account deleted by its owner");
        Ok(deletion.purge_at)
    }

    /// Deletes an account. Only an administrator restores it then.
    ///
    /// # Errors
    /// `Forbidden`, also for one's own; `NotFound`, also for one that is deleted; `LastAdministrator`.
    pub async fn delete(&self, ctx: &Context, id: UserId) -> Result<Timestamp, Failure> {
        recent_proof::may_administer(ctx, &Act::DeleteUser(id), &self.deps).await?;
        let deletion = self
            .changes
            .run(ctx, "delete_user", |mut change| async move {
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
                let deletion = self.carry_out(&mut change, id, DeletedBy::Administrator).await?;
                change.commit(deletion).await
            })
            .await?;
        self.wake();
        tracing::info!(user_id = %id, by = %ctx.actor.name(), restorable_until = %deletion.purge_at, "account deleted");
        Ok(deletion.purge_at)
    }

    /// The deletion, within a change; after its commit there is a mail to send ([`Self::wake`]).
    ///
    /// # Errors
    /// `NotFound` for one that is deleted, `LastAdministrator`.
    pub(crate) async fn carry_out(
        &self,
        change: &mut Change<'_>,
        id: UserId,
        by: DeletedBy,
    ) -> Result<Deletion, Failure> {
        let (now, window) = (change.now, self.deps.settings.restore_window);
        let mut user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
        let before = user.delete(now)?;
        let deletion = Deletion::new(id, by, before, now, window);
        change.deletions().write(&deletion).await?;
        must_leave_an_administrator(change, &user).await?;
        change.users().update(&user).await?;
        end_everything(change, id, "account_deleted").await?;
        change.revoke_before_epoch(&user);
        change.event(EventKind::UserDeleted, id, serde_json::json!({ "by": by.as_str() }));
        self.deliveries.post(change, &Letter::AccountDeleted { user: id }, Some(id)).await?;
        Ok(deletion)
    }

    /// Lets the mail about a deletion go.
    pub(crate) fn wake(&self) {
        self.deliveries.wake();
    }
}
