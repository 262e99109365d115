//! The declaration of `idempotency_keys`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, timestamp},
};

/// What requests made that may come twice.
pub const IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    columns: &[
        bytes("key_hash"),
        bytes("body_hash"),
        bytes("answer"),
        timestamp("created_at"),
        timestamp("expires_at"),
    ],
    key: &["key_hash"],
    indexes: &[
        Index { name: "idempotency_keys_by_expiry", columns: &["expires_at", "key_hash"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
