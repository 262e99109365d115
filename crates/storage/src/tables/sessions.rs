//! The declaration of `sessions`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, json, text, timestamp, uuid},
};

/// Refresh-token families.
pub const SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        text("device_name").or_null(),
        text("user_agent").or_null(),
        text("ip").or_null(),
        json("amr"),
        timestamp("auth_time"),
        timestamp("created_at"),
        timestamp("last_seen_at"),
        timestamp("expires_at"),
        timestamp("ended_at").or_null(),
        int("generation"),
        bytes("current_hash"),
        bytes("previous_hash").or_null(),
        bytes("successor").or_null(),
        uuid("identity_id").or_null(),
        json("parties").or_null(),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "sessions_by_user", columns: &["user_id", "created_at", "id"] },
        Index { name: "sessions_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    // For as long as a device is remembered: a sign-in removes those that tell of no device of their own.
    expiry: Expiry::At { column: "expires_at", kept: Duration::from_secs(90 * 24 * 3600) },
    copied: true,
};
