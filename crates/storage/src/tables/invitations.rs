//! The declaration of `invitations`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, json, timestamp, uuid},
};

/// Invitations to register; the address that one was sent to is sealed. Used up, one is gone.
pub const INVITATIONS: Table = Table {
    name: "invitations",
    columns: &[
        uuid("id"),
        bytes("token_hash"),
        bytes("email").or_null(),
        json("roles"),
        int("uses"),
        uuid("created_by").or_null(),
        timestamp("created_at"),
        timestamp("expires_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "invitations_by_token", columns: &["token_hash", "id"] },
        Index { name: "invitations_by_created", columns: &["created_at", "id"] },
        Index { name: "invitations_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::SomeUser,
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: true,
};
