//! Verifying the log: whether it is what it was when its checkpoints were signed, and which entry is the first that is
//! not. What the database says is compared with itself; what somebody kept outside is compared with the database.

use serde::Serialize;
use userd_crypto::transparency::{Checkpoint, WIDTH};
use userd_model::{Act, EventKind, Refusal};
use userd_storage::{Failure, StoreError, UnitOfWork, repositories::audit_entries::AuditOrder};

use super::{
    Audit,
    append::Head,
    openings::{self, is_cut_off},
    prune,
    walk::{Fault, Opening, Roots, Stop, Walk, fault, number},
};
use crate::{Context, limits::Limited};

/// Checkpoints read at once.
const BATCH: u32 = 1_000;

/// What is verified.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The newest entries alone; nothing said: all. The tree over the others is compared with checkpoints all the same.
    pub newest: Option<u64>,
    /// Checkpoints that somebody kept.
    pub kept: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Whether everything is as it was.
    pub intact: bool,
    /// The first thing that is not.
    pub fault: Option<Fault>,
    /// The name of the log.
    pub origin: Option<String>,
    /// How many entries the log has had.
    pub size: u64,
    /// Entries that were compared with their hashes.
    pub entries: u64,
    /// Checkpoints that were compared with the tree.
    pub checkpoints: u64,
    /// Kept checkpoints that a restored backup cut off: they are of what came after it, under an earlier name.
    pub cut_off: u64,
    /// Where the log went on under another name.
    pub openings: Vec<Opening>,
    /// The last checkpoint that was signed.
    pub checkpoint: Option<String>,
    /// The verifier key of the log.
    pub verifier: Option<String>,
}

