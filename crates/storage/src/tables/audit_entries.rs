//! The declaration of `audit_entries`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{bytes, int, text, timestamp, uuid},
};

/// The audit log: each entry at its position, from 0 on, without gaps. `entry` is what is hashed; the other columns
/// say again what is in it, to find it by. They name users by id alone, and stay when one is erased: what is personal is
/// sealed in the entry, and cannot be read from then on.
pub const AUDIT_ENTRIES: Table = Table {
    name: "audit_entries",
    columns: &[
        int("position"),
        uuid("id"),
        text("act"),
        text("actor"),
        text("subject"),
        timestamp("occurred_at"),
        bytes("entry"),
    ],
    key: &["position"],
    indexes: &[
        Index { name: "audit_entries_by_id", columns: &["id", "position"] },
        Index { name: "audit_entries_by_act", columns: &["act", "position"] },
        Index { name: "audit_entries_by_actor", columns: &["actor", "position"] },
        Index { name: "audit_entries_by_subject", columns: &["subject", "position"] },
    ],
    owner: Owner::System,
    expiry: Expiry::Done { by: "audit.prune" },
    copied: true,
};
