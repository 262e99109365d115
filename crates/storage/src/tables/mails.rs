//! The declaration of `mails`.

use std::time::Duration;

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, timestamp, uuid},
};

/// The development mailbox: mails that no relay was configured for.
pub const MAILS: Table = Table {
    name: "mails",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        bytes("content"),
        timestamp("created_at"),
        timestamp("expires_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "mails_by_time", columns: &["created_at", "id"] },
        Index { name: "mails_by_expiry", columns: &["expires_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::At { column: "expires_at", kept: Duration::ZERO },
    copied: false,
};
