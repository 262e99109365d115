//! The declaration of `further_emails`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, timestamp, uuid},
};

/// Further proven e-mail addresses of users, sealed.
pub const FURTHER_EMAILS: Table = Table {
    name: "further_emails",
    columns: &[
        uuid("id"),
        uuid("user_id"),
        bytes("email_sealed"),
        timestamp("created_at"),
    ],
    key: &["id"],
    indexes: &[
        Index { name: "further_emails_by_user", columns: &["user_id", "created_at", "id"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
