//! Indexes along time, over buckets. YDB keeps an index in the order of its columns: one that begins with a moment is
//! written at its end alone, by everybody. So each such index begins with a bucket, made of the row's key, and each of
//! its ends takes a part. A list reads all buckets in one text, and is put in order by whoever reads it
//! (`engine/rows.rs`).
//!
//! Only YDB's tables have the column; statements and rows know nothing of it.

use userd_storage::{
    Kind, Value,
    tables::{Along, Column, Declared, List, Shape, Table},
};

/// As many ends as an index along time has. Each list along it reads as many stretches.
pub const BUCKETS: i64 = 8;

/// The column of the bucket.
pub(crate) const BUCKET: Column = Column { name: "bucket", kind: Kind::I64, nullable: false };

/// Whether an index over these columns is over buckets: a moment comes before anything that spreads by itself.
#[must_use]
pub fn is_spread(table: &Table, columns: &[&str]) -> bool {
    let kind = |name: &&str| table.columns.iter().find(|column| column.name == *name).map(|column| column.kind);
    // A word, such as a state, is one of few.
    columns.iter().filter_map(kind).find(|kind| !matches!(kind, Kind::Text | Kind::Bool)) == Some(Kind::Timestamp)
}

/// Whether the rows of a table have a bucket.
#[must_use]
pub fn has_bucket(table: &Table) -> bool {
    table.indexes.iter().any(|index| is_spread(table, index.columns))
}

/// Whether a list is read bucket by bucket.
pub(crate) fn is_over_buckets(table: &Table, list: &List) -> bool {
    match list.along {
        Along::Key => false,
        Along::Index(name) => is_spread(table, table.index(name).columns),
    }
}

/// The column of the bucket, where a statement writes it.
pub(crate) fn column_of(declared: &Declared) -> Option<Column> {
    let whole = matches!(declared.shape, Shape::Insert | Shape::Upsert);
    (whole && has_bucket(declared.table)).then_some(BUCKET)
}

/// The bucket of a row with this key: the same for ever, for an update does not touch it. (FNV-1a, its bits stirred
/// once more, so that keys that differ in their last byte alone part too.)
pub(crate) fn bucket(key: &[u8]) -> Value {
    let hash = key
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let stirred = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 33;
    Value::I64(i64::try_from(stirred).unwrap_or(0) % BUCKETS)
}
