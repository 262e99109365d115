//! The declaration of `system_secrets`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, text, timestamp},
};

/// Keys of this installation, sealed under the master key.
pub const SYSTEM_SECRETS: Table = Table {
    name: "system_secrets",
    columns: &[
        text("name"),
        bytes("sealed"),
        timestamp("created_at"),
    ],
    key: &["name"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
