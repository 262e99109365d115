//! The declaration of `recovery_codes`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, timestamp, uuid},
};

/// Codes that stand for a lost second factor, as keyed hashes. A used one is gone.
pub const RECOVERY_CODES: Table = Table {
    name: "recovery_codes",
    columns: &[
        bytes("hash"),
        uuid("user_id"),
        timestamp("created_at"),
    ],
    key: &["hash"],
    indexes: &[
        Index { name: "recovery_codes_by_user", columns: &["user_id", "hash"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
