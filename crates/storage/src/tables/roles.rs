//! The declaration of `roles`.

use super::{
    Expiry, Owner, Table,
    table::columns::{boolean, int, json, text, timestamp},
};

/// Roles: named sets of permissions.
pub const ROLES: Table = Table {
    name: "roles",
    columns: &[
        text("name"),
        json("permissions"),
        timestamp("created_at"),
        timestamp("updated_at"),
        json("rules").or_null(),
        boolean("managed").or_null(),
        int("version").or_null(),
    ],
    key: &["name"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
