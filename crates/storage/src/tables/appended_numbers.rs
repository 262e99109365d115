//! The declaration of `appended_numbers`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, text, uuid},
};

/// How far the facts of each subject have been passed on: the number of the last one. Apart from `fact_numbers`, so
/// that passing facts on and making them true never write the same row.
pub const APPENDED_NUMBERS: Table = Table {
    name: "appended_numbers",
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
