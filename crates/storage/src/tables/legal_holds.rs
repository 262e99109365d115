//! The declaration of `legal_holds`.

use super::{
    Expiry, Owner, Table,
    table::columns::{text, timestamp, uuid},
};

/// Accounts that may not be erased.
pub const LEGAL_HOLDS: Table = Table {
    name: "legal_holds",
    columns: &[
        uuid("user_id"),
        text("reason").or_null(),
        timestamp("created_at"),
    ],
    key: &["user_id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
