//! Erasing an account for good. First it is decided, in one unit of work that reads whatever speaks against it: from then on
//! the account is neither restored nor held (decision 0065), so what the ledger is told next stays true. Then its wrapped data
//! key goes and everything that it would open, in one unit of work: from then on nothing that was sealed for the user can be
//! read, in the event log and in copies of rows neither. Then its rows, a batch at a time. The deletion's row stays until the
//! end, so that whoever goes on after a crash knows of it.

use userd_model::{Act, Deletion, EventKind, Refusal, Timestamp, UserId, UserStatus};
use userd_storage::{
    Failure, StoreError,
    repositories::{legal_holds::LegalHold, owned::OWNED},
};

use super::{Deletions, ErasedAgain};
use crate::{
    Context,
    change::Change,
    claims::{FIRST_ADMINISTRATOR, IMPORTED},
    faults::Faults,
    recent_proof,
    user_reader::internal,
};

/// Accounts that are read at once, and how many are erased in a round, or fail in it.
const ROUND: u32 = 50;
/// Rows per unit of work.
const BATCH: u32 = 200;
/// Claims that outlive their owner, each a keyed hash: a name that somebody had is never given to somebody else, set-up stays
/// shut behind the first administrator, and an import that is run again does not bring back who was erased. The others
/// (`email`, `phone`, `identity`, `passkey`) are what their owner signs up with anew, and `former_username` gives a name
/// back to nobody but them.
const KEPT_CLAIMS: [&str; 4] = ["username", "username_skeleton", FIRST_ADMINISTRATOR, IMPORTED];
/// Tables that are emptied otherwise: the account and what says that it is being erased last, claims by their kind.
const OTHERWISE: [&str; 3] = ["users", "deletions", "claims"];

impl Deletions {
    /// Erases accounts whose window has closed; answers how many.
    ///
    /// # Errors
    /// The first fault, of storage or the ledger: those whom it does not concern are erased.
    pub async fn purge_due(&self) -> Result<usize, Failure> {
        let (ctx, mut faults) = (self.changes.system_context(), Faults::default());
        let (mut purged, mut tried, mut after) = (0, 0, None);
        loop {
            let due = self.deps.store.reading().deletions().due(ctx.now, after, ROUND).await?;
            for deletion in &due {
                let id = deletion.user_id;
                let is_erased = faults.of(self.purge_if_due(&ctx, id).await, "erasing accounts", &id);
                purged += usize::from(is_erased == Some(true));
                tried += usize::from(is_erased != Some(false));
            }
            // Those that are held stay at the front, and stand in nobody's way.
            after = due.last().map(|last| (last.purge_at, last.user_id));
            if due.len() < ROUND as usize || tried >= ROUND as usize {
                return faults.end(purged);
            }
        }
    }

    /// Erases an account whose window has closed; answers whether it did. One that is held waits, one that was restored
    /// since is none.
    async fn purge_if_due(&self, ctx: &Context, id: UserId) -> Result<bool, Failure> {
        // Most of those that are held are passed over by this; it is asked again in the unit of work.
        if self.deps.store.reading().legal_holds().find(id).await?.is_some() {
            return Ok(false);
        }
        let is_decided = self
            .changes
            .run(ctx, "decide_due_purge", |mut change| async move {
                let now = change.now;
                let found = change.deletions().find(id).await?.filter(|found| !found.is_restorable(now));
                let Some(deletion) = found else { return change.commit(false).await };
                if change.legal_holds().find(id).await?.is_some() {
                    return change.commit(false).await;
                }
                decide(&mut change, &deletion).await?;
                change.commit(true).await
            })
            .await?;
        if is_decided {
            self.erase(ctx, id).await?;
        }
        Ok(is_decided)
    }

    /// Erases a deleted account now.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `NotDeleted` for one that is in use, `OnLegalHold`.
    pub async fn purge(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        ctx.may(&Act::PurgeUser(id))?;
        self.changes
            .run(ctx, "decide_purge", |mut change| async move {
                recent_proof::must_be_given_by_people(ctx, &self.deps.settings, &mut change).await?;
                recent_proof::must_not_be_above(ctx, &mut change, id).await?;
                change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                let deletion = change.deletions().find(id).await?.ok_or(Refusal::NotDeleted)?;
                if change.legal_holds().find(id).await?.is_some() {
                    return Err(Refusal::OnLegalHold.into());
                }
                decide(&mut change, &deletion).await?;
                change.commit(()).await
            })
            .await?;
        self.erase(ctx, id).await
    }

