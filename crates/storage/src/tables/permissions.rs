//! The declaration of `permissions`.

use super::{
    Expiry, Owner, Table,
    table::columns::{boolean, text, timestamp},
};

/// Words of other services' permissions that were registered. This service's own are not here.
pub const PERMISSIONS: Table = Table {
    name: "permissions",
    columns: &[
        text("name"),
        text("description").or_null(),
        boolean("requestable"),
        text("registered_by"),
        timestamp("created_at"),
        boolean("managed").or_null(),
    ],
    key: &["name"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
