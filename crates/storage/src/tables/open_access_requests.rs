//! The declaration of `open_access_requests`.

use super::{
    Expiry, Owner, Table,
    table::columns::{text, uuid},
};

/// Which open request there is for a thing: of one user at most one.
pub const OPEN_ACCESS_REQUESTS: Table = Table {
    name: "open_access_requests",
    columns: &[uuid("user_id"), text("kind"), text("name"), uuid("request_id")],
    key: &["user_id", "kind", "name"],
    indexes: &[],
    owner: Owner::User { column: "user_id" },
    expiry: Expiry::Never,
    copied: true,
};
