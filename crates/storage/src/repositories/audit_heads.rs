//! Where the audit log ends.

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Where the audit log ends.
pub struct AuditHeads<'a>(pub(super) &'a mut UnitOfWork);

/// The end of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHeadRow {
    /// The name of the log.
    pub origin: String,
    /// Its size, and the hashes that are in no full tile yet.
    pub edge: Vec<u8>,
}

/// There is one log.
const LOG: i64 = 0;

statements_of! { AUDIT_HEADS:
    FIND = "audit_heads.find": Shape::Find;
    UPSERT = "audit_heads.upsert": Shape::Upsert;
}

impl AuditHeads<'_> {
    /// The end of the log; none where nothing was appended yet.
    pub async fn find(&mut self) -> Result<Option<AuditHeadRow>, StoreError> {
        self.0.one(&FIND, &[LOG.into()], head).await
    }

    /// Writes it.
    pub async fn write(&mut self, head: &AuditHeadRow) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[LOG.into(), head.origin.as_str().into(), head.edge.clone().into()]).await
    }
}

fn head(row: &mut Row) -> Result<AuditHeadRow, StoreError> {
    Ok(AuditHeadRow { origin: row.text(position!(AUDIT_HEADS.origin))?, edge: row.bytes(position!(AUDIT_HEADS.edge))? })
}
