//! The declaration of `clients`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// Service accounts. Rows are never removed, so that an id is never used again.
pub const CLIENTS: Table = Table {
    name: "clients",
    columns: &[
        uuid("id"),
        text("scope"),
        text("name"),
        bytes("secret_hash"),
        json("permissions"),
        uuid("created_by").or_null(),
        timestamp("created_at"),
        timestamp("secret_changed_at"),
        timestamp("disabled_at").or_null(),
        json("audiences").or_null(),
        int("version").or_null(),
        text("permission_prefix").or_null(),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "clients_by_created", columns: &["scope", "created_at", "id"] },
    ],
    owner: Owner::Client { column: "id" },
    expiry: Expiry::Never,
    copied: true,
};
