//! A transaction: what it has read, and what it will write.

use std::collections::BTreeMap;

use super::{
    schema::Schema,
    space::{Key, Range},
};
use crate::{failure::Failure, value::Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    SerializableReadWrite,
    /// Conflicts of writes only; write skew is possible.
    SnapshotReadWrite,
    SnapshotReadOnly,
    OnlineReadOnly,
    StaleReadOnly,
}

impl Mode {
    pub(crate) fn may_write(self) -> bool {
        matches!(self, Self::SerializableReadWrite | Self::SnapshotReadWrite)
    }

    /// Whether it can go on over several statements.
    pub(crate) fn is_interactive(self) -> bool {
        !matches!(self, Self::OnlineReadOnly | Self::StaleReadOnly)
    }
}

/// A stretch that was read, empty or not: whoever writes into it first wins.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub(crate) table: String,
    pub(crate) index: Option<usize>,
    pub(crate) range: Range,
}

/// What happens to one row at the commit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// These cells; the others stay, or are defaults if there is no row.
    Cells(BTreeMap<usize, Value>),
    /// The whole row.
    Row(Vec<Value>),
    Delete,
}

impl Change {
    /// The row after the change.
    pub(crate) fn apply(&self, schema: &Schema, before: Option<&Vec<Value>>) -> Option<Vec<Value>> {
        match self {
            Self::Delete => None,
            Self::Row(row) => Some(row.clone()),
            Self::Cells(cells) => {
                let mut row = before.cloned().unwrap_or_else(|| schema.blank());
                row.resize(schema.columns.len(), Value::Null);
                for (at, value) in cells {
                    if let Some(cell) = row.get_mut(*at) {
                        *cell = value.clone();
                    }
                }
                Some(row)
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) mode: Mode,
    /// The commit that it reads at: that of its first statement.
    pub(crate) snapshot: Option<u64>,
    pub(crate) locks: Vec<Lock>,
    pub(crate) writes: BTreeMap<String, BTreeMap<Key, Change>>,
    /// The tables it has used, and their schema's version then.
    pub(crate) schemas: BTreeMap<String, u64>,
    /// A refusal that shows at the commit only.
    pub(crate) at_commit: Option<Failure>,
}

impl Transaction {
    pub(crate) fn new(id: String, mode: Mode) -> Self {
        Self {
            id,
            mode,
            snapshot: None,
            locks: Vec::new(),
            writes: BTreeMap::new(),
            schemas: BTreeMap::new(),
            at_commit: None,
        }
    }

    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Notes a change on top of those that are there.
    pub(crate) fn change(&mut self, path: &str, schema: &Schema, key: Key, change: Change) {
        let rows = self.writes.entry(path.to_owned()).or_default();
        let merged = match (rows.remove(&key), change) {
            (Some(Change::Cells(mut before)), Change::Cells(cells)) => {
                before.extend(cells);
                Change::Cells(before)
            }
            (Some(before), cells @ Change::Cells(_)) => {
                let row = before.apply(schema, None);
                cells.apply(schema, row.as_ref()).map_or(Change::Delete, Change::Row)
            }
            (_, change) => change,
        };
        rows.insert(key, merged);
    }
}