impl Audit {
    /// Verifies the log. `progress` hears how many entries are done.
    ///
    /// # Errors
    /// `Forbidden`, `TooManyAttempts`; `InvalidInput` for a kept checkpoint that is none of this log; storage faults. That
    /// the log was changed is no error but an answer.
    pub async fn verify(
        &self,
        ctx: &Context,
        scope: &Scope,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Verified, Failure> {
        ctx.may(&Act::ReadAudit)?;
        self.limits.reserve(Limited::AuditVerification, &ctx.actor.name()).await?;
        let busy = |_| Refusal::TooManyAttempts(std::time::Duration::from_secs(5));
        let _turn = self.verifying.try_acquire().map_err(busy)?;
        let mut found = Verified {
            intact: false,
            fault: None,
            origin: None,
            size: 0,
            entries: 0,
            checkpoints: 0,
            cut_off: 0,
            openings: Vec::new(),
            checkpoint: None,
            verifier: None,
        };
        match self.look(scope, &mut found, progress).await {
            Ok(()) => found.intact = true,
            Err(Stop::Fault(fault)) => found.fault = Some(fault),
            Err(Stop::Failure(failure)) => return Err(failure),
        }
        metrics::gauge!("userd_audit_intact").set(if found.intact { 1.0 } else { 0.0 });
        if let Some(Fault { position, what }) = &found.fault {
            tracing::error!(position, %what, "the audit log is not what it was");
        }
        Ok(found)
    }

    async fn look(
        &self,
        scope: &Scope,
        found: &mut Verified,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<(), Stop> {
        let kept = self.kept(&scope.kept)?;
        let mut unit = self.deps.store.reading();
        let head = match unit.audit_heads().find().await {
            Ok(None) => return without_head(&mut unit, &kept).await,
            Ok(Some(row)) => Head::of(row).ok(),
            Err(StoreError::Corrupt(_)) => None,
            Err(other) => return Err(other.into()),
        };
        let Some(head) = head else {
            let last = unit.audit_entries().up_to(AuditOrder::Whole, i64::MAX, 1).await?;
            let size = last.first().map_or(0, |row| row.position.saturating_add(1));
            return fault(size.try_into().unwrap_or(0), "the row that says where the log ends is damaged");
        };
        let size = head.edge.size();
        (found.origin, found.size) = (Some(head.origin.clone()), size);
        found.verifier = Some(self.deps.crypto.checkpoints.verifier(&head.origin));
        found.openings = openings::told(&mut unit).await?;
        let waiting = openings::waiting(&mut unit, &head.origin, number(size)?).await?;
        let told: Vec<Opening> = found.openings.iter().cloned().chain(waiting).collect();
        let (mut roots, last) = self.own_roots(&mut unit).await?;
        found.checkpoint = last.as_ref().map(|(_, note)| note.clone());
        for checkpoint in kept {
            if is_cut_off(&checkpoint, &told) {
                found.cut_off += 1;
                continue;
            }
            roots.entry(checkpoint.size).or_default().push((checkpoint.root, "the kept checkpoint"));
        }
        let start = scope.newest.map_or(0, |newest| size.saturating_sub(newest) / WIDTH as u64 * WIDTH as u64);
        let progress = |done: u64| progress(done, size);
        let mut walk = Walk::begin(unit, &head, start, &roots, &progress).await?;
        let outcome = match walk.check_earlier_roots().await {
            Ok(()) => walk.run().await,
            stop => stop,
        };
        (found.entries, found.checkpoints) = (walk.entries, walk.checkpoints);
        outcome?;
        // The first fault is named, so the front is looked at before the end.
        self.must_begin_where_it_says(&mut walk.unit, size).await?;
        let now = self.deps.store.reading().audit_heads().find().await?.map(Head::of).transpose()?;
        let now = now.map_or(size, |head| head.edge.size());
        if let Some(beyond) = roots.range(now + 1..).next() {
            let what = format!("the log ends here, and {} of {} entries was signed", who(beyond.1), beyond.0);
            return fault(now, what);
        }
        walk.must_be_all(now).await?;
        let last = last.as_ref().map(|(last, _)| last);
        self.must_be_named(&mut walk.unit, &head, last, &found.openings).await
    }

    /// The checkpoints in the database, and the last one with its note.
    async fn own_roots(&self, unit: &mut UnitOfWork) -> Result<(Roots, Option<(Checkpoint, String)>), Stop> {
        let (mut roots, mut last, mut from) = (Roots::new(), None, i64::MIN);
        loop {
            let rows = match unit.audit_checkpoints().from(from, BATCH).await {
                Err(StoreError::Corrupt(_)) => return unreadable(unit, from).await,
                other => other?,
            };
            let is_end = rows.len() < BATCH as usize;
            for row in rows {
                let Ok(checkpoint) = self.open(&row) else {
                    let size = row.size.try_into().unwrap_or(0);
                    return fault(size, "the checkpoint of this size was changed, or is not signed by this log's key");
                };
                roots.entry(checkpoint.size).or_default().push((checkpoint.root, "the checkpoint"));
                from = row.size.saturating_add(1);
                last = Some((checkpoint, row.note));
            }
            if is_end {
                return Ok((roots, last));
            }
        }
    }

    /// Notes that somebody kept: each must be signed by this log's key.
    fn kept(&self, notes: &[String]) -> Result<Vec<Checkpoint>, Stop> {
        let open = |note: &String| {
            let opened = self.deps.crypto.checkpoints.open(note);
            opened.map_err(|error| Stop::Failure(Refusal::field("/checkpoints", error.to_string()).into()))
        };
        notes.iter().map(open).collect()
    }

    /// The log bears the name of its last checkpoint, or the one that it says it got since.
    async fn must_be_named(
        &self,
        unit: &mut UnitOfWork,
        head: &Head,
        last: Option<&Checkpoint>,
        openings: &[Opening],
    ) -> Result<(), Stop> {
        let Some(last) = last else { return Ok(()) };
        let is_told = openings.last().is_some_and(|opening| opening.origin == head.origin);
        if last.origin == head.origin || is_told || prune::waits(unit, EventKind::AuditLogOpened, &head.origin).await? {
            return Ok(());
        }
        fault(
            head.edge.size(),
            format!("the log is named {}, and nothing says why it is not {}", head.origin, last.origin),
        )
    }

    /// Entries are missing at the front only as far as the log says that it was pruned.
    async fn must_begin_where_it_says(&self, unit: &mut UnitOfWork, size: u64) -> Result<(), Stop> {
        let before = prune::pruned_before(unit).await?;
        let first = unit.audit_entries().from(AuditOrder::Whole, 0, 1).await?;
        let first = first.first().map_or(number(size)?, |row| row.position);
        if first > before {
            let what = format!("entries up to {first} are missing, and the log does not say that they were pruned");
            return fault(before.try_into().unwrap_or(0), what);
        }
        Ok(())
    }
}

fn who(roots: &[([u8; 32], &'static str)]) -> &'static str {
    roots.first().map_or("a checkpoint", |(_, who)| who)
}

/// Names the checkpoint that cannot even be read.
async fn unreadable<T>(unit: &mut UnitOfWork, from: i64) -> Result<T, Stop> {
    for size in unit.audit_checkpoints().sizes(from, BATCH).await? {
        if let Err(StoreError::Corrupt(_)) = unit.audit_checkpoints().from(size, 1).await {
            return fault(size.try_into().unwrap_or(0), "the checkpoint of this size cannot be read");
        }
    }
    fault(from.try_into().unwrap_or(0), "a checkpoint behind this size cannot be read")
}

/// A log without an end must have nothing else either.
async fn without_head(unit: &mut UnitOfWork, kept: &[Checkpoint]) -> Result<(), Stop> {
    let has_entries = !unit.audit_entries().from(AuditOrder::Whole, i64::MIN, 1).await?.is_empty();
    let was_signed = unit.audit_checkpoints().newest().await?.is_some() || kept.iter().any(|kept| kept.size > 0);
    if has_entries || was_signed {
        return fault(0, "the row that says where the log ends is missing");
    }
    Ok(())
}
