//! The declaration of `webhooks`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// Where other services want to be told of events; URLs and secrets sealed.
pub const WEBHOOKS: Table = Table {
    name: "webhooks",
    columns: &[
        uuid("id"),
        bytes("url"),
        json("events"),
        text("description").or_null(),
        bytes("secret"),
        bytes("previous_secret").or_null(),
        timestamp("previous_until").or_null(),
        uuid("created_by").or_null(),
        timestamp("created_at"),
        timestamp("updated_at"),
        timestamp("disabled_at").or_null(),
        text("disabled_reason").or_null(),
        timestamp("failing_since").or_null(),
        int("version"),
    ],
    key: &["id"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
