//! Reading at a transaction's moment, with its own writes on top and a lock on every stretch.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Store,
    schema::Schema,
    space::{Key, Range, Row},
    transaction::{Lock, Mode, Transaction},
};
use crate::failure::{Failure, Outcome};

/// Where to read.
pub(crate) struct Scan<'a> {
    pub(crate) path: &'a str,
    pub(crate) index: Option<usize>,
    pub(crate) range: Range,
    pub(crate) descending: bool,
    /// Whether the index has every wanted column, so that the rows themselves are not read.
    pub(crate) covered: bool,
}

impl Store {
    /// The transaction's moment; its first statement sets it.
    pub(crate) fn begin_reading(&mut self, tx: &mut Transaction) -> u64 {
        if let Some(snapshot) = tx.snapshot {
            return snapshot;
        }
        tx.snapshot = Some(self.version);
        *self.readers.entry(self.version).or_default() += 1;
        self.version
    }

    /// Lets go of the transaction's moment, so that old versions can be forgotten.
    pub(crate) fn end(&mut self, tx: &mut Transaction) {
        let Some(snapshot) = tx.snapshot.take() else { return };
        if let Some(count) = self.readers.get_mut(&snapshot) {
            *count -= 1;
            if *count == 0 {
                self.readers.remove(&snapshot);
            }
        }
    }

    pub(super) fn oldest_reader(&self) -> u64 {
        self.readers.keys().next().copied().unwrap_or(self.version)
    }

    /// Rows in order, until `wanted` says stop (false). Locks what was looked at.
    pub(crate) fn scan(
        &mut self,
        tx: &mut Transaction,
        scan: &Scan<'_>,
        mut wanted: impl FnMut(&Row) -> Outcome<bool>,
    ) -> Outcome<()> {
        let at = self.begin_reading(tx);
        self.note_schema(tx, scan.path)?;
        let table = self.table(scan.path)?;
        let mut last = None;
        let mut primary = Vec::new();
        let mut take = |key: &Key, row: &Row| {
            primary.push(Schema::pick(row, &table.schema.key));
            let more = wanted(row)?;
            if !more {
                last = Some(key.clone());
            }
            Ok(more)
        };
        let own = tx.writes.get(scan.path);
        match (scan.index, own) {
            (None, None) => each(table.rows.scan(&scan.range, at), scan.descending, &mut take)?,
            (None, Some(own)) => {
                let rows = table.rows.scan(&scan.range, at).map(|(key, row)| (key.clone(), Arc::clone(row)));
                let mut rows: BTreeMap<Key, Row> = rows.collect();
                for (key, change) in own.iter().filter(|(key, _)| scan.range.contains(key)) {
                    let before = rows.remove(key);
                    if let Some(row) = change.apply(&table.schema, before.as_ref().map(Arc::as_ref)) {
                        rows.insert(key.clone(), Arc::new(row));
                    }
                }
                each(rows.iter(), scan.descending, &mut take)?;
            }
            (Some(index), None) => {
                let space = table.indexes.get(index).ok_or_else(|| Failure::scheme("No such index"))?;
                let entries = space.scan(&scan.range, at);
                let rows = entries.filter_map(|(key, entry)| Some((key, table.rows.get(entry, at)?)));
                each(rows, scan.descending, &mut take)?;
            }
            (Some(index), Some(_)) => {
                each(self.index_entries(tx, scan, index, at)?.iter(), scan.descending, &mut take)?;
            }
        }
        let locked = upto(&scan.range, last, scan.descending);
        self.lock(tx, scan.path, scan.index, locked);
        if scan.index.is_some() && !scan.covered {
            for key in primary {
                self.lock(tx, scan.path, None, Range::point(key));
            }
        }
        Ok(())
    }

    /// The rows behind a stretch of an index, by the index's keys.
    fn index_entries(&self, tx: &Transaction, scan: &Scan<'_>, index: usize, at: u64) -> Outcome<BTreeMap<Key, Row>> {
        let table = self.table(scan.path)?;
        let schema = &table.schema;
        let (Some(shape), Some(space)) = (schema.indexes.get(index), table.indexes.get(index)) else {
            return Err(Failure::scheme("No such index"));
        };
        let columns = schema.index_key(shape);
        let own = tx.writes.get(scan.path);
        let mut found = BTreeMap::new();
        for (key, entry) in space.scan(&scan.range, at) {
            let untouched = !own.is_some_and(|rows| rows.contains_key(entry.as_ref()));
            if untouched && let Some(row) = table.rows.get(entry, at) {
                found.insert(key.clone(), Arc::clone(row));
            }
        }
        for (key, change) in own.into_iter().flatten() {
            let before = table.rows.get(key, at);
            if let Some(row) = change.apply(schema, before.map(Arc::as_ref)) {
                let entry = Schema::pick(&row, &columns);
                if scan.range.contains(&entry) {
                    found.insert(entry, Arc::new(row));
                }
            }
        }
        Ok(found)
    }

    /// One row by its key.
    pub(crate) fn read(&mut self, tx: &mut Transaction, path: &str, key: &Key) -> Outcome<Option<Row>> {
        let mut found = None;
        let range = Range::point(key.clone());
        let scan = Scan { path, index: None, range, descending: false, covered: true };
        self.scan(tx, &scan, |row| {
            found = Some(Arc::clone(row));
            Ok(true)
        })?;
        Ok(found)
    }

    fn lock(&mut self, tx: &mut Transaction, path: &str, index: Option<usize>, range: Range) {
        if let Ok(table) = self.table_mut(path)
            && let Some(space) = table.space_mut(index)
        {
            let counted = tx.mode == Mode::SerializableReadWrite;
            space.load.read(range.start(), counted);
        }
        if tx.mode == Mode::SerializableReadWrite {
            tx.locks.push(Lock { table: path.to_owned(), index, range });
        }
    }

    /// Notes with which shape the transaction knows a table; refuses when that is no longer its shape.
    pub(crate) fn note_schema(&self, tx: &mut Transaction, path: &str) -> Outcome<()> {
        let version = self.table(path)?.schema.version;
        let known = *tx.schemas.entry(path.to_owned()).or_insert(version);
        if known == version { Ok(()) } else { Err(super::commit::altered(path)) }
    }
}

/// Goes through rows in one direction until somebody has enough.
fn each<'a>(
    rows: impl DoubleEndedIterator<Item = (&'a Key, &'a Row)>,
    descending: bool,
    take: &mut impl FnMut(&Key, &Row) -> Outcome<bool>,
) -> Outcome<()> {
    let ordered: Box<dyn Iterator<Item = (&'a Key, &'a Row)>> =
        if descending { Box::new(rows.rev()) } else { Box::new(rows) };
    for (key, row) in ordered {
        if !take(key, row)? {
            break;
        }
    }
    Ok(())
}

/// The stretch that was looked at: as far as the last row when reading stopped there.
fn upto(range: &Range, last: Option<Key>, descending: bool) -> Range {
    use std::ops::Bound;
    match last {
        None => range.clone(),
        Some(key) if descending => Range { lower: Bound::Included(key), upper: range.upper.clone() },
        Some(key) => Range { lower: range.lower.clone(), upper: Bound::Included(key) },
    }
}
