//! The declaration of `user_terms`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{text, uuid},
};

/// By which words accounts are found: usernames and display names, folded, and roles. Kept with each write of an account.
pub const USER_TERMS: Table = Table {
    name: "user_terms",
    columns: &[uuid("user_id"), text("slot"), text("kind"), text("value")],
    key: &["user_id", "slot"],
    indexes: &[
        Index { name: "user_terms_by_value", columns: &["kind", "value", "user_id", "slot"] },
    ],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
