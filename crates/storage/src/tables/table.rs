//! What a table is, as plain data: its columns, its key and indexes, whose data it holds, and how long. Deliberately
//! absent: any engine's words (`schema.rs` has them) and the tables themselves, which have a file each.

use std::time::Duration;

use crate::Kind;

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The same on every engine.
    pub name: &'static str,
    /// All columns, those of the key first. Statements read and write them in this order.
    pub columns: &'static [Column],
    /// The columns of the primary key, in order.
    pub key: &'static [&'static str],
    /// What statements may read along, besides the key.
    pub indexes: &'static [Index],
    /// Whose data the rows are.
    pub owner: Owner,
    /// How rows end.
    pub expiry: Expiry,
    /// Whether `storage copy` carries it to another engine.
    pub copied: bool,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The same on every engine.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing. Never true in a key or an index.
    pub nullable: bool,
}

/// An index. Statements may read along it, in its order, by a prefix of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// The same on every engine.
    pub name: &'static str,
    /// Its columns, in order, ending with the primary key, so that the order is total.
    pub columns: &'static [&'static str],
}

/// Whose data the rows of a table are: what an export of a person collects and an erasure removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A user, whose id is in this column (the nil id where a table allows rows of nobody).
    User {
        /// The column with the id.
        column: &'static str,
    },
    /// Users, but no column says which: it is in a sealed or hashed value. Such rows must expire.
    SomeUser,
    /// A service account, whose id is in this column.
    Client {
        /// The column with the id.
        column: &'static str,
    },
    /// This installation: nobody's personal data.
    System,
}

/// How the rows of a table end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// With what they belong to, or never.
    Never,
    /// The sweeper removes them when this moment is past, and `kept` longer. An index begins with the column.
    At {
        /// The column with the moment.
        column: &'static str,
        /// How much longer they stay, so that a clock that was wrong does no harm.
        kept: Duration,
    },
    /// The same where the key begins with a shard, from 0 on, and goes on with the moment. The sweeper walks the key
    /// of each shard: an index in the order of time would gather again at one place what the shards spread.
    InShards {
        /// The column with the moment, the second of the key.
        column: &'static str,
        /// How much longer they stay.
        kept: Duration,
        /// How many shards there are.
        shards: i64,
    },
    /// The job that is done with them removes them.
    Done {
        /// The job.
        by: &'static str,
    },
}

impl Column {
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false }
    }

    /// The same column, which may hold nothing.
    pub(super) const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// Columns by what they hold, for declarations: `text("name")`.
pub(super) mod columns {
    use super::Column;
    use crate::Kind;

    macro_rules! columns {
        ($($name:ident: $kind:ident),+ $(,)?) => {$(
            pub(in crate::tables) const fn $name(name: &'static str) -> Column {
                Column::of(name, Kind::$kind)
            }
        )+};
    }

    columns! { text: Text, bytes: Bytes, int: I64, boolean: Bool, timestamp: Timestamp, uuid: Uuid, json: Json }
}

/// Looked up while compiling: a name that is not there does not compile.
#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
impl Table {
    /// Where a column stands in the rows of statements that read whole rows.
    #[must_use]
    pub const fn position(&self, name: &str) -> usize {
        let mut at = 0;
        while at < self.columns.len() && !same(self.columns[at].name, name) {
            at += 1;
        }
        assert!(at < self.columns.len(), "the table has no such column");
        at
    }

    /// The column with this name.
    #[must_use]
    pub const fn column(&self, name: &str) -> Column {
        self.columns[self.position(name)]
    }

    /// The index with this name.
    #[must_use]
    pub const fn index(&self, name: &str) -> Index {
        let mut at = 0;
        while at < self.indexes.len() && !same(self.indexes[at].name, name) {
            at += 1;
        }
        assert!(at < self.indexes.len(), "the table has no such index");
        self.indexes[at]
    }

    /// Whether the column belongs to the primary key.
    pub(crate) const fn in_key(&self, name: &str) -> bool {
        let mut at = 0;
        while at < self.key.len() {
            if same(self.key[at], name) {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// `==` of texts is not for constants yet.
#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    a.len() == b.len() && at == a.len()
}
