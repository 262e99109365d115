//! Recovery: a forgotten password is set anew by a link to the account's address. The answer to whoever asks is the same
//! for every login, in the same time; who it is, is looked up when the mail is sent (`deliveries/letters.rs`).
//!
//! The link goes to the proven address that was asked for, else to the account's first one.
//!
//! A reset ends every session and signs nobody in, so it gets around no second factor. To an address that nobody has
//! proven it is the proof of the mailbox, and decision 0008 applies: whatever the claimant could come back with is gone.

use std::sync::Arc;

use userd_model::{Act, EventKind, Refusal, User, UserId, UserStatus};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{one_time_tokens::OneTimeToken, password_credentials::PasswordCredential},
};

use crate::{
    Context, Dependencies,
    accounts::{check_new_password, wipe_claimant},
    addresses::addresses_of,
    change::{Change, Changes},
    deliveries::{Asked, Deliveries, Letter, Whose},
    limits::{Limited, Limits},
    link_tokens::{self, PASSWORD_RESET},
    mailbox_limits::Asking,
    passwords::{Password, PasswordProof},
    sessions::login_key,
    user_reader::UserReader,
    users::sign_out_everywhere,
};

/// Sets forgotten passwords anew.
#[derive(Clone)]
pub struct Recovery {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) limits: Limits,
    pub(crate) proof: PasswordProof,
    pub(crate) user_reader: UserReader,
    pub(crate) deliveries: Arc<Deliveries>,
}

impl Recovery {
    /// Sends a link to the address of whoever has this login, if anybody.
    ///
    /// # Errors
    /// `TooManyAttempts` for the network. Nothing tells whether the login is known.
    pub async fn forgot(&self, ctx: &Context, login: &str) -> Result<(), Failure> {
        self.limits.reserve_from(Limited::MailPerNetwork, &ctx.origin).await?;
        let index = &self.deps.crypto.index;
        let claim = login_key(&self.deps, login).claim;
        let claim = claim.unwrap_or_else(|| index.keyed_hash("no login", &[login.as_bytes()]).to_vec());
        let asking = Asking::of(&self.deps, ctx).await?;
        self.post(ctx, &Whose::Login(claim), asking).await
    }

    /// Sends the link to a user. An administrator can cause no more than that: nobody sets or sees a password of
    /// somebody else.
    ///
    /// # Errors
    /// `Forbidden`, `TooManyAttempts`; `NotFound`, also for one that is deleted; `NoAddress`: an administrator may know.
    pub async fn send_link(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        ctx.may(&Act::SendPasswordReset(id))?;
        self.limits.reserve(Limited::ResetSent, &ctx.actor.name()).await?;
        // Strangers who ask for such links do not keep it from being sent.
        self.post(ctx, &Whose::User(id), Asking::on_behalf_of(id, ctx)).await
    }

    async fn post(&self, ctx: &Context, whose: &Whose, asking: Asking) -> Result<(), Failure> {
        let letter = &Letter::ResetPassword { whose: whose.clone(), asked: Asked::from(ctx, ctx.now).by(asking) };
        self.changes
            .run(ctx, "ask_for_reset", |mut change| async move {
                if let Whose::User(id) = whose {
                    let user = change.users().find(*id).await?;
                    let user = user.filter(|user| user.status != UserStatus::Deleted).ok_or(Refusal::NotFound)?;
                    self.deliveries.reset_address(&user, whose).await?.ok_or(Refusal::NoAddress)?;
                    // Whoever has forgotten a password has not acted in the account; whoever sends somebody a link has.
                    change.event(EventKind::PasswordResetSent, *id, serde_json::json!({}));
                }
                self.deliveries.post(&mut change, letter, None).await?;
                change.commit(()).await
            })
            .await?;
        self.deliveries.wake();
        Ok(())
    }

