//! The declaration of `access_request_escalations`.

use super::{
    Expiry, Index, Owner, Table,
    table::columns::{timestamp, uuid},
};

/// When those are told of a request who may decide once nobody has for long. Gone when they have been.
pub const ACCESS_REQUEST_ESCALATIONS: Table = Table {
    name: "access_request_escalations",
    columns: &[uuid("request_id"), uuid("user_id"), timestamp("due_at")],
    key: &["request_id"],
    indexes: &[Index { name: "access_request_escalations_by_due", columns: &["due_at", "request_id"] }],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
