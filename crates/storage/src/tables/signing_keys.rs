//! The declaration of `signing_keys`.

use super::{
    Expiry, Owner, Table,
    table::columns::{bytes, json, text, timestamp},
};

/// Signing keys, the private halves sealed.
pub const SIGNING_KEYS: Table = Table {
    name: "signing_keys",
    columns: &[
        text("kid"),
        text("algorithm"),
        text("state"),
        json("public_jwk"),
        bytes("private_key"),
        timestamp("created_at"),
        timestamp("activated_at").or_null(),
        timestamp("retired_at").or_null(),
    ],
    key: &["kid"],
    indexes: &[],
    owner: Owner::System,
    expiry: Expiry::Done { by: "key rotation" },
    copied: true,
};
