//! Restoring: everything is as it was, but for sessions. Whoever signs in to a deleted account is offered it back; the
//! message about the deletion has a link; an administrator can too. A block is not lifted by it, and an address that nobody had
//! proven may have gone to somebody else meanwhile.
//!
//! The link proves the mailbox, which is one factor: whoever holds a second one shows it before anything is restored, as at
//! every other way in (decision 0041).

use userd_model::{Act, Deletion, EventKind, Level, PendingStep, Refusal, Sealed, Timestamp, User, UserId, UserStatus};
use userd_storage::{Failure, UnitOfWork};

use super::Deletions;
use crate::{
    Completion, Context, UserView,
    change::Change,
    limits::Limited,
    link_tokens::{self, RESTORE, RESTORE_CONTEXT as CONTEXT, RestoreLink},
    recent_proof,
    sealing::row_context,
    sessions::{EarlierProof, Proof},
    user_reader::{internal, open_field},
};

/// What a token to restore proves, and of whom.
struct Claimed {
    user: UserId,
    proven: Option<EarlierProof>,
}

impl Deletions {
    /// Restores the account by the token of the refused sign-in, or of the link in the mail, and signs in. By the link, whoever
    /// holds a second factor is asked for it first, and offered the account after it; the link stays until then.
    ///
    /// # Errors
    /// `InvalidCode` for a token that is unknown, used, expired, or of an account that only an administrator restores;
    /// `Blocked` where it is blocked (it stays deleted then); `TooManyAttempts`.
    pub async fn restore_own(&self, ctx: &Context, token: &str) -> Result<Completion, Failure> {
        let found = self.claimed(&mut self.deps.store.reading(), token, ctx.now).await;
        let Claimed { user: id, proven } =
            self.limits.count_failure(Limited::LinkPerNetwork, &ctx.origin, found).await?;
        let now = self.deps.now();
        let arrival = &match proven {
            Some(proven) => self.sessions.arrive_again(ctx, id, proven, now),
            None => self.sessions.arrive(
                ctx,
                id,
                Proof { amr: "email", device_name: None, device: None, identity: None },
                now,
            ),
        };
        let (completed, is_restored) = self
            .changes
            .run(ctx, "restore_own_account", |mut change| async move {
                let now = change.now;
                let claimed = self.claimed(&mut change, token, now).await?;
                let found = restorable(&mut change, id).await?;
                let found = found.filter(|(deletion, _)| deletion.is_restorable_by_owner(now));
                let (deletion, user) = found.ok_or(Refusal::InvalidCode)?;
                let is_short = claimed.proven.is_none() && holds_factor(&mut change, id).await?;
                let user = if is_short { user } else { self.carry_out_restore(&mut change, (&deletion, user)).await? };
                let completed = self.sessions.complete(&mut change, user, arrival).await.map_err(gone)?;
                change.commit((completed, !is_short)).await
            })
            .await?;
        if is_restored {
            tracing::info!(user_id = %id, "account restored by its owner");
        }
        self.sessions.completion(completed, arrival).await
    }

    /// Restores the account by the link of the mail, and signs nobody in: for the page behind it.
    ///
    /// # Errors
    /// Those of [`Self::restore_own`]; `InsufficientAuthentication` where a second factor is held: a sign-in asks for it, and
    /// offers the account.
    pub async fn restore_by_link(&self, ctx: &Context, token: &str) -> Result<(), Failure> {
        self.changes
            .run(ctx, "restore_by_link", |mut change| async move {
                let now = change.now;
                let claimed = self.claimed(&mut change, token, now).await?;
                if holds_factor(&mut change, claimed.user).await? {
                    return Err(Refusal::InsufficientAuthentication { level: Level::Two, max_age: None }.into());
                }
                let found = restorable(&mut change, claimed.user).await?;
                let found = found.filter(|(deletion, _)| deletion.is_restorable_by_owner(now));
                let (deletion, user) = found.ok_or(Refusal::InvalidCode)?;
                self.carry_out_restore(&mut change, (&deletion, user)).await?;
                change.commit(()).await
            })
            .await
    }

