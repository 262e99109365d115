//! The declaration of `audit_checkpoints`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, text},
};

/// Signed checkpoints of the audit log, by its size.
pub const AUDIT_CHECKPOINTS: Table = Table {
    name: "audit_checkpoints",
    columns: &[
        int("size"),
        text("note"),
    ],
    key: &["size"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Done { by: "audit.prune" },
    copied: true,
};
