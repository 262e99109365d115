//! The declaration of `password_credentials`.

use super::{
    Expiry, Owner, Table,
    table::columns::{boolean, text, timestamp, uuid},
};

/// Password hashes, apart from `users`, so that reading a user never carries one.
pub const PASSWORD_CREDENTIALS: Table = Table {
    name: "password_credentials",
    columns: &[
        uuid("user_id"),
        text("hash"),
        timestamp("changed_at"),
        boolean("must_change"),
    ],
    key: &["user_id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