    /// Sets a new password by the link of the mail.
    ///
    /// # Errors
    /// `InvalidCode` for a link that is unknown, used, expired or out of date; `InvalidInput` (the link stays),
    /// `TooManyAttempts`, `Busy`.
    pub async fn reset(&self, ctx: &Context, token: &str, new: &Password) -> Result<(), Failure> {
        let found = self.owner_of(ctx, token).await;
        let (hash, owner) = self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        let hash = &hash;
        check_new_password(&self.deps, &self.user_reader.show(owner).await?, new, "/new_password")?;
        self.proof.must_differ_if_demanded(owner, new, &ctx.origin).await?;
        let password = &self.proof.hash(new, &ctx.origin).await?;
        self.changes
            .run(ctx, "reset_password", |mut change| async move {
                let now = change.now;
                let row =
                    change.one_time_tokens().take(hash, PASSWORD_RESET, now).await?.ok_or(Refusal::InvalidCode)?;
                if whose(&mut change, &row).await? != owner {
                    return Err(Refusal::InvalidCode.into());
                }
                let mut user = change.users().find(owner).await?.ok_or(Refusal::InvalidCode)?;
                user.must_be_active(now).map_err(|_| Refusal::InvalidCode)?;
                if self.is_proven(&mut change, &user, &row).await? {
                    must_be_current(&mut change, &row, owner).await?;
                } else if user.holds_rights() {
                    return Err(Refusal::InvalidCode.into());
                } else {
                    wipe_claimant(&mut change, &mut user).await?;
                }
                sign_out_everywhere(&mut change, &mut user, "password_reset").await?;
                let credential =
                    PasswordCredential { user_id: owner, hash: password.clone(), changed_at: now, must_change: false };
                change.password_credentials().upsert(&credential).await?;
                change.event(EventKind::PasswordChanged, owner, serde_json::json!({}));
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %owner, "password reset");
        Ok(())
    }

    /// The link's hash, and whose password it sets.
    async fn owner_of(&self, ctx: &Context, token: &str) -> Result<([u8; 32], UserId), Failure> {
        let hash = link_tokens::hash_of(token).ok_or(Refusal::InvalidCode)?;
        let mut reading = self.deps.store.reading();
        let row = reading.one_time_tokens().find(&hash, PASSWORD_RESET, ctx.now).await?;
        let owner = whose(&mut reading, &row.ok_or(Refusal::InvalidCode)?).await?;
        Ok((hash, owner))
    }

    /// Whether the address that the mail went to is proven. The account still has it.
    async fn is_proven(&self, unit: &mut UnitOfWork, user: &User, row: &OneTimeToken) -> Result<bool, Failure> {
        let index = &self.deps.crypto.index;
        let all = addresses_of(&self.deps, unit, user).await?;
        let address = all.into_iter().find(|address| index.claim_hash("email", &address.email)[..] == row.payload);
        Ok(address.ok_or(Refusal::InvalidCode)?.verified)
    }
}

/// Whose password a link sets: its owner's. One that was sent to an address that nobody had proven has none, and is for whichever
/// account claims that address now.
async fn whose(unit: &mut UnitOfWork, row: &OneTimeToken) -> Result<UserId, Failure> {
    if let Some(owner) = row.owner {
        return Ok(owner);
    }
    let claim = unit.claims().find(&row.payload).await?.ok_or(Refusal::InvalidCode)?;
    Ok(claim.owner)
}

/// Refuses a link without an owner once the address has been proven, unless the password still is the one that was forgotten:
/// with another one it would have died.
async fn must_be_current(change: &mut Change<'_>, row: &OneTimeToken, owner: UserId) -> Result<(), Failure> {
    if row.owner.is_some() {
        return Ok(());
    }
    let password = change.password_credentials().find(owner).await?;
    let is_current = password.is_some_and(|password| password.changed_at < row.created_at);
    if is_current { Ok(()) } else { Err(Refusal::InvalidCode.into()) }
}
