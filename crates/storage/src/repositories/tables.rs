//! The shape that statements may rely on: primary keys and indexes. A test compares both lists with the migrations.

/// A table and its primary key.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The same on every engine.
    pub name: &'static str,
    /// The columns of the primary key, in order.
    pub key: &'static [&'static str],
}

/// An index. Statements may read along it, in its order, by a prefix of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// The same on every engine.
    pub name: &'static str,
    /// The table it belongs to.
    pub table: &'static str,
    /// Its columns, in order, ending with the primary key, so that the order is total.
    pub columns: &'static [&'static str],
}

/// Every table.
pub static TABLES: &[Table] = &[
    Table { name: "leases", key: &["name"] },
    Table { name: "schema_migrations", key: &["number"] },
    Table { name: "users", key: &["id"] },
    Table { name: "claims", key: &["claim_hash"] },
    Table { name: "password_credentials", key: &["user_id"] },
    Table { name: "sessions", key: &["id"] },
    Table { name: "signing_keys", key: &["kid"] },
    Table { name: "system_secrets", key: &["name"] },
    Table { name: "revocations", key: &["id"] },
    Table { name: "outbox", key: &["shard", "created_at", "id"] },
    Table { name: "single_use", key: &["hash"] },
    Table { name: "secrets", key: &["hash"] },
    Table { name: "idempotency_keys", key: &["key_hash"] },
    Table { name: "identities", key: &["id"] },
    Table { name: "clients", key: &["id"] },
    Table { name: "roles", key: &["name"] },
];

/// Every index.
pub static INDEXES: &[Index] = &[
    Index { name: "users_by_created", table: "users", columns: &["created_at", "id"] },
    Index { name: "claims_by_owner", table: "claims", columns: &["owner_id", "kind", "claim_hash"] },
    Index { name: "sessions_by_user", table: "sessions", columns: &["user_id", "created_at", "id"] },
    Index { name: "sessions_by_expiry", table: "sessions", columns: &["expires_at", "id"] },
    Index { name: "revocations_by_time", table: "revocations", columns: &["scope", "recorded_at", "id"] },
    Index { name: "revocations_by_expiry", table: "revocations", columns: &["expires_at", "id"] },
    Index { name: "single_use_by_expiry", table: "single_use", columns: &["expires_at", "hash"] },
    Index { name: "secrets_by_expiry", table: "secrets", columns: &["expires_at", "hash"] },
    Index { name: "secrets_by_owner", table: "secrets", columns: &["owner_id", "purpose", "hash"] },
    Index { name: "idempotency_keys_by_expiry", table: "idempotency_keys", columns: &["expires_at", "key_hash"] },
    Index { name: "identities_by_user", table: "identities", columns: &["user_id", "created_at", "id"] },
    Index { name: "clients_by_created", table: "clients", columns: &["scope", "created_at", "id"] },
];
