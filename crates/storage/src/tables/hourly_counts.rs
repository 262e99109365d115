//! The declaration of `hourly_counts`.

use std::time::Duration;

use super::{
    Expiry, Owner, Table,
    outbox::SHARDS,
    table::columns::{int, json, timestamp},
};

/// How often what happened in each hour: numbers by the kinds of facts. Each shard of the event log counts its own, in the
/// unit of work that passes the facts on, so that two shards never write the same row.
pub const HOURLY_COUNTS: Table = Table {
    name: "hourly_counts",
    columns: &[
        int("shard"),
        timestamp("hour"),
        json("counts"),
    ],
    key: &["shard", "hour"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::InShards { column: "hour", kept: Duration::from_secs(32 * 24 * 3600), shards: SHARDS },
    copied: true,
};
