//! The declaration of `stream_signals`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{int, json, timestamp, uuid},
};

/// What waits to be taken from streams of shared signals: ids and words, no personal data.
pub const STREAM_SIGNALS: Table = Table {
    name: "stream_signals",
    columns: &[
        uuid("id"),
        uuid("stream_id"),
        int("number"),
        uuid("user_id"),
        json("payload"),
        timestamp("created_at"),
        timestamp("expires_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "stream_signals_by_number", columns: &["stream_id", "number", "id"] },
        Index { name: "stream_signals_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
