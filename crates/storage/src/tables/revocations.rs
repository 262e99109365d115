//! The declaration of `revocations`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{json, text, timestamp, uuid},
};

/// The feed of what verifiers must refuse. The scope leads the index, so that the feed can be split later.
pub const REVOCATIONS: Table = Table {
    name: "revocations",
    columns: &[
        uuid("id"),
        text("scope"),
        timestamp("recorded_at"),
        timestamp("expires_at"),
        json("what"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "revocations_by_time", columns: &["scope", "recorded_at", "id"] },
        Index { name: "revocations_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
