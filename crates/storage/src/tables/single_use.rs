//! The declaration of `single_use`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp},
};

/// What may be used once and has been.
pub const SINGLE_USE: Table = Table {
    name: "single_use",
    columns: &[
        bytes("hash"),
        text("purpose"),
        timestamp("expires_at"),
    ],
    key: &["hash"],
    indexes: &[
        Index { name: "single_use_by_expiry", columns: &["expires_at", "hash"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
