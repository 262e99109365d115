//! The declaration of `notification_preferences`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, json, text, timestamp, uuid},
};

/// What reaches a user how, of those who chose.
pub const NOTIFICATION_PREFERENCES: Table = Table {
    name: "notification_preferences",
    columns: &[
        uuid("user_id"),
        json("categories"),
        text("quiet_from").or_null(),
        text("quiet_to").or_null(),
        int("version"),
        timestamp("updated_at"),
    ],
    key: &["user_id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
