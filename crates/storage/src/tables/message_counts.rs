//! The declaration of `message_counts`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{int, json, timestamp, uuid},
};

/// How many of the copies of a message are in which state, in several rows, so that those who count do not wait for each
/// other.
pub const MESSAGE_COUNTS: Table = Table {
    name: "message_counts",
    columns: &[
        uuid("message_id"),
        int("slot"),
        json("counts"),
        timestamp("remove_at"),
    ],
    key: &["message_id", "slot"],
    indexes: &[
        Index { name: "message_counts_by_removal", columns: &["remove_at", "message_id", "slot"] },
    ],
    owner: Owner::System,
    expiry: Expiry::At { column: "remove_at", kept: Duration::ZERO },
    copied: true,
};
