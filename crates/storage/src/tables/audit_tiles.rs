//! The declaration of `audit_tiles`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, int},
};

/// The hash tree over the audit log: sixteen hashes a row, written once. They stay when entries go, so that what
/// remains can be proven against checkpoints from before; an entry leaves 34 bytes.
pub const AUDIT_TILES: Table = Table {
    name: "audit_tiles",
    columns: &[
        int("level"),
        int("number"),
        bytes("hashes"),
    ],
    key: &["level", "number"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
