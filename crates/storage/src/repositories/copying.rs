//! Copying whole tables from one engine to another, row by row in primary-key order: what `storage copy` works with.
//!
//! Deliberately absent: `leases` (a copy belongs to nobody yet) and `schema_migrations` (the target migrates itself).
//! The lists of columns here are complete; a test compares them with the migrations.

use crate::{Kind, Row, Rows, Statement, StoreError, UnitOfWork, Value};

/// How one table is read in pages and written.
#[derive(Debug)]
pub struct TableCopy {
    /// The table.
    pub name: &'static str,
    /// How many columns the primary key has; they come first in every row.
    pub key_columns: usize,
    /// The kind of each column, in the order of rows.
    pub kinds: &'static [Kind],
    /// The first rows: takes a limit.
    pub first_page: &'static Statement,
    /// The rows behind a key: takes the key and a limit.
    pub next_page: &'static Statement,
    /// The highest key, as a row of key columns, or no row: tells whether the table is empty, and where a copy that
    /// was interrupted goes on. Takes a limit.
    pub last_key: &'static Statement,
    /// Writes one row: takes all columns.
    pub insert: &'static Statement,
}

impl TableCopy {
    /// Up to `limit` rows in primary-key order, behind the key `after`.
    ///
    /// # Errors
    /// `Corrupt` when `after` is not a key of this table; storage faults.
    pub async fn page(&self, uow: &mut UnitOfWork, after: Option<&[Value]>, limit: u32) -> Result<Rows, StoreError> {
        let limit = Value::from(i64::from(limit));
        let Some(key) = after else { return uow.run(self.first_page, &[limit]).await };
        if key.len() != self.key_columns {
            return Err(StoreError::corrupt(format!("not a key of {}", self.name)));
        }
        let mut values = key.to_vec();
        values.push(limit);
        uow.run(self.next_page, &values).await
    }

    /// The highest key in the table; `None` when it is empty.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn last_key(&self, uow: &mut UnitOfWork) -> Result<Option<Vec<Value>>, StoreError> {
        let rows = uow.run(self.last_key, &[1_i64.into()]).await?;
        Ok(rows.into_iter().next().map(|row| row.0))
    }

    /// Writes a row that [`Self::page`] gave, on another engine.
    ///
    /// # Errors
    /// `Duplicate` when the key is there.
    pub async fn insert(&self, uow: &mut UnitOfWork, row: &Row) -> Result<(), StoreError> {
        uow.run(self.insert, &row.0).await.map(drop)
    }

    /// The key of a row.
    ///
    /// # Errors
    /// `Corrupt` when the row is shorter than a key.
    pub fn key<'r>(&self, row: &'r Row) -> Result<&'r [Value], StoreError> {
        row.0.get(..self.key_columns).ok_or_else(|| StoreError::corrupt(format!("a short row of {}", self.name)))
    }
}

/// Writes the four statements of each table from one list of columns. Columns carry their number, which is their
/// placeholder, because a macro cannot count into text.
macro_rules! copied {
    ($($table:ident key ($key:ident 1 $key_kind:ident $(, $more:ident $m:literal $more_kind:ident)*) limit $limit:literal
        columns ($first:ident 1 $first_kind:ident $(, $column:ident $n:literal $kind:ident)* $(,)?);)+) => {
        /// Every table that is copied.
        pub static COPIED: &[TableCopy] = &[$(TableCopy {
            name: stringify!($table),
            key_columns: $limit - 1,
            kinds: &[Kind::$first_kind $(, Kind::$kind)*],
            first_page: &$table::FIRST_PAGE,
            next_page: &$table::NEXT_PAGE,
            last_key: &$table::LAST_KEY,
            insert: &$table::INSERT,
        }),+];

        pub(super) static ALL: &[&Statement] = &[$(
            &$table::FIRST_PAGE, &$table::NEXT_PAGE, &$table::LAST_KEY, &$table::INSERT
        ),+];

        $(mod $table {
            use std::sync::OnceLock;

            use crate::{Kind, Statement};

            const KINDS: &[Kind] = &[Kind::$first_kind $(, Kind::$kind)*];

            pub(super) static FIRST_PAGE: Statement = Statement {
                name: concat!(stringify!($table), ".copy_first_page"),
                sql: concat!(
                    "SELECT ", stringify!($first), $(", ", stringify!($column),)* " FROM ", stringify!($table),
                    " ORDER BY ", stringify!($key), $(", ", stringify!($more),)* " LIMIT $1"
                ),
                parameters: &[Kind::I64],
                columns: KINDS,
                numbered: OnceLock::new(),
            };
            pub(super) static NEXT_PAGE: Statement = Statement {
                name: concat!(stringify!($table), ".copy_next_page"),
                sql: concat!(
                    "SELECT ", stringify!($first), $(", ", stringify!($column),)* " FROM ", stringify!($table),
                    " WHERE (", stringify!($key), $(", ", stringify!($more),)* ") > ($1", $(", $", $m,)* ")",
                    " ORDER BY ", stringify!($key), $(", ", stringify!($more),)* " LIMIT $", $limit
                ),
                parameters: &[Kind::$key_kind, $(Kind::$more_kind,)* Kind::I64],
                columns: KINDS,
                numbered: OnceLock::new(),
            };
            pub(super) static LAST_KEY: Statement = Statement {
                name: concat!(stringify!($table), ".copy_last_key"),
                sql: concat!(
                    "SELECT ", stringify!($key), $(", ", stringify!($more),)* " FROM ", stringify!($table),
                    " ORDER BY ", stringify!($key), " DESC", $(", ", stringify!($more), " DESC",)* " LIMIT $1"
                ),
                parameters: &[Kind::I64],
                columns: &[Kind::$key_kind $(, Kind::$more_kind)*],
                numbered: OnceLock::new(),
            };
            pub(super) static INSERT: Statement = Statement {
                name: concat!(stringify!($table), ".copy_insert"),
                sql: concat!(
                    "INSERT INTO ", stringify!($table), " (", stringify!($first), $(", ", stringify!($column),)*
                    ") VALUES ($1", $(", $", $n,)* ")"
                ),
                parameters: KINDS,
                columns: &[],
                numbered: OnceLock::new(),
            };
        })+
    };
}

