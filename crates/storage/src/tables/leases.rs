//! The declaration of `leases`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, text, timestamp, uuid},
};

/// Who may do a job that only one replica may do at a time.
pub const LEASES: Table = Table {
    name: "leases",
    columns: &[
        text("name"),
        uuid("owner"),
        int("epoch"),
        timestamp("expires_at"),
    ],
    key: &["name"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: false,
};
