//! The declaration of `streams`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// Streams of shared signals: what receivers set up, and how far each is. Where signals are pushed to is sealed.
pub const STREAMS: Table = Table {
    name: "streams",
    columns: &[
        uuid("id"),
        uuid("client_id"),
        json("requested"),
        text("description").or_null(),
        bytes("push").or_null(),
        text("status"),
        text("reason").or_null(),
        json("cursor"),
        int("queued"),
        timestamp("verified_at").or_null(),
        timestamp("failing_since").or_null(),
        int("attempts"),
        timestamp("due_at"),
        timestamp("created_at"),
        timestamp("updated_at"),
        int("version"),
    ],
    key: &["id"],
    indexes: &[],
    owner: Owner::Client { column: "client_id" },
    expiry: Expiry::Never,
    copied: true,
};
