//! The declaration of `replay_guard`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp},
};

/// What may be used once and has been.
pub const REPLAY_GUARD: Table = Table {
    name: "replay_guard",
    columns: &[
        bytes("hash"),
        text("purpose"),
        timestamp("expires_at"),
    ],
    key: &["hash"],
    indexes: &[
        Index { name: "replay_guard_by_expiry", columns: &["expires_at", "hash"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
