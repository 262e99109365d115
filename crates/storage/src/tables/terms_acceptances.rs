//! The declaration of `terms_acceptances`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, text, timestamp, uuid},
};

/// Which documents users have accepted in which version, when, and from where (sealed).
pub const TERMS_ACCEPTANCES: Table = Table {
    name: "terms_acceptances",
    columns: &[
        uuid("user_id"),
        text("document"),
        text("version"),
        timestamp("accepted_at"),
        bytes("origin").or_null(),
    ],
    key: &["user_id", "document", "version"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
