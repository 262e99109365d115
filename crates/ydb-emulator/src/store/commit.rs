//! Commits: the first one wins.

use std::{collections::BTreeSet, sync::Arc};

use ydb_grpc::ydb_proto::status_ids::StatusCode;

use super::{
    Spot, Store,
    schema::Schema,
    space::{Key, Range},
    transaction::{Change, Mode, Transaction},
};
use crate::{
    failure::{Failure, Outcome, issue},
    value::{Primitive, Value},
    yql::ast::Setting,
};

/// How often rows past their time are removed.
const SWEEP_EVERY: u64 = 3_600_000_000;

impl Store {
    /// Whether what the transaction has read is still what is there.
    pub(crate) fn check_locks(&self, tx: &Transaction) -> Outcome<()> {
        let Some(at) = tx.snapshot else { return Ok(()) };
        for lock in &tx.locks {
            let Some(table) = self.tables.get(&lock.table) else { return Err(altered(&lock.table)) };
            if table.space(lock.index).is_some_and(|space| space.written_after(&lock.range, at)) {
                return Err(Failure::locks_invalidated(&lock.table));
            }
        }
        if tx.mode == Mode::SnapshotReadWrite {
            for (path, rows) in &tx.writes {
                let table = self.table(path)?;
                if rows.keys().any(|key| table.rows.written_after(&Range::point(key.clone()), at)) {
                    return Err(Failure::locks_invalidated(path));
                }
            }
        }
        Ok(())
    }

    /// Makes the writes visible to all, or refuses them all. The transaction is over either way.
    pub(crate) fn commit(&mut self, mut tx: Transaction) -> Outcome<()> {
        let outcome = self.try_commit(&tx);
        self.end(&mut tx);
        self.forget_outdated();
        outcome
    }

    fn try_commit(&mut self, tx: &Transaction) -> Outcome<()> {
        if let Some(refusal) = &tx.at_commit {
            return Err(refusal.clone());
        }
        if !tx.has_writes() {
            return Ok(());
        }
        self.check_locks(tx)?;
        for path in tx.writes.keys() {
            let version = self.table(path)?.schema.version;
            if tx.schemas.get(path).is_some_and(|known| *known != version) {
                return Err(altered(path));
            }
        }
        self.check_unique(tx)?;
        self.version += 1;
        let at = self.version;
        for (path, rows) in &tx.writes {
            for (key, change) in rows {
                self.write(path, key, change, at);
            }
        }
        Ok(())
    }

    /// Entries of unique indexes that another row has already. NULL is equal to nothing.
    fn check_unique(&self, tx: &Transaction) -> Outcome<()> {
        for (path, rows) in &tx.writes {
            let table = self.table(path)?;
            for (at, index) in table.schema.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
                let mut own = BTreeSet::new();
                for (key, change) in rows {
                    let before = table.rows.get(key, self.version);
                    let Some(row) = change.apply(&table.schema, before.map(Arc::as_ref)) else { continue };
                    let entry = Schema::pick(&row, &index.columns);
                    let Some(space) = table.indexes.get(at) else { continue };
                    if entry.contains(&Value::Null) {
                        continue;
                    }
                    // Rows that change in the same commit are held against each other instead.
                    let taken = !own.insert(entry.clone())
                        || space
                            .scan(&Range::prefix(entry), self.version)
                            .any(|(_, owner)| !rows.contains_key(owner.as_ref()));
                    if taken {
                        return Err(Failure::exists(path));
                    }
                }
            }
        }
        Ok(())
    }

    /// One row and its entries in the indexes, at a new version.
    pub(super) fn write(&mut self, path: &str, key: &Key, change: &Change, at: u64) {
        let Some(table) = self.tables.get_mut(path) else { return };
        let before = table.rows.get(key, at).cloned();
        let after = change.apply(&table.schema, before.as_deref()).map(Arc::new);
        if before.is_none() && after.is_none() {
            return;
        }
        let mut spots = vec![(None, key.clone())];
        for (number, index) in table.schema.indexes.iter().enumerate() {
            let columns = table.schema.index_key(index);
            let entry = |row: &Arc<Vec<Value>>| Schema::pick(row, &columns);
            let (old, new) = (before.as_ref().map(entry), after.as_ref().map(entry));
            let Some(space) = table.indexes.get_mut(number) else { continue };
            // A row's covered columns are in the index too, so that it is written although its key stays.
            let covered_differ = before
                .as_ref()
                .zip(after.as_ref())
                .is_some_and(|(before, after)| Schema::pick(before, &index.cover) != Schema::pick(after, &index.cover));
            if let Some(old) = old.as_ref().filter(|old| Some(*old) != new.as_ref()) {
                space.put(old.clone(), None, at);
                spots.push((Some(number), old.clone()));
            }
            if let Some(new) = new.filter(|new| Some(new) != old.as_ref() || covered_differ) {
                space.put(new.clone(), Some(Arc::new(key.clone())), at);
                spots.push((Some(number), new));
            }
        }
        table.rows.put(key.clone(), after, at);
        let spots = spots.into_iter().map(|(index, key)| Spot { table: path.to_owned(), index, key });
        self.outdated.extend(spots);
    }

    fn forget_outdated(&mut self) {
        let oldest = self.oldest_reader();
        let mut outdated = std::mem::take(&mut self.outdated);
        outdated.retain(|spot| {
            let table = self.tables.get_mut(&spot.table);
            table.and_then(|table| table.space_mut(spot.index)).is_some_and(|space| space.prune(&spot.key, oldest))
        });
        outdated.sort();
        outdated.dedup();
        self.outdated = outdated;
    }

    /// Removes rows past their time when that was not done for an hour, as the server does in the background.
    pub(crate) fn sweep_if_due(&mut self, now: u64) {
        if now >= self.swept_at.saturating_add(SWEEP_EVERY) {
            self.sweep(now);
        }
    }

    /// Removes rows past their time now; how many.
    pub(crate) fn sweep(&mut self, now: u64) -> usize {
        self.swept_at = now;
        let mut expired = Vec::new();
        for (path, table) in &self.tables {
            let Some(Setting::Ttl(seconds, column)) = table.schema.settings.get("TTL") else { continue };
            let Ok(column) = table.schema.column(column) else { continue };
            let unit = match table.schema.columns.get(column).map(|column| column.kind) {
                Some(Primitive::Date) => 86_400_000_000,
                Some(Primitive::Datetime) => 1_000_000,
                _ => 1,
            };
            let after = seconds.saturating_mul(1_000_000);
            let all = Range { lower: std::ops::Bound::Unbounded, upper: std::ops::Bound::Unbounded };
            for (key, row) in table.rows.scan(&all, self.version) {
                let over = matches!(row.get(column), Some(Value::Unsigned(moment))
                    if moment.saturating_mul(unit).saturating_add(after) <= now);
                if over {
                    expired.push((path.clone(), key.clone()));
                }
            }
        }
        if !expired.is_empty() {
            self.version += 1;
        }
        let at = self.version;
        for (path, key) in &expired {
            self.write(path, key, &Change::Delete, at);
        }
        self.forget_outdated();
        expired.len()
    }
}

/// The table is no longer what the transaction has seen.
pub(super) fn altered(path: &str) -> Failure {
    Failure::new(StatusCode::Aborted, issue::SCHEME_MISMATCH, format!("Table `{path}` scheme changed"))
}
