//! Joins: for every row of what stands left, a look-up by key or index in what stands right.

use std::sync::Arc;

use super::{
    Run,
    select::{Opened, OpenedKind, Query, described},
};
use crate::{
    failure::{Failure, Outcome},
    plan::{Bound, access, is_true},
    store::read::Scan,
    value::Value,
};

type Row = Arc<Vec<Value>>;

impl Run<'_> {
    pub(super) fn joined(&mut self, first: Vec<Row>, query: &Query) -> Outcome<Vec<Vec<Option<Row>>>> {
        let mut found: Vec<Vec<Option<Row>>> = first.into_iter().map(|row| vec![Some(row)]).collect();
        for (number, ((left, on), opened)) in query.joins.iter().zip(query.opened.iter().skip(1)).enumerate() {
            let source = number + 1;
            let mut next = Vec::new();
            // What WHERE says of an inner join's right side narrows the look-up too.
            let narrowed = if *left { on.clone() } else { on.iter().chain(&query.conditions).cloned().collect() };
            self.is_looked_up(opened, source, &narrowed)?;
            for rows in found {
                let matches = self.matches(&rows, opened, source, on, &narrowed, query)?;
                if matches.is_empty() && *left {
                    next.push(rows.iter().cloned().chain([None]).collect());
                }
                next.extend(matches.into_iter().map(|row| rows.iter().cloned().chain([Some(row)]).collect::<Vec<_>>()));
            }
            found = next;
        }
        let mut kept = Vec::new();
        for rows in found {
            if holds(&query.conditions, &rows)? {
                kept.push(rows);
            }
        }
        Ok(kept)
    }

    /// Refuses a join whose right side would be read whole, whether or not there is a row on its left now.
    fn is_looked_up(&mut self, opened: &Opened, source: usize, narrowed: &[Bound]) -> Outcome<()> {
        let OpenedKind::Stored { path, key, .. } = &opened.kind else { return Ok(()) };
        let nobody = vec![None; source];
        if access(narrowed, source, key, &nobody)?.fixed > 0 {
            return Ok(());
        }
        self.counts.full_scans_refused += 1;
        Err(Failure::full_scan(format!("full scan of {} in a join", described(path, opened))))
    }

    fn matches(
        &mut self,
        rows: &[Option<Row>],
        opened: &Opened,
        source: usize,
        on: &[Bound],
        narrowed: &[Bound],
        query: &Query,
    ) -> Outcome<Vec<Row>> {
        let mut found = Vec::new();
        let mut take = |row: &Row| {
            let all: Vec<_> = rows.iter().cloned().chain([Some(Arc::clone(row))]).collect();
            if holds(on, &all)? {
                found.push(Arc::clone(row));
            }
            Ok(true)
        };
        match &opened.kind {
            OpenedKind::InMemory(all) => {
                for row in all {
                    take(row)?;
                }
            }
            OpenedKind::Stored { path, index, key, has } => {
                let slices: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.as_slice())).collect();
                let access = access(narrowed, source, key, &slices)?;
                let covered = has.as_ref().is_none_or(|has| query.uses_only(source, has));
                for range in access.ranges {
                    let scan = Scan { path, index: *index, range, descending: false, covered };
                    self.store.scan(self.tx, &scan, &mut take)?;
                }
            }
        }
        Ok(found)
    }
}

fn holds(conditions: &[Bound], rows: &[Option<Row>]) -> Outcome<bool> {
    let slices: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.as_slice())).collect();
    let source = slices.len();
    let decidable = conditions.iter().filter(|condition| condition.is_known_before(source));
    decidable.into_iter().try_fold(true, |all, one| Ok(all && is_true(one, &slices)?))
}
