//! The declaration of `deletions`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{text, timestamp, uuid},
};

/// Deleted accounts that can still be restored, or are being erased.
pub const DELETIONS: Table = Table {
    name: "deletions",
    columns: &[
        uuid("user_id"),
        text("deleted_by"),
        text("status_before"),
        timestamp("deleted_at"),
        timestamp("purge_at"),
    ],
    key: &["user_id"],
    indexes: &[
        Index { name: "deletions_by_purge", columns: &["purge_at", "user_id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
