//! The end of entries. The log itself says up to where it was pruned: first that is told and appended, and what it says is
//! removed afterwards. So whoever removes entries by hand is found out, and what the tree holds stays.

use std::time::Duration;

use serde_json::json;
use userd_model::{EventKind, Subject};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{
        audit_entries::{AuditOrder, AuditRow},
        outbox::shard_of,
    },
};

use super::{Audit, append::Head, entry};

/// Rows removed in one unit of work.
const BATCH: u32 = 200;
/// Units of work of one round.
const ROUNDS: usize = 100;
/// Expired entries that are looked for at once.
const LOOKED_AT: u32 = 5_000;
/// How long entries may be over before it is told: once a day, because telling makes an entry.
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Audit {
    /// Removes what the log says is pruned, or tells what is to be pruned next. Answers how many entries went.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn prune(&self) -> Result<usize, Failure> {
        let before = pruned_before(&mut self.deps.store.reading()).await?;
        let mut removed = 0;
        for _ in 0..ROUNDS {
            let count = self.remove_before(before).await?;
            removed += count;
            if count == 0 {
                break;
            }
        }
        if removed == 0 {
            self.tell_next().await?;
        }
        Ok(removed)
    }

    /// A batch of entries from the front, and the checkpoints that end there.
    async fn remove_before(&self, before: i64) -> Result<usize, Failure> {
        self.changes
            .run(&self.changes.system_context(), "prune_audit", |mut change| async move {
                let rows = change.audit_entries().from(AuditOrder::Whole, 0, BATCH).await?;
                let gone: Vec<i64> = rows.iter().map(|row| row.position).filter(|at| *at < before).collect();
                let notes = change.audit_checkpoints().from(0, BATCH).await?;
                let sizes: Vec<i64> = notes.iter().map(|note| note.size).filter(|size| *size <= before).collect();
                change.audit_entries().remove_many(&gone).await?;
                change.audit_checkpoints().remove_many(&sizes).await?;
                change.commit(gone.len().max(sizes.len())).await
            })
            .await
    }

    /// Tells what is to be pruned next, if anything is over.
    async fn tell_next(&self) -> Result<(), Failure> {
        let (keep, now) = (self.deps.settings.retention.audit, self.deps.now());
        let mut reading = self.deps.store.reading();
        let is_over = |row: &AuditRow| row.at.plus(keep) <= now;
        let first = reading.audit_entries().from(AuditOrder::Whole, 0, 1).await?;
        if first.first().is_none_or(|row| row.at.plus(keep).plus(DAY) > now) {
            return Ok(());
        }
        let Some(head) = reading.audit_heads().find().await? else { return Ok(()) };
        let head = Head::of(head)?;
        if waits(&mut reading, EventKind::AuditPruned, &head.origin).await? {
            return Ok(());
        }
        let rows = reading.audit_entries().from(AuditOrder::Whole, 0, LOOKED_AT).await?;
        let over = rows.iter().take_while(|row| is_over(row)).last().map(|row| row.position + 1);
        let Some(before) = over else { return Ok(()) };
        let origin = &head.origin;
        self.changes
            .run(&self.changes.system_context(), "announce_pruning", |mut change| async move {
                change.event(EventKind::AuditPruned, Subject::audit_log(origin), json!({ "before": before }));
                change.commit(()).await
            })
            .await
    }
}

/// Up to where the log says that it was pruned.
pub(super) async fn pruned_before(unit: &mut UnitOfWork) -> Result<i64, Failure> {
    let act = AuditOrder::Act(EventKind::AuditPruned.as_str());
    let last = unit.audit_entries().up_to(act, i64::MAX, 1).await?;
    let before = last.first().and_then(|row| entry::fact(&row.entry).ok()?.data.get("before")?.as_i64());
    Ok(before.unwrap_or(0))
}

/// Whether such a fact about the log is still to be passed on.
pub(super) async fn waits(unit: &mut UnitOfWork, kind: EventKind, origin: &str) -> Result<bool, Failure> {
    Ok(waiting(unit, kind, origin).await?.is_some())
}

/// What it says.
pub(super) async fn waiting(
    unit: &mut UnitOfWork,
    kind: EventKind,
    origin: &str,
) -> Result<Option<serde_json::Value>, Failure> {
    let subject = Subject::audit_log(origin);
    let facts = unit.outbox().page(shard_of(&subject), None, BATCH).await?;
    let found = facts.into_iter().find(|fact| fact.subject == subject && fact.kind == kind.as_str());
    Ok(found.map(|fact| fact.data))
}