    /// Erases an account that the ledger names, in a backup that was restored: whatever its state there, but for one that
    /// was used or changed after it is said to have been erased. That one was not: a version before decision 0065 could write
    /// down an erasure that did not happen.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn purge_again(&self, ctx: &Context, id: UserId, purged_at: Timestamp) -> Result<ErasedAgain, Failure> {
        ctx.may(&Act::EndThePast)?;
        let found = self
            .changes
            .run(ctx, "decide_purge_again", |mut change| async move {
                let now = change.now;
                let Some(user) = change.users().find(id).await? else {
                    return change.commit(ErasedAgain::Absent).await;
                };
                let is_begun = user.status == UserStatus::Deleted && user.data_key.is_none();
                let last = user.last_sign_in_at.unwrap_or(user.updated_at).max(user.updated_at);
                if !is_begun && last > purged_at {
                    return change.commit(ErasedAgain::InUse).await;
                }
                match change.deletions().find(id).await? {
                    Some(deletion) => decide(&mut change, &deletion).await?,
                    None => change.tombstones().place(id, now).await?,
                }
                change.commit(ErasedAgain::Erased).await
            })
            .await?;
        if found == ErasedAgain::Erased {
            self.erase(ctx, id).await?;
        }
        Ok(found)
    }

    /// Forbids to erase an account, whatever its window says.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`; `NotFound`, also for one whose erasure has been decided.
    pub async fn hold(&self, ctx: &Context, id: UserId, reason: Option<&str>) -> Result<(), Failure> {
        ctx.may(&Act::HoldUser(id))?;
        let reason = reason.map(userd_model::text::reason).transpose();
        let reason = reason.map_err(|detail| Refusal::field("/reason", detail))?;
        let reason = reason.as_ref();
        self.changes
            .run(ctx, "hold_user", |mut change| async move {
                recent_proof::must_be_strong(ctx, &mut change).await?;
                change.users().find(id).await?.ok_or(Refusal::NotFound)?;
                if change.tombstones().find(id).await?.is_some() {
                    return Err(Refusal::NotFound.into());
                }
                let hold = LegalHold { user_id: id, reason: reason.cloned(), created_at: change.now };
                change.legal_holds().place(&hold).await?;
                change.event(EventKind::LegalHoldPlaced, id, serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    /// The hold on an account, if there is one: why, and since when.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn held(&self, ctx: &Context, id: UserId) -> Result<Option<LegalHold>, Failure> {
        ctx.may(&Act::HoldUser(id))?;
        Ok(self.deps.store.reading().legal_holds().find(id).await?)
    }

    /// Lets an account be erased again.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` where there is no hold.
    pub async fn lift_hold(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        ctx.may(&Act::HoldUser(id))?;
        self.changes
            .run(ctx, "lift_hold", |mut change| async move {
                recent_proof::must_be_strong(ctx, &mut change).await?;
                change.legal_holds().find(id).await?.ok_or(Refusal::NotFound)?;
                change.legal_holds().lift(id).await?;
                change.event(EventKind::LegalHoldLifted, id, serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    /// What was decided.
    async fn erase(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        if let Some(ledger) = self.deps.purge_ledger.clone() {
            let now = self.deps.now();
            // It waits for the disk.
            let recorded = tokio::task::spawn_blocking(move || ledger.record(id, now)).await;
            recorded.map_err(internal)?.map_err(internal)?;
        }
        self.blind(ctx, id).await?;
        for owned in OWNED.iter().filter(|owned| !OTHERWISE.contains(&owned.table.name)) {
            while self.erase_some(ctx, id, owned).await? == BATCH as usize {}
        }
        self.changes
            .run(ctx, "purge_user", |mut change| async move {
                let now = change.now;
                let is_there = change.users().find(id).await?.is_some();
                change.users().remove(id).await?;
                change.deletions().remove(id).await?;
                change.tombstones().place(id, now).await?;
                // Two may be at it, as an administrator and the sweeper: one of them tells.
                if is_there {
                    change.event(EventKind::UserPurged, id, serde_json::json!({}));
                }
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %id, "account erased");
        Ok(())
    }

    /// The data key goes, and with it whatever it seals; addresses and identities become free.
    async fn blind(&self, ctx: &Context, id: UserId) -> Result<(), Failure> {
        self.changes
            .run(ctx, "blind_user", |mut change| async move {
                let now: Timestamp = change.now;
                let Some(mut user) = change.users().find(id).await? else { return change.commit(()).await };
                user.erase(now);
                change.users().update(&user).await?;
                change.password_credentials().remove(id).await?;
                loop {
                    let claims = change.claims().of_owner(id).await?;
                    let free: Vec<_> =
                        claims.iter().filter(|claim| !KEPT_CLAIMS.contains(&claim.kind.as_str())).collect();
                    if free.is_empty() {
                        break;
                    }
                    for claim in free {
                        change.claims().remove(&claim.hash).await?;
                    }
                }
                let alive = change.sessions().alive_of_user(id, now).await?;
                change.end_sessions(alive, "account_purged").await?;
                change.revoke_before_epoch(&user);
                change.commit(()).await
            })
            .await
    }

    async fn erase_some(
        &self,
        ctx: &Context,
        id: UserId,
        owned: &userd_storage::repositories::owned::Owned,
    ) -> Result<usize, Failure> {
        self.changes
            .run(ctx, "erase_rows", |mut change| async move {
                let count = owned.remove(&mut change, id, BATCH).await?;
                change.commit(count).await
            })
            .await
    }
}

/// From here on the account is erased, whatever happens before it is: its window is closed and it has a tombstone, which
/// whoever restores or holds an account looks for.
async fn decide(change: &mut Change<'_>, deletion: &Deletion) -> Result<(), StoreError> {
    let (id, now) = (deletion.user_id, change.now);
    if deletion.is_restorable(now) {
        change.deletions().end_window(id, now).await?;
    }
    change.tombstones().place(id, now).await
}
