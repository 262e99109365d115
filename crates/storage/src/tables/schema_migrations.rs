//! The declaration of `schema_migrations`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, int, text, timestamp},
};

/// Which schema steps have been applied.
pub const SCHEMA_MIGRATIONS: Table = Table {
    name: "schema_migrations",
    columns: &[
        int("number"),
        text("name"),
        bytes("checksum"),
        timestamp("applied_at"),
    ],
    key: &["number"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: false,
};
