//! The declaration of `events`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{int, json, text, timestamp, uuid},
};

/// The event log: public facts, each at a position of its shard that has no gaps before it.
pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        int("shard"),
        int("position"),
        uuid("id"),
        text("kind"),
        text("subject_kind"),
        text("subject_id"),
        uuid("user_id"),
        int("number"),
        timestamp("occurred_at"),
        timestamp("expires_at"),
        json("data"),
    ],
    key: &["shard", "position"],
    indexes: &[
        Index { name: "events_by_expiry", columns: &["expires_at", "shard", "position"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
