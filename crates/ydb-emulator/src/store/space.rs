//! An ordered space of keys with the versions of each: the rows of a table or the entries of an index.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use crate::{counters::Load, value::Value};

pub(crate) type Key = Vec<Value>;
pub(crate) type Row = Arc<Vec<Value>>;

/// A stretch of keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) lower: Bound<Key>,
    pub(crate) upper: Bound<Key>,
}

impl Range {
    pub(crate) fn point(key: Key) -> Self {
        Self { lower: Bound::Included(key.clone()), upper: Bound::Included(key) }
    }

    /// All keys that begin so.
    pub(crate) fn prefix(prefix: Key) -> Self {
        let mut end = prefix.clone();
        end.push(Value::Top);
        Self { lower: Bound::Included(prefix), upper: Bound::Excluded(end) }
    }

    pub(crate) fn start(&self) -> Option<&Key> {
        match &self.lower {
            Bound::Included(key) | Bound::Excluded(key) => Some(key),
            Bound::Unbounded => None,
        }
    }

    /// Whether no key can be in it; a map panics when asked for such a stretch.
    pub(crate) fn is_empty(&self) -> bool {
        match (&self.lower, &self.upper) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => low >= high,
            _ => false,
        }
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        let above = match &self.lower {
            Bound::Included(low) => key >= low,
            Bound::Excluded(low) => key > low,
            Bound::Unbounded => true,
        };
        above
            && match &self.upper {
                Bound::Included(high) => key <= high,
                Bound::Excluded(high) => key < high,
                Bound::Unbounded => true,
            }
    }
}

#[derive(Debug)]
struct Version {
    at: u64,
    row: Option<Row>,
}

#[derive(Debug, Default)]
pub(crate) struct Space {
    entries: BTreeMap<Key, Vec<Version>>,
    pub(crate) load: Load,
}

impl Space {
    /// What was there at a moment, in the order of keys.
    pub(crate) fn scan(&self, range: &Range, at: u64) -> Box<dyn DoubleEndedIterator<Item = (&Key, &Row)> + '_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let entries = self.entries.range((range.lower.clone(), range.upper.clone()));
        Box::new(entries.filter_map(move |(key, versions)| Some((key, seen(versions, at)?))))
    }

    pub(crate) fn get(&self, key: &Key, at: u64) -> Option<&Row> {
        seen(self.entries.get(key)?, at)
    }

    /// Whether something in the stretch was written after a moment.
    pub(crate) fn written_after(&self, range: &Range, at: u64) -> bool {
        let newer = |versions: &Vec<Version>| versions.last().is_some_and(|version| version.at > at);
        !range.is_empty()
            && self.entries.range((range.lower.clone(), range.upper.clone())).any(|(_, versions)| newer(versions))
    }

    pub(crate) fn put(&mut self, key: Key, row: Option<Row>, at: u64) {
        self.load.written(&key);
        self.entries.entry(key).or_default().push(Version { at, row });
    }

    /// Forgets what nobody can see any more: all before the newest version of that moment. True while more is to be
    /// forgotten later.
    pub(crate) fn prune(&mut self, key: &Key, oldest_seen: u64) -> bool {
        let Some(versions) = self.entries.get_mut(key) else { return false };
        let visible = versions.iter().rposition(|version| version.at <= oldest_seen);
        if let Some(first) = visible {
            versions.drain(..first);
        }
        let only_a_tombstone = matches!(versions.as_slice(), [Version { row: None, at }] if *at <= oldest_seen);
        if only_a_tombstone {
            self.entries.remove(key);
            return false;
        }
        versions.len() > 1 || versions.iter().any(|version| version.row.is_none())
    }

    /// An entry that was always there: an index that is built over rows.
    pub(crate) fn fill(&mut self, key: Key, row: Row, at: u64) {
        self.entries.entry(key).or_default().push(Version { at, row: Some(row) });
    }

    /// A new last cell in every row.
    pub(crate) fn extend_rows(&mut self, cell: &Value) {
        self.each_row(|row| row.push(cell.clone()));
    }

    pub(crate) fn remove_cell(&mut self, at: usize) {
        self.each_row(|row| {
            if at < row.len() {
                row.remove(at);
            }
        });
    }

    fn each_row(&mut self, change: impl Fn(&mut Vec<Value>)) {
        let versions = self.entries.values_mut().flatten();
        versions.filter_map(|version| version.row.as_mut()).for_each(|row| change(Arc::make_mut(row)));
    }

    /// Keys that exist at a moment.
    pub(crate) fn keys(&self, at: u64) -> impl Iterator<Item = &Key> {
        self.entries.iter().filter_map(move |(key, versions)| seen(versions, at).map(|_| key))
    }
}

fn seen(versions: &[Version], at: u64) -> Option<&Row> {
    versions.iter().rfind(|version| version.at <= at)?.row.as_ref()
}
