//! The declaration of `outbox`.

use std::time::Duration;

use super::{
    Expiry, Owner, Table,
    table::columns::{int, json, text, timestamp, uuid},
};

/// How many shards there are: 0 to 15. Changing it needs an empty outbox.
pub(crate) const SHARDS: i64 = 16;

/// Events that have not been delivered yet, in the order of their delivery. One that nobody came for in a week goes,
/// so that the table has a bound whoever delivers.
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
    expiry: Expiry::InShards { column: "created_at", kept: Duration::from_secs(7 * 24 * 3600), shards: SHARDS },
    copied: true,
};