    /// Restores an account, whoever deleted it.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for one that is not deleted, whose window has closed, or whose erasure has been decided.
    pub async fn restore(&self, ctx: &Context, id: UserId) -> Result<UserView, Failure> {
        recent_proof::may_administer(ctx, &Act::RestoreUser(id), &self.deps).await?;
        let user = self
            .changes
            .run(ctx, "restore_user", |mut change| async move {
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
                let (deletion, user) = restorable(&mut change, id).await?.ok_or(Refusal::NotFound)?;
                let user = self.carry_out_restore(&mut change, (&deletion, user)).await?;
                change.commit(user).await
            })
            .await?;
        tracing::info!(user_id = %id, by = %ctx.actor.name(), "account restored");
        self.user_reader.view(&user)
    }

    async fn carry_out_restore(
        &self,
        change: &mut Change<'_>,
        (deletion, mut user): (&Deletion, User),
    ) -> Result<User, Failure> {
        let (id, now) = (deletion.user_id, change.now);
        user.restore(deletion.status_before, now)?;
        self.forget_lost_address(change, &mut user).await?;
        change.users().update(&user).await?;
        change.deletions().remove(id).await?;
        if let Some(end) = user.blocked_until.filter(|_| user.status == UserStatus::Blocked) {
            change.block_ends().place(id, end).await?;
        }
        // Offers and links of this deletion.
        change.one_time_tokens().remove_of_owner(id).await?;
        let is_blocked = user.status_at(now) == UserStatus::Blocked;
        let data = if is_blocked { serde_json::json!({ "status": "blocked" }) } else { serde_json::json!({}) };
        change.event(EventKind::UserRestored, id, data);
        change.forget(&user);
        Ok(user)
    }

    /// An address that nobody had proven may be somebody else's by now (decision 0068): the account comes back without it.
    async fn forget_lost_address(&self, change: &mut Change<'_>, user: &mut User) -> Result<(), Failure> {
        if !user.only_claims_its_address() {
            return Ok(());
        }
        let address = open_field(&self.deps, user, "email", user.email.as_ref())?.unwrap_or_default();
        let claim = self.deps.crypto.index.claim_hash("email", &address);
        if change.claims().find(&claim).await?.is_some_and(|found| found.owner == user.id) {
            return Ok(());
        }
        user.email = None;
        change
            .event(EventKind::EmailRemoved, user.id, serde_json::json!({}))
            .personal(serde_json::json!({ "email": address }));
        Ok(())
    }

    /// Whose account a token restores. It stays until the account is restored, and goes with whatever else it has.
    async fn claimed(&self, unit: &mut UnitOfWork, token: &str, now: Timestamp) -> Result<Claimed, Failure> {
        let Some(hash) = link_tokens::hash_of(token) else {
            let step = PendingStep::Restore;
            let found = self.sessions.challenge(unit, token, step, now).await.map_err(gone)?;
            return Ok(Claimed { user: found.user, proven: Some(found.proven) });
        };
        let found = unit.one_time_tokens().find(&hash, RESTORE, now).await?.ok_or(Refusal::InvalidCode)?;
        let context = row_context(CONTEXT, &[&hash]);
        let plain = self.deps.vault.open(&context, &Sealed(found.payload)).map_err(internal)?;
        let RestoreLink { deleted_at } = serde_json::from_slice(&plain).map_err(internal)?;
        let user = found.owner.ok_or(Refusal::InvalidCode)?;
        let is_current = unit.deletions().find(user).await?.is_some_and(|found| found.deleted_at == deleted_at);
        if is_current { Ok(Claimed { user, proven: None }) } else { Err(Refusal::InvalidCode.into()) }
    }
}

/// A deleted account that can still come back: its window is open, and nobody has decided to erase it. Where a version before
/// decision 0065 was interrupted, the data key is gone and nothing else says so.
async fn restorable(change: &mut Change<'_>, id: UserId) -> Result<Option<(Deletion, User)>, Failure> {
    let now = change.now;
    let Some(deletion) = change.deletions().find(id).await?.filter(|found| found.is_restorable(now)) else {
        return Ok(None);
    };
    if change.tombstones().find(id).await?.is_some() {
        return Ok(None);
    }
    let user = change.users().find(id).await?.filter(|user| user.data_key.is_some());
    Ok(user.map(|user| (deletion, user)))
}

/// A token to restore is called a code, also where it is the challenge of a sign-in.
fn gone(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::ChallengeGone) => Refusal::InvalidCode.into(),
        other => other,
    }
}

async fn holds_factor(unit: &mut UnitOfWork, user: UserId) -> Result<bool, Failure> {
    Ok(!unit.factors().of_user(user).await?.is_empty())
}
