//! The declaration of `tombstones`.

use super::{
    Expiry, Owner, Table,
    table::columns::{timestamp, uuid},
};

/// Accounts that were erased, or will be whatever happens: their ids, so that none of them is restored or held meanwhile, a
/// backup's copy of one is known and no event of it hangs in the air.
pub const TOMBSTONES: Table = Table {
    name: "tombstones",
    columns: &[
        uuid("user_id"),
        timestamp("purged_at"),
    ],
    key: &["user_id"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Never,
    copied: true,
};
