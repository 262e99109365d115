//! The declaration of `one_time_tokens`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp, uuid},
};

/// One-time codes, links, and what is remembered between the two halves of a sign-in.
pub const ONE_TIME_TOKENS: Table = Table {
    name: "one_time_tokens",
    columns: &[
        bytes("hash"),
        text("purpose"),
        uuid("owner_id"),
        bytes("payload"),
        timestamp("created_at"),
        timestamp("expires_at"),
    ],
    key: &["hash"],
    indexes: &[
        Index { name: "one_time_tokens_by_expiry", columns: &["expires_at", "hash"] },
        Index { name: "one_time_tokens_by_owner", columns: &["owner_id", "purpose", "hash"] },
    ],
    owner: Owner::User { column: "owner_id" },
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
