//! The declaration of `audit_heads`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, int, text},
};

/// Where the audit log ends: one row, with the name of the log, its size, and the hashes that are in no full tile yet.
pub const AUDIT_HEADS: Table = Table {
    name: "audit_heads",
    columns: &[
        int("log"),
        text("origin"),
        bytes("edge"),
    ],
    key: &["log"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
