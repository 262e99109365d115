//! The declaration of `block_ends`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{timestamp, uuid},
};

/// When blocks end by themselves. The account says whether it still is blocked, and until when.
pub const BLOCK_ENDS: Table = Table {
    name: "block_ends",
    columns: &[
        uuid("user_id"),
        timestamp("ends_at"),
    ],
    key: &["user_id"],
    indexes: &[
        Index { name: "block_ends_by_end", columns: &["ends_at", "user_id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
