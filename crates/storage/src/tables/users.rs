//! The declaration of `users`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{boolean, bytes, int, json, text, timestamp, uuid},
};

/// Accounts.
pub const USERS: Table = Table {
    name: "users",
    columns: &[
        uuid("id"),
        text("status"),
        text("username").or_null(),
        bytes("email_sealed").or_null(),
        boolean("email_verified"),
        bytes("phone_sealed").or_null(),
        bytes("data_key").or_null(),
        text("display_name").or_null(),
        text("locale").or_null(),
        text("time_zone").or_null(),
        json("attributes"),
        json("roles"),
        int("security_epoch"),
        int("version"),
        timestamp("created_at"),
        timestamp("updated_at"),
        timestamp("last_sign_in_at").or_null(),
        timestamp("blocked_until").or_null(),
        bytes("block_reason").or_null(),
        json("held").or_null(),
        timestamp("awaits_approval_since").or_null(),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "users_by_created", columns: &["created_at", "id"] },
        Index { name: "users_by_status", columns: &["status", "created_at", "id"] },
    ],
    owner: Owner::User { column: "id" },
    expiry: Expiry::Never,
    copied: true,
};
