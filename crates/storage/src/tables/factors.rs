//! The declaration of `factors`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, text, timestamp, uuid},
};

/// Second factors: authenticator apps and passkeys.
pub const FACTORS: Table = Table {
    name: "factors",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        text("kind"),
        text("name").or_null(),
        bytes("secret"),
        int("counter"),
        timestamp("created_at"),
        timestamp("last_used_at").or_null(),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "factors_by_user", columns: &["user_id", "created_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
