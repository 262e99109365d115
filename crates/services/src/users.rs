//! Administration of accounts: look, block, unblock, sign out. The same for the API and the command line.

use serde_json::json;
use userd_model::{Act, EventKind, Refusal, Role, Sealed, Timestamp, User, UserId, UserStatus, text};
use userd_storage::{Failure, repositories::password_credentials::PasswordCredential};

use crate::{
    Context, Dependencies, UserView,
    change::{Change, Changes},
    faults::Faults,
    recent_proof,
    sessions::{lift_block, login_key},
    user_reader::{UserReader, seal_field},
    while_deleted::{as_it_comes_back, stays_deleted},
};

/// Accounts per round.
const BATCH: u32 = 50;

/// Administers accounts.
pub struct Users {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) user_reader: UserReader,
}

/// What a block says beside that it is one.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Why: shown to administrators, and to whom it concerns.
    pub reason: Option<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
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

    /// Blocks an account for good, and says nothing about why.
    ///
    /// # Errors
    /// As [`Users::block_with`].
    pub async fn block(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        self.block_with(ctx, id, &Block::default()).await
    }

    /// Blocks an account: its sessions end and its tokens die at once. One that is deleted stays so, and comes back blocked:
    /// nobody evades a block by deleting their account first.
    ///
    /// # Errors
    /// `Forbidden`, also for one's own; `InvalidInput`, `LastAdministrator`, `NotFound`.
    pub async fn block_with(&self, ctx: &Context, id: UserId, block: &Block) -> Result<UserView, Failure> {
        recent_proof::may_administer(ctx, &Act::BlockUser(id), &self.deps).await?;
        let reason = block.reason.as_deref().map(text::reason).transpose();
        let reason = &reason.map_err(|detail| Refusal::field("/reason", detail))?;
        if block.until.is_some_and(|until| until <= ctx.now) {
            return Err(Refusal::field("/until", "must lie ahead").into());
        }
        let user = self
            .changes
            .run(ctx, "block_user", |mut change| async move {
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
                let mut user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                let deletion = as_it_comes_back(&mut change, &mut user).await?;
                let (epoch, version, before) = (user.security_epoch, user.version, self.reason_of(&user)?);
                user.block(block.until, change.now)?;
                if before != *reason {
                    user.block_reason = reason.as_ref().map(|reason| self.seal_reason(&user, reason)).transpose()?;
                    if user.version == version {
                        user.touch(change.now);
                    }
                }
                if let Some(deletion) = deletion {
                    stays_deleted(&mut change, &mut user, deletion).await?;
                }
                // Blocking who is blocked is no second event.
                if user.version == version {
                    return change.commit(user).await;
                }
                must_leave_an_administrator(&mut change, &user).await?;
                change.users().update(&user).await?;
                if let Some(until) = block.until {
                    change.block_ends().place(id, until).await?;
                }
                if user.security_epoch > epoch {
                    end_everything(&mut change, id, "block_user").await?;
                }
                change.revoke_before_epoch(&user);
                let data = block.until.map_or_else(|| json!({}), |until| json!({ "until": until.to_string() }));
                let personal = reason.as_ref().map(|reason| json!({ "reason": reason }));
                let fact = change.event(EventKind::UserBlocked, id, data);
                if let Some(personal) = personal {
                    fact.personal(personal);
                }
                change.commit(user).await
            })
            .await?;
        tracing::info!(user_id = %id, act = "block_user", by = %ctx.actor.name(), "account administered");
        self.user_reader.view(&user)
    }

    /// Writes down that blocks have ended by themselves: they bind nobody from their end on, whoever does it. How many.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn end_blocks(&self) -> Result<usize, Failure> {
        let (ctx, mut ended, mut faults) = (self.changes.system_context(), 0, Faults::default());
        loop {
            let due = self.deps.store.reading().block_ends().due(self.deps.now(), BATCH).await?;
            for user in &due {
                ended += usize::from(faults.of(self.end_block(&ctx, *user).await, "ending blocks", user) == Some(true));
            }
            if due.len() < BATCH as usize || faults.any() {
                return faults.end(ended);
            }
        }
    }

    /// Whoever was unblocked since, or deleted, is left alone; whose block was prolonged is looked at again when it ends.
    async fn end_block(&self, ctx: &Context, id: UserId) -> Result<bool, Failure> {
        self.changes
            .run(ctx, "end_block", |mut change| async move {
                let now = change.now;
                let user = change.users().find(id).await?.filter(|user| user.status == UserStatus::Blocked);
                let Some(mut user) = user else {
                    change.block_ends().remove(id).await?;
                    return change.commit(false).await;
                };
                if user.blocked_until.is_some_and(|end| end > now) {
                    return change.commit(false).await;
                }
                change.block_ends().remove(id).await?;
                let has_ended = user.blocked_until.is_some();
                if has_ended {
                    lift_block(&mut change, &mut user).await?;
                }
                change.commit(has_ended).await
            })
            .await
    }

    fn reason_of(&self, user: &User) -> Result<Option<String>, Failure> {
        Ok(self.user_reader.view(user)?.block_reason)
    }

    fn seal_reason(&self, user: &User, reason: &str) -> Result<Sealed, Failure> {
        let key = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
        seal_field(&self.deps, user.id, key, "block_reason", reason.as_bytes())
    }

    /// Whether what its owner holds leaves the account to this actor (decision 0063): for what is shown.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn is_within_reach(&self, ctx: &Context, id: UserId) -> Result<bool, Failure> {
        match recent_proof::must_not_be_above(ctx, &mut self.deps.store.reading(), id).await {
            Err(Failure::Refused(Refusal::Forbidden)) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Unblocks an account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn unblock(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        recent_proof::may_administer(ctx, &Act::UnblockUser(id), &self.deps).await?;
        self.administer(ctx, "unblock_user", id, Some(EventKind::UserUnblocked), User::unblock).await
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn sign_out(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        recent_proof::may_administer(ctx, &Act::SignOutUser(id), &self.deps).await?;
        let act = |user: &mut User, now| {
            user.raise_epoch(now);
            Ok(())
        };
        self.administer(ctx, "sign_out_user", id, None, act).await
    }

    /// Demands a new password: every session ends, and every way in that uses the password asks for another one before a
    /// session begins.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `NoPassword`.
    pub async fn require_password_change(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        recent_proof::may_administer(ctx, &Act::RequirePasswordChange(id), &self.deps).await?;
        self.changes
            .run(ctx, "require_password_change", |mut change| async move {
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
                let (user, password) = change.users().find_with_password(id).await?;
                let mut user = user.filter(|user| user.status != UserStatus::Deleted).ok_or(Refusal::NotFound)?;
                let password = password.ok_or(Refusal::NoPassword)?;
                if !password.must_change {
                    let password = PasswordCredential { must_change: true, ..password };
                    change.password_credentials().upsert(&password).await?;
                    change.event(EventKind::PasswordChangeRequired, id, json!({}));
                }
                sign_out_everywhere(&mut change, &mut user, "password_change_required").await?;
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %id, by = %ctx.actor.name(), "a new password is demanded");
        Ok(())
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
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
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

/// Refuses what would leave nobody who may do everything. `user` is as it will be; the others are read in the same unit of
/// work, so that of two who end each other's rights at the same moment one is refused.
pub(crate) async fn must_leave_an_administrator(change: &mut Change<'_>, user: &User) -> Result<(), Failure> {
    // One whose role ends by itself would leave nobody then.
    let is_administrator = |user: &User, now| user.is_lasting_administrator() && user.is_in_use(now);
    let before = change.users().find(user.id).await?;
    if !before.is_some_and(|before| is_administrator(&before, change.now)) || is_administrator(user, change.now) {
        return Ok(());
    }
    let mut others = change.user_terms().holders(Role::ADMIN).await?;
    others.retain(|other| *other != user.id);
    let others = change.users().find_many(&others).await?;
    if others.iter().flatten().any(|other| is_administrator(other, change.now)) {
        return Ok(());
    }
    Err(Refusal::LastAdministrator.into())
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
pub(crate) async fn end_everything(change: &mut Change<'_>, user: UserId, reason: &str) -> Result<(), Failure> {
    let now = change.now;
    change.one_time_tokens().remove_of_owner(user).await?;
    let alive = change.sessions().alive_of_user(user, now).await?;
    change.end_sessions(alive, reason).await
}
