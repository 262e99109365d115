//! The declaration of `stream_keys`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, json, text, timestamp},
};

/// Keys that shared signals are signed with, the private halves sealed. No access token is signed with one.
pub const STREAM_KEYS: Table = Table {
    name: "stream_keys",
    columns: &[text("kid"), json("public_jwk"), bytes("private_key"), timestamp("created_at")],
    key: &["kid"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Done { by: "key rotation" },
    copied: true,
};
