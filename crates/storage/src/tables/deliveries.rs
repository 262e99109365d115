//! The declaration of `deliveries`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, text, timestamp, uuid},
};

/// Messages on their way, and for a while those that are done. Those that wait are in one of the queues, each worked off
/// by whoever holds its lease.
pub const DELIVERIES: Table = Table {
    name: "deliveries",
    columns: &[
        uuid("id"),
        int("queue"),
        timestamp("due_at"),
        text("state"),
        text("channel"),
        uuid("user_id"),
        uuid("webhook_id"),
        uuid("message_id"),
        bytes("content"),
        int("attempts"),
        text("last_error").or_null(),
        timestamp("created_at"),
        timestamp("deadline"),
        timestamp("finished_at").or_null(),
        timestamp("remove_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "deliveries_by_due", columns: &["queue", "due_at", "id"] },
        Index { name: "deliveries_by_state", columns: &["state", "created_at", "id"] },
        Index { name: "deliveries_by_removal", columns: &["remove_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::At { column: "remove_at", kept: Duration::ZERO },
    copied: true,
};
