//! The declaration of `request_messages`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{int, timestamp, uuid},
};

/// Messages in chats that show a request, so that they can show what it has become.
pub const REQUEST_MESSAGES: Table = Table {
    name: "request_messages",
    columns: &[uuid("request_id"), uuid("user_id"), int("message_id"), timestamp("remove_at")],
    key: &["request_id", "user_id", "message_id"],
    indexes: &[Index {
        name: "request_messages_by_removal",
        columns: &["remove_at", "request_id", "user_id", "message_id"],
    }],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::At { column: "remove_at", kept: Duration::ZERO },
    copied: true,
};
