//! A witness: somebody else's service that is shown every checkpoint with the proof that the log goes on, and cosigns it
//! (C2SP `tlog-witness`). Whoever then holds a cosigned checkpoint knows that nobody was shown another log. Nothing waits
//! for it: a witness that is dead or refuses costs checkpoints that nobody has cosigned, and a line in the log.

use std::sync::PoisonError;

use async_trait::async_trait;
use userd_crypto::transparency::{Cosignature, WitnessKey, add_checkpoint, consistency_path};
use userd_storage::{Failure, repositories::audit_checkpoints::AuditCheckpointRow};

use super::{Audit, Signed, append::Head, tree};
use crate::user_reader::internal;

/// Asks a witness.
#[async_trait]
pub trait CheckpointWitness: Send + Sync {
    /// Whose word counts.
    fn key(&self) -> &WitnessKey;

    /// Sends `add-checkpoint` once; the status and the body of the answer, if one came.
    ///
    /// # Errors
    /// Why none came, in words for the log.
    async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String>;
}

/// What came of asking.
enum Said {
    Cosigned(Cosignature),
    /// It knows the log at another size.
    Knows(u64),
    /// Anything else, in words for the log.
    Not(String),
}

impl Audit {
    /// Has the newest checkpoint cosigned, if it is not yet. Answers whether it is now.
    ///
    /// # Errors
    /// Storage faults. That the witness does not answer, or refuses, is none: it is in the log of the process.
    pub async fn witness(&self) -> Result<bool, Failure> {
        let Some(witness) = self.deps.checkpoint_witness.clone() else { return Ok(false) };
        let Some(signed) = self.last_checkpoint().await? else { return Ok(false) };
        if witness.key().find(&signed.checkpoint, &signed.note).is_some() {
            return Ok(true);
        }
        let known = *self.witnessed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = self.ask(witness.as_ref(), &signed, known.min(signed.checkpoint.size)).await?;
        if let Said::Knows(size) = said {
            // A new process knows nothing of what its witness knows; the answer says it.
            said = match size.cmp(&signed.checkpoint.size) {
                std::cmp::Ordering::Greater => Said::Not(format!(
                    "it has seen this log with {size} entries, and there are {}: was a backup put back?",
                    signed.checkpoint.size
                )),
                _ => self.ask(witness.as_ref(), &signed, size).await?,
            };
        }
        let name = witness.key().name();
        match said {
            Said::Cosigned(cosignature) => {
                *self.witnessed.lock().unwrap_or_else(PoisonError::into_inner) = signed.checkpoint.size;
                self.keep(&signed, &cosignature).await?;
                metrics::counter!("userd_audit_witness_total", "outcome" => "cosigned").increment(1);
                tracing::info!(
                    size = signed.checkpoint.size,
                    witness = name,
                    cosignature = cosignature.line.trim_end(),
                    "the checkpoint of the audit log is cosigned"
                );
                Ok(true)
            }
            Said::Knows(size) => {
                self.not_cosigned(name, &format!("it answers with another size each time, now {size}"));
                Ok(false)
            }
            Said::Not(reason) => {
                self.not_cosigned(name, &reason);
                Ok(false)
            }
        }
    }

    /// Waits until this process has signed a checkpoint.
    pub(crate) async fn unseen(&self) {
        self.unseen.notified().await;
    }

    fn not_cosigned(&self, witness: &str, reason: &str) {
        metrics::counter!("userd_audit_witness_total", "outcome" => "failed").increment(1);
        tracing::warn!(witness, reason, "the checkpoint of the audit log is not cosigned; it will be tried again");
    }

    async fn ask(&self, witness: &dyn CheckpointWitness, signed: &Signed, old: u64) -> Result<Said, Failure> {
        let checkpoint = &signed.checkpoint;
        let mut reading = self.deps.store.reading();
        let Some(row) = reading.audit_heads().find().await? else {
            return Ok(Said::Not("the log is empty".to_owned()));
        };
        // From nothing, and from the same size, the path is empty.
        let path = consistency_path(old, checkpoint.size);
        let proof = tree::hashes(&mut reading, &Head::of(row)?.edge, &path).await?;
        let answer = witness.add_checkpoint(add_checkpoint(old, &proof, &signed.note)).await;
        let (status, body) = match answer {
            Ok(answer) => answer,
            Err(reason) => return Ok(Said::Not(reason)),
        };
        Ok(match status {
            200 => match witness.key().find(checkpoint, &body) {
                Some(cosignature) => Said::Cosigned(cosignature),
                None => Said::Not("its answer has no signature of its key for this checkpoint".to_owned()),
            },
            409 => match body.trim_end().parse().ok().filter(|size| *size != old) {
                Some(size) => Said::Knows(size),
                None => Said::Not("it knows another log of this name and size: was this one rewritten?".to_owned()),
            },
            404 => Said::Not("it does not know this log: give it the key that `userd audit key` prints".to_owned()),
            403 => {
                Said::Not("it knows another key of this log: give it the one that `userd audit key` prints".to_owned())
            }
            422 => Said::Not("the log does not go on from what it has seen: was it rewritten?".to_owned()),
            other => Said::Not(format!("it answers {other}")),
        })
    }

    /// The cosignature stands under the checkpoint from now on, in proofs too.
    async fn keep(&self, signed: &Signed, cosignature: &Cosignature) -> Result<(), Failure> {
        let size = i64::try_from(signed.checkpoint.size).map_err(internal)?;
        let note = signed.note.clone() + &cosignature.line;
        self.changes
            .run(&self.changes.system_context(), "keep_cosignature", |mut change| {
                let note = note.clone();
                async move {
                    let row = change.audit_checkpoints().from(size, 1).await?.into_iter().next();
                    // Somebody else's signature may have come meanwhile.
                    if row.is_some_and(|row| row.size == size && row.note == signed.note) {
                        change.audit_checkpoints().update(&AuditCheckpointRow { size, note }).await?;
                    }
                    change.commit(()).await
                }
            })
            .await?;
        let Some(ledger) = &self.deps.checkpoint_ledger else { return Ok(()) };
        if let Err(error) = ledger.record(&note) {
            tracing::error!(%error, "the cosigned checkpoint could not be written to the file of checkpoints");
        }
        Ok(())
    }
}
