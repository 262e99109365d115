//! The declaration of `messages`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// What other services send to users. What it says lies here once, not in the delivery of each user.
pub const MESSAGES: Table = Table {
    name: "messages",
    columns: &[
        uuid("id"),
        text("state"),
        timestamp("due_at"),
        text("category"),
        text("audience"),
        text("role").or_null(),
        json("channels"),
        bytes("content"),
        text("sender_kind"),
        uuid("sender_id").or_null(),
        timestamp("created_at"),
        timestamp("expires_at").or_null(),
        timestamp("cursor_at").or_null(),
        uuid("cursor_user").or_null(),
        int("recipients"),
        timestamp("remove_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "messages_by_due", columns: &["state", "due_at", "id"] },
        Index { name: "messages_by_removal", columns: &["remove_at", "id"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "remove_at", kept: Duration::ZERO },
    copied: true,
};
