//! Rows as statements answer them. YDB may order columns otherwise than they were asked for: they are told by name.

use std::cmp::Ordering;

use userd_storage::{
    Row, Rows, Statement, StoreError, Value,
    tables::{List, Table},
};

use super::values;
use crate::yql::{batch::Recipient, spread, statement};

/// The rows of one result set.
pub(super) fn of(statement: &'static Statement, set: ydb::ResultSet) -> Result<Rows, StoreError> {
    let columns = statement::columns(statement);
    let mut rows = Vec::new();
    for mut row in set {
        let mut values = Vec::with_capacity(columns.len());
        for (name, kind) in columns.iter().zip(statement.columns) {
            let absent = |_| StoreError::corrupt(format!("{}: no column {name} came back", statement.name));
            let value = row.remove_field_by_name(name).map_err(absent)?;
            values.push(values::read(*kind, value)?);
        }
        rows.push(Row(values));
    }
    Ok(rows)
}

/// Gives each call of a request its rows.
pub(super) fn hand_out(
    answers: &[(&'static Statement, Recipient)],
    sets: Vec<ydb::ResultSet>,
    to: &mut [Rows],
) -> Result<(), StoreError> {
    let (count, mut sets) = (sets.len(), sets.into_iter());
    for (statement, recipient) in answers {
        let buckets = statement::over_buckets(statement);
        let mut rows = Rows::new();
        for _ in 0..buckets.map_or(1, |_| spread::BUCKETS) {
            let few = || StoreError::corrupt(format!("{}: no answer among {count}", statement.name));
            rows.extend(of(statement, sets.next().ok_or_else(few)?)?);
        }
        let mut give = |at: usize, rows: Rows| {
            if let Some(slot) = to.get_mut(at) {
                *slot = rows;
            }
        };
        match (recipient, buckets) {
            (Recipient::Buckets { call, limit }, Some((table, list))) => {
                give(*call, merged(table, &list, rows, *limit));
            }
            (Recipient::Call(at) | Recipient::Buckets { call: at, .. }, _) => give(*at, rows),
            (Recipient::Calls { calls, keys, key }, _) => {
                for (at, wanted) in calls.iter().zip(keys) {
                    give(*at, rows.iter().filter(|row| row.0.get(*key) == Some(wanted)).cloned().collect());
                }
            }
        }
    }
    match sets.len() {
        0 => Ok(()),
        more => Err(StoreError::corrupt(format!("{more} answers more than reads"))),
    }
}

/// The rows of all buckets as the one list that was asked for.
fn merged(table: &Table, list: &List, mut rows: Rows, limit: Option<usize>) -> Rows {
    let order = list.order(table);
    let places: Vec<usize> =
        if list.narrow { (0..order.len()).collect() } else { order.iter().map(|name| table.position(name)).collect() };
    rows.sort_by(|one, other| {
        let ordering = places.iter().map(|at| of_column(*at, one, other)).find(|ordering| ordering.is_ne());
        let ordering = ordering.unwrap_or(Ordering::Equal);
        if list.descending { ordering.reverse() } else { ordering }
    });
    rows.truncate(limit.unwrap_or(usize::MAX));
    rows
}

fn of_column(at: usize, one: &Row, other: &Row) -> Ordering {
    match (one.0.get(at), other.0.get(at)) {
        (Some(Value::Text(one)), Some(Value::Text(other))) => one.as_bytes().cmp(other.as_bytes()),
        (Some(Value::Bytes(one)), Some(Value::Bytes(other))) => one.cmp(other),
        (Some(Value::I64(one)), Some(Value::I64(other))) => one.cmp(other),
        (Some(Value::Bool(one)), Some(Value::Bool(other))) => one.cmp(other),
        (Some(Value::Timestamp(one)), Some(Value::Timestamp(other))) => one.cmp(other),
        (Some(Value::Uuid(one)), Some(Value::Uuid(other))) => one.as_bytes().cmp(other.as_bytes()),
        // JSON stands in no index, and neither does nothing.
        _ => Ordering::Equal,
    }
}
