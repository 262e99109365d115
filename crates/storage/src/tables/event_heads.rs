//! The declaration of `event_heads`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, timestamp},
};

/// Where each shard of the event log ends: its last position, and when the event there expires.
pub const EVENT_HEADS: Table = Table {
    name: "event_heads",
    columns: &[
        int("shard"),
        int("position"),
        timestamp("expires_at"),
    ],
    key: &["shard"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
