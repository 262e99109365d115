//! Checkpoints: signed, kept, and sent out of the database, at least one a minute while there is something new. Whoever
//! keeps one can tell whether the log was rewritten. Nothing is signed that contradicts what was signed before.

use std::sync::PoisonError;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use userd_crypto::transparency::{Checkpoint, consistency_path, is_consistent};
use userd_model::{Act, EventKind, Subject};
use userd_storage::{
    Failure, UnitOfWork,
    repositories::{audit_checkpoints::AuditCheckpointRow, audit_heads::AuditHeadRow},
};

use super::{Audit, append::Head, openings, tree};
use crate::{Context, change::Change, user_reader::internal};

/// Keeps checkpoints outside the database.
pub trait CheckpointLedger: Send + Sync {
    /// Writes one, durable when it returns.
    ///
    /// # Errors
    /// The checkpoint is in the database, in events and in the log all the same.
    fn record(&self, note: &str) -> std::io::Result<()>;
}

/// A checkpoint and its signed note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The note.
    pub note: String,
}

impl Audit {
    /// Signs a checkpoint if the log has grown. Answers the last one there is.
    ///
    /// # Errors
    /// `Internal` when the log contradicts a checkpoint: then nothing is signed.
    pub async fn checkpoint(&self) -> Result<Option<Signed>, Failure> {
        let signed = self
            .changes
            .run(&self.changes.system_context(), "sign_checkpoint", |change| async move { self.sign(change).await })
            .await;
        let (signed, is_new) = match signed {
            Ok(Some(signed)) => signed,
            Ok(None) => return Ok(None),
            Err(failure) => {
                metrics::counter!("userd_audit_checkpoints_refused_total").increment(1);
                return Err(failure);
            }
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(signed.checkpoint.clone());
        if is_new {
            self.tell(&signed);
        }
        Ok(Some(signed))
    }

    async fn sign(&self, mut change: Change<'_>) -> Result<crate::change::Committed<Option<(Signed, bool)>>, Failure> {
        let Some(row) = change.audit_heads().find().await? else { return change.commit(None).await };
        let head = Head::of(row)?;
        let last = match change.audit_checkpoints().newest().await? {
            Some(row) => Some(Signed { checkpoint: self.open(&row)?, note: row.note }),
            None => None,
        };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for before in last.iter().map(|signed| &signed.checkpoint).chain(&seen) {
            must_continue(&mut change, &head, before).await?;
        }
        if let Some(last) = last.filter(|last| last.checkpoint.size >= head.edge.size()) {
            return change.commit(Some((last, false))).await;
        }
        let checkpoint = Checkpoint { origin: head.origin, size: head.edge.size(), root: head.edge.root() };
        let note = self.deps.crypto.checkpoints.sign(&checkpoint).map_err(internal)?;
        let size = i64::try_from(checkpoint.size).map_err(internal)?;
        change.audit_checkpoints().insert(&AuditCheckpointRow { size, note: note.clone() }).await?;
        let data = json!({ "origin": checkpoint.origin, "size": checkpoint.size, "note": note,
            "root": STANDARD.encode(checkpoint.root) });
        change.event(EventKind::AuditCheckpoint, Subject::audit_log(&checkpoint.origin), data);
        change.commit(Some((Signed { checkpoint, note }, true))).await
    }

    fn tell(&self, signed: &Signed) {
        let Checkpoint { origin, size, root } = &signed.checkpoint;
        let root = STANDARD.encode(root);
        tracing::info!(%origin, size, %root, note = %signed.note, "checkpoint of the audit log");
        metrics::gauge!("userd_audit_size").set(*size as f64);
        self.unseen.notify_one();
        let Some(ledger) = &self.deps.checkpoint_ledger else { return };
        if let Err(error) = ledger.record(&signed.note) {
            tracing::error!(%error, "the checkpoint could not be written to the file of checkpoints");
        }
    }

    /// A checkpoint as it is kept.
    pub(super) fn open(&self, row: &AuditCheckpointRow) -> Result<Checkpoint, Failure> {
        let opened = self.deps.crypto.checkpoints.open(&row.note);
        let opened = opened.ok().filter(|checkpoint| i64::try_from(checkpoint.size) == Ok(row.size));
        opened.ok_or_else(|| internal(format!("the checkpoint of the audit log at {} was changed", row.size)))
    }

    /// Gives the log another name after a backup was restored: what was signed after the backup was made is another
    /// log's from now on, and the new one says where it begins. `replaced` are the names in the database that was there.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn open_anew(&self, ctx: &Context, replaced: &[String]) -> Result<(), Failure> {
        ctx.may(&Act::EndThePast)?;
        let ours = openings::names(&self.deps.store).await?;
        let replaced: &Vec<&String> = &replaced.iter().filter(|name| !ours.contains(name)).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.changes
            .run(ctx, "open_audit_log", |mut change| async move {
                let Some(row) = change.audit_heads().find().await? else { return change.commit(()).await };
                let head = Head::of(row.clone())?;
                let origin = self.log.name(change.id());
                let last = change.audit_checkpoints().newest().await?;
                change.audit_heads().write(&AuditHeadRow { origin: origin.clone(), ..row }).await?;
                let mut data = json!({ "origin": origin, "size": head.edge.size(), "previous": head.origin });
                if let (Some(members), Some(last)) = (data.as_object_mut(), last) {
                    members.insert("checkpoint".to_owned(), last.note.into());
                }
                if let Some(members) = data.as_object_mut().filter(|_| !replaced.is_empty()) {
                    members.insert("replaced".to_owned(), json!(replaced));
                }
                change.event(EventKind::AuditLogOpened, Subject::audit_log(&origin), data);
                change.commit(()).await
            })
            .await
    }

    /// The verifier key of the log as it is named now: what auditors keep (`vkey`). None where nothing was appended.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn verifier(&self, ctx: &Context) -> Result<Option<String>, Failure> {
        ctx.may(&Act::ReadAudit)?;
        let head = self.deps.store.reading().audit_heads().find().await?;
        Ok(head.map(|head| self.deps.crypto.checkpoints.verifier(&head.origin)))
    }
}

/// Refuses to go on from a log that does not begin as the checkpoint says.
async fn must_continue(unit: &mut UnitOfWork, head: &Head, before: &Checkpoint) -> Result<(), Failure> {
    let (size, root) = (head.edge.size(), head.edge.root());
    let wrong = || {
        tracing::error!(size, before = before.size, "the audit log contradicts a checkpoint: it was rewritten");
        internal(format!("the audit log of {size} entries contradicts its checkpoint of {}", before.size))
    };
    if before.size > size {
        return Err(wrong());
    }
    let proof = tree::hashes(unit, &head.edge, &consistency_path(before.size, size)).await.map_err(|_| wrong())?;
    let goes_on = is_consistent((before.size, before.root), (size, root), &proof);
    if goes_on { Ok(()) } else { Err(wrong()) }
}
