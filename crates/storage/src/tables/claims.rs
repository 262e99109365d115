//! The declaration of `claims`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, text, timestamp, uuid},
};

/// Who owns which e-mail address, username, phone number or account elsewhere.
pub const CLAIMS: Table = Table {
    name: "claims",
    columns: &[
        bytes("claim_hash"),
        text("kind"),
        uuid("owner_id"),
        timestamp("created_at"),
    ],
    key: &["claim_hash"],
    indexes: &[
        Index { name: "claims_by_owner", columns: &["owner_id", "kind", "claim_hash"] },
    ],
    owner: Owner::User { column: "owner_id" },
    expiry: Expiry::Never,
    copied: true,
};
