//! The declaration of `identities`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{boolean, bytes, text, timestamp, uuid},
};

/// Links between users and accounts elsewhere.
pub const IDENTITIES: Table = Table {
    name: "identities",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        text("provider"),
        text("issuer"),
        bytes("subject"),
        bytes("profile").or_null(),
        bytes("tokens").or_null(),
        text("client_id"),
        boolean("bot_access"),
        timestamp("created_at"),
        timestamp("last_used_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "identities_by_user", columns: &["user_id", "created_at", "id"] },
        Index { name: "identities_by_provider", columns: &["provider", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
