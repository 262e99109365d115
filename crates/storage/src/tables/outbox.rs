//! The declaration of `outbox`.

use std::time::Duration;

use super::{
    Expiry, Owner, Table,
    table::columns::{boolean, bytes, int, json, text, timestamp, uuid},
};

/// How many shards there are: 0 to 15. Changing it needs an empty outbox.
pub(crate) const SHARDS: i64 = 16;

/// Facts that have not been passed on yet. One that nobody came for in a week goes, so that the table has a bound
/// whoever reads it. The columns that may be null are those of facts; rows of the release before them have none, and no number.
pub const OUTBOX: Table = Table {
    name: "outbox",
    columns: &[
        int("shard"),
        timestamp("created_at"),
        uuid("id"),
        text("kind"),
        uuid("user_id"),
        json("data"),
        boolean("public").or_null(),
        text("subject_kind").or_null(),
        text("subject_id").or_null(),
        int("number").or_null(),
        text("actor_kind").or_null(),
        uuid("actor_id").or_null(),
        text("request_id").or_null(),
        bytes("origin").or_null(),
        bytes("personal").or_null(),
    ],
    key: &["shard", "created_at", "id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::InShards { column: "created_at", kept: Duration::from_secs(7 * 24 * 3600), shards: SHARDS },
    copied: true,
};
