//! The declaration of `outbox`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, json, text, timestamp, uuid},
};

/// Events that have not been delivered yet, in the order of their delivery.
pub const OUTBOX: Table = Table {
    name: "outbox",
    columns: &[
        int("shard"),
        timestamp("created_at"),
        uuid("id"),
        text("kind"),
        uuid("user_id"),
        json("data"),
    ],
    key: &["shard", "created_at", "id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Done { by: "delivery" },
    copied: true,
};
