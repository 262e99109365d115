//! Administration of accounts: look, block, unblock, sign out. The same for the API and the command line.

use userd_model::{Act, EventKind, Refusal, Timestamp, User, UserId};
use userd_storage::Failure;

use crate::{
    Context, Dependencies, UserView,
    change::{Change, Changes},
    sessions::login_key,
    user_reader::UserReader,
};

/// Administers accounts.
pub struct Users {
    deps: Dependencies,
    changes: Changes,
    user_reader: UserReader,
}

impl Users {
    pub(crate) const fn new(deps: Dependencies, changes: Changes, user_reader: UserReader) -> Self {
        Self { deps, changes, user_reader }
    }

    /// A page of accounts, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(
        &self,
        ctx: &Context,
        after: Option<(Timestamp, UserId)>,
        limit: u32,
    ) -> Result<Vec<UserView>, Failure> {
        ctx.may(&Act::ListUsers)?;
        let users = self.deps.store.reading().users().page(after, limit).await?;
        users.iter().map(|user| self.user_reader.view(user)).collect()
    }

    /// One account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn show(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        ctx.may(&Act::ReadUser(id))?;
        let user = self.deps.store.reading().users().find(id).await?.ok_or(Refusal::NotFound)?;
        self.user_reader.view(&user)
    }

    /// The account behind an exact e-mail, username or phone.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn find(&self, ctx: &Context, login: &str) -> Result<UserView, Failure> {
        ctx.may(&Act::FindUser)?;
        let key = login_key(&self.deps, login).claim.ok_or(Refusal::NotFound)?;
        let claim = self.deps.store.reading().claims().find(&key).await?.ok_or(Refusal::NotFound)?;
        self.show(ctx, claim.owner).await
    }

    /// Blocks an account: its sessions end and its tokens die at once.
    ///
    /// # Errors
    /// `Forbidden`, also for one's own; `NotFound`.
    pub async fn block(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        ctx.may(&Act::BlockUser(id))?;
        self.administer(ctx, "block_user", id, Some(EventKind::UserBlocked), User::block).await
    }

    /// Unblocks an account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn unblock(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        ctx.may(&Act::UnblockUser(id))?;
        self.administer(ctx, "unblock_user", id, Some(EventKind::UserUnblocked), User::unblock).await
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn sign_out(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        ctx.may(&Act::SignOutUser(id))?;
        let act = |user: &mut User, now| {
            user.raise_epoch(now);
            Ok(())
        };
        self.administer(ctx, "sign_out_user", id, None, act).await
    }

    /// One administrative change. Where it raised the security epoch, every session ends with it.
    async fn administer(
        &self,
        ctx: &Context,
        name: &'static str,
        id: UserId,
        event: Option<EventKind>,
        act: fn(&mut User, Timestamp) -> Result<(), Refusal>,
    ) -> Result<UserView, Failure> {
        let user = self
            .changes
            .run(ctx, name, |mut change| async move {
                let now = change.now;
                let mut user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                let (epoch, version) = (user.security_epoch, user.version);
                act(&mut user, now)?;
                // Blocking who is blocked is no second event.
                if user.version == version {
                    return change.commit(user).await;
                }
                change.users().update(&user).await?;
                if user.security_epoch > epoch {
                    end_everything(&mut change, id, name).await?;
                }
                change.revoke_before_epoch(&user);
                if let Some(kind) = event {
                    change.event(kind, id, serde_json::json!({}));
                }
                change.commit(user).await
            })
            .await?;
        tracing::info!(user_id = %id, act = name, by = %ctx.actor.name(), "account administered");
        self.user_reader.view(&user)
    }
}

/// Ends every session of a user, and every access token of before: somebody else may be in the account.
pub(crate) async fn sign_out_everywhere(
    change: &mut Change<'_>,
    user: &mut User,
    reason: &'static str,
) -> Result<(), Failure> {
    user.raise_epoch(change.now);
    change.users().update(user).await?;
    end_everything(change, user.id, reason).await?;
    change.revoke_before_epoch(user);
    Ok(())
}

/// What goes with a raised epoch: codes on their way to the user, and sessions.
async fn end_everything(change: &mut Change<'_>, user: UserId, reason: &str) -> Result<(), Failure> {
    let now = change.now;
    change.one_time_tokens().remove_of_owner(user).await?;
    let alive = change.sessions().alive_of_user(user, now).await?;
    change.end_sessions(alive, reason).await
}
