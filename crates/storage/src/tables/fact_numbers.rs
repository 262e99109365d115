//! The declaration of `fact_numbers`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, text, uuid},
};

/// How many facts there are of each subject: the number of its last one. The row outlives whatever it counts for, so
/// that no number comes twice.
pub const FACT_NUMBERS: Table = Table {
    name: "fact_numbers",
    columns: &[
        text("subject_kind"),
        text("subject_id"),
        uuid("user_id"),
        int("number"),
    ],
    key: &["subject_kind", "subject_id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
