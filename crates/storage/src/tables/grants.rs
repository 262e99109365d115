//! The declaration of `grants`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp, uuid},
};

/// Roles and permissions that users hold: why, by whom, and until when. What counts stands in the account's own row too.
/// `ends_at` is far away where a grant does not end.
pub const GRANTS: Table = Table {
    name: "grants",
    columns: &[
        uuid("user_id"),
        text("kind"),
        text("name"),
        uuid("id"),
        text("source"),
        bytes("reason").or_null(),
        text("granted_by"),
        timestamp("created_at"),
        timestamp("starts_at").or_null(),
        timestamp("ends_at"),
    ],
    key: &["user_id", "kind", "name"],
    indexes: &[
        Index { name: "grants_by_end", columns: &["ends_at", "user_id", "kind", "name"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
