//! The declaration of `access_requests`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// Requests for a change of rights, with what was decided.
pub const ACCESS_REQUESTS: Table = Table {
    name: "access_requests",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        text("kind"),
        text("name"),
        text("action"),
        bytes("reason").or_null(),
        timestamp("starts_at").or_null(),
        int("duration_seconds").or_null(),
        text("state"),
        json("decisions"),
        timestamp("created_at"),
        timestamp("expires_at"),
        int("version"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "access_requests_by_user", columns: &["user_id", "created_at", "id"] },
        Index { name: "access_requests_by_state", columns: &["state", "created_at", "id"] },
        Index { name: "access_requests_by_expiry", columns: &["state", "expires_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
