//! Proofs that leave the service: that an entry is in the log, and that a log begins as it was. Whoever has one and the
//! key of the log needs nobody to check it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use userd_crypto::transparency::{Hash, consistency_path, inclusion_path};
use userd_model::{Act, EventId, Refusal};
use userd_storage::{Failure, UnitOfWork, repositories::audit_entries::AuditRow};

use super::{Audit, Signed, append::Head, tree};
use crate::{Context, user_reader::internal};

/// That an entry is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inclusion {
    /// Where it is.
    pub position: i64,
    /// The bytes that are hashed, in base64.
    pub entry: String,
    /// The proof (C2SP `tlog-proof`); the entry is its `extra`, so that one file is all there is to check.
    pub proof: String,
}

/// That the log begins as it was at a smaller size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consistency {
    /// The smaller size.
    pub from: u64,
    /// The checkpoint at the larger one.
    pub checkpoint: String,
    /// The hashes (RFC 6962 section 2.1.2), in base64.
    pub hashes: Vec<String>,
}

impl Audit {
    /// Proves that an entry is in the log, by the last checkpoint; signs one where the entry is newer.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Internal` where the tree is damaged.
    pub async fn prove(&self, ctx: &Context, id: EventId) -> Result<Inclusion, Failure> {
        ctx.may(&Act::ReadAudit)?;
        let row = self.deps.store.reading().audit_entries().of_fact(id).await?.ok_or(Refusal::NotFound)?;
        let position = u64::try_from(row.position).map_err(internal)?;
        let signed = self.covering(position).await?;
        let mut reading = self.deps.store.reading();
        let head = head(&mut reading).await?;
        let ranges = inclusion_path(position, signed.checkpoint.size);
        let hashes = tree::hashes(&mut reading, &head.edge, &ranges).await?;
        Ok(inclusion(&row, &hashes, &signed))
    }

    /// Proves that the log as the last checkpoint has it begins with its first `from` entries.
    ///
    /// # Errors
    /// `Forbidden`; `InvalidInput` for more entries than the checkpoint has; `Internal` where the tree is damaged.
    pub async fn prove_consistency(&self, ctx: &Context, from: u64) -> Result<Consistency, Failure> {
        ctx.may(&Act::ReadAudit)?;
        let signed = self.last_checkpoint().await?.ok_or(Refusal::NotFound)?;
        if from == 0 || from > signed.checkpoint.size {
            return Err(Refusal::field("/since", "is not the size of a checkpoint of this log").into());
        }
        let mut reading = self.deps.store.reading();
        let head = head(&mut reading).await?;
        let hashes = tree::hashes(&mut reading, &head.edge, &consistency_path(from, signed.checkpoint.size)).await?;
        let hashes = hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
        Ok(Consistency { from, checkpoint: signed.note, hashes })
    }

    /// The last checkpoint that was signed.
    pub(super) async fn last_checkpoint(&self) -> Result<Option<Signed>, Failure> {
        let row = self.deps.store.reading().audit_checkpoints().newest().await?;
        row.map(|row| Ok(Signed { checkpoint: self.open(&row)?, note: row.note })).transpose()
    }

    /// A checkpoint behind this position.
    async fn covering(&self, position: u64) -> Result<Signed, Failure> {
        let last = self.last_checkpoint().await?;
        if let Some(last) = last.filter(|last| last.checkpoint.size > position) {
            return Ok(last);
        }
        self.checkpoint().await?.ok_or_else(|| Refusal::NotFound.into())
    }
}

async fn head(unit: &mut UnitOfWork) -> Result<Head, Failure> {
    Head::of(unit.audit_heads().find().await?.ok_or(Refusal::NotFound)?)
}

fn inclusion(row: &AuditRow, hashes: &[Hash], signed: &Signed) -> Inclusion {
    let entry = STANDARD.encode(&row.entry);
    let mut proof = format!("c2sp.org/tlog-proof@v1\nextra {entry}\nindex {}\n", row.position);
    for hash in hashes {
        let _ = writeln!(proof, "{}", STANDARD.encode(hash));
    }
    let _ = write!(proof, "\n{}", signed.note);
    Inclusion { position: row.position, entry, proof }
}
