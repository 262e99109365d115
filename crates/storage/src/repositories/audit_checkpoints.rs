//! Signed checkpoints of the audit log.

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// Signed checkpoints of the audit log.
pub struct AuditCheckpoints<'a>(pub(super) &'a mut UnitOfWork);

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheckpointRow {
    /// How many entries the log had.
    pub size: i64,
    /// The signed note.
    pub note: String,
}

statements_of! { AUDIT_CHECKPOINTS:
    INSERT = "audit_checkpoints.insert": Shape::Insert;
    UPDATE = "audit_checkpoints.update": Shape::Update(&["note"]);
    REMOVE = "audit_checkpoints.remove": Shape::Remove;
    NEWEST = "audit_checkpoints.newest": Shape::List(List::by_key().descending());
    NEXT = "audit_checkpoints.next": Shape::List(List::by_key().range(Range::From));
    SIZES = "audit_checkpoints.sizes": Shape::List(List::by_key().range(Range::From).narrow());
}

impl AuditCheckpoints<'_> {
    /// Adds a checkpoint.
    ///
    /// # Errors
    /// `Duplicate(Key("audit_checkpoints"))` when there is one of this size.
    pub async fn insert(&mut self, checkpoint: &AuditCheckpointRow) -> Result<(), StoreError> {
        self.0.write(&INSERT, &[checkpoint.size.into(), checkpoint.note.as_str().into()]).await
    }

    /// Writes the note of a checkpoint that is there, with more signatures.
    pub async fn update(&mut self, checkpoint: &AuditCheckpointRow) -> Result<(), StoreError> {
        self.0.write(&UPDATE, &[checkpoint.note.as_str().into(), checkpoint.size.into()]).await
    }

    /// Removes checkpoints by their sizes.
    pub async fn remove_many(&mut self, sizes: &[i64]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, sizes.iter().map(|size| vec![(*size).into()]).collect()).await
    }

    /// The last one.
    pub async fn newest(&mut self) -> Result<Option<AuditCheckpointRow>, StoreError> {
        self.0.one(&NEWEST, &[1_i64.into()], checkpoint).await
    }

    /// The sizes of up to `limit` from one on, in order: of those too that cannot be read.
    pub async fn sizes(&mut self, size: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        self.0.many(&SIZES, &[size.into(), i64::from(limit).into()], |row| row.i64(0)).await
    }

    /// Up to `limit` from a size on, in order.
    pub async fn from(&mut self, size: i64, limit: u32) -> Result<Vec<AuditCheckpointRow>, StoreError> {
        self.0.many(&NEXT, &[size.into(), i64::from(limit).into()], checkpoint).await
    }
}

fn checkpoint(row: &mut Row) -> Result<AuditCheckpointRow, StoreError> {
    Ok(AuditCheckpointRow {
        size: row.i64(position!(AUDIT_CHECKPOINTS.size))?,
        note: row.text(position!(AUDIT_CHECKPOINTS.note))?,
    })
}