copied! {
    users key (id 1 Uuid) limit 2 columns (
        id 1 Uuid, status 2 Text, username 3 Text, email_sealed 4 Bytes, email_verified 5 Bool,
        phone_sealed 6 Bytes, data_key 7 Bytes, display_name 8 Text, locale 9 Text, time_zone 10 Text,
        attributes 11 Json, roles 12 Json, security_epoch 13 I64, version 14 I64, created_at 15 Timestamp,
        updated_at 16 Timestamp, last_sign_in_at 17 Timestamp
    );
    claims key (claim_hash 1 Bytes) limit 2 columns (
        claim_hash 1 Bytes, kind 2 Text, owner_id 3 Uuid, created_at 4 Timestamp
    );
    password_credentials key (user_id 1 Uuid) limit 2 columns (
        user_id 1 Uuid, hash 2 Text, changed_at 3 Timestamp, must_change 4 Bool
    );
    sessions key (id 1 Uuid) limit 2 columns (
        id 1 Uuid, user_id 2 Uuid, device_name 3 Text, user_agent 4 Text, ip 5 Text, amr 6 Json,
        auth_time 7 Timestamp, created_at 8 Timestamp, last_seen_at 9 Timestamp, expires_at 10 Timestamp,
        ended_at 11 Timestamp, generation 12 I64, current_hash 13 Bytes, previous_hash 14 Bytes,
        successor 15 Bytes
    );
    signing_keys key (kid 1 Text) limit 2 columns (
        kid 1 Text, algorithm 2 Text, state 3 Text, public_jwk 4 Json, private_key 5 Bytes,
        created_at 6 Timestamp, activated_at 7 Timestamp, retired_at 8 Timestamp
    );
    system_secrets key (name 1 Text) limit 2 columns (
        name 1 Text, sealed 2 Bytes, created_at 3 Timestamp
    );
    revocations key (id 1 Uuid) limit 2 columns (
        id 1 Uuid, scope 2 Text, recorded_at 3 Timestamp, expires_at 4 Timestamp, what 5 Json
    );
    outbox key (shard 1 I64, created_at 2 Timestamp, id 3 Uuid) limit 4 columns (
        shard 1 I64, created_at 2 Timestamp, id 3 Uuid, kind 4 Text, user_id 5 Uuid, data 6 Json
    );
    single_use key (hash 1 Bytes) limit 2 columns (
        hash 1 Bytes, purpose 2 Text, expires_at 3 Timestamp
    );
    secrets key (hash 1 Bytes) limit 2 columns (
        hash 1 Bytes, purpose 2 Text, owner_id 3 Uuid, payload 4 Bytes, created_at 5 Timestamp,
        expires_at 6 Timestamp
    );
    idempotency_keys key (key_hash 1 Bytes) limit 2 columns (
        key_hash 1 Bytes, body_hash 2 Bytes, answer 3 Bytes, created_at 4 Timestamp, expires_at 5 Timestamp
    );
    identities key (id 1 Uuid) limit 2 columns (
        id 1 Uuid, user_id 2 Uuid, provider 3 Text, issuer 4 Text, subject 5 Bytes, profile 6 Bytes,
        tokens 7 Bytes, client_id 8 Text, bot_access 9 Bool, created_at 10 Timestamp,
        last_used_at 11 Timestamp
    );
    clients key (id 1 Uuid) limit 2 columns (
        id 1 Uuid, scope 2 Text, name 3 Text, secret_hash 4 Bytes, permissions 5 Json, created_by 6 Uuid,
        created_at 7 Timestamp, secret_changed_at 8 Timestamp, disabled_at 9 Timestamp
    );
    roles key (name 1 Text) limit 2 columns (
        name 1 Text, permissions 2 Json, created_at 3 Timestamp, updated_at 4 Timestamp
    );
}
