//! The declaration of `notifications`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp, uuid},
};

/// What lies in the inboxes of users. Removing a row changes what `inboxes` counts, so the job that expires them does.
pub const NOTIFICATIONS: Table = Table {
    name: "notifications",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        text("folder"),
        text("category"),
        bytes("content"),
        timestamp("created_at"),
        timestamp("expires_at"),
        timestamp("read_at").or_null(),
        timestamp("archived_at").or_null(),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "notifications_by_folder", columns: &["user_id", "folder", "created_at", "id"] },
        Index { name: "notifications_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Done { by: "notifications.expire" },
    copied: true,
};
