//! Rows as statements answer them. YDB may order columns otherwise than they were asked for: they are told by name.

use userd_storage::{Row, Rows, Statement, StoreError};

use super::values;
use crate::yql::{batch::Recipient, statement};

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
    if sets.len() != answers.len() {
        return Err(StoreError::corrupt(format!("{} answers to {} reads", sets.len(), answers.len())));
    }
    for ((statement, recipient), set) in answers.iter().zip(sets) {
        let rows = of(statement, set)?;
        match recipient {
            Recipient::Call(at) => {
                if let Some(slot) = to.get_mut(*at) {
                    *slot = rows;
                }
            }
            Recipient::Calls { calls, keys, key } => {
                for (at, wanted) in calls.iter().zip(keys) {
                    if let Some(slot) = to.get_mut(*at) {
                        *slot = rows.iter().filter(|row| row.0.get(*key) == Some(wanted)).cloned().collect();
                    }
                }
            }
        }
    }
    Ok(())
}
