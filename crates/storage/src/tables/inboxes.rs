//! The declaration of `inboxes`.

use super::{
    Expiry, Owner, Table,
    table::columns::{int, timestamp, uuid},
};

/// What is known of each inbox without looking into it: how much is unread and unseen, and up to where everything was
/// seen and read.
pub const INBOXES: Table = Table {
    name: "inboxes",
    columns: &[
        uuid("user_id"),
        int("unread"),
        int("unseen"),
        timestamp("latest"),
        timestamp("seen_until"),
        timestamp("seen_at"),
        timestamp("read_until"),
        timestamp("read_at"),
    ],
    key: &["user_id"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
