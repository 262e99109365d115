//! Removing what has expired, from every table that is declared to expire. Readers never depend on it: they filter
//! by time themselves.

use std::{sync::LazyLock, time::Duration};

use userd_model::Timestamp;

use crate::{
    Statement, StoreError, UnitOfWork,
    tables::{Expiry, List, Range, Shape, TABLES, Table},
};

/// A table whose rows expire.
#[derive(Debug)]
pub struct Expiring {
    /// The table.
    pub table: &'static Table,
    /// How long rows stay after they have expired.
    kept: Duration,
    /// The first to have expired by a moment, as rows of that moment and the key: takes the moment and a limit.
    expired: &'static Statement,
    /// Removes a row: takes the key.
    remove: &'static Statement,
}

/// Every table whose rows expire.
pub static EXPIRING: LazyLock<Vec<Expiring>> =
    LazyLock::new(|| TABLES.iter().filter_map(|table| Expiring::of(table)).collect());

pub(super) fn statements() -> impl Iterator<Item = &'static Statement> {
    EXPIRING.iter().flat_map(|expiring| [expiring.expired, expiring.remove])
}

impl Expiring {
    fn of(table: &'static Table) -> Option<Self> {
        let Expiry::At { column, kept } = table.expiry else { return None };
        let index = table.indexes.iter().find(|index| index.columns.first() == Some(&column))?;
        let expired = List::along(index.name).range(Range::UpTo).narrow();
        Some(Self {
            table,
            kept,
            expired: Statement::made(table, "expired", Shape::List(expired)),
            remove: Statement::made(table, "remove_expired", Shape::Remove),
        })
    }

    /// Removes up to `limit` rows that can go by `now`; answers how many went.
    pub async fn remove(&self, uow: &mut UnitOfWork, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let rows = uow.run(self.expired, &[now.minus(self.kept).into(), i64::from(limit).into()]).await?;
        let count = rows.len();
        // An index ends with the key, which is what stands behind the moment.
        let keys = rows.into_iter().map(|mut row| row.0.split_off(1.min(row.0.len()))).collect();
        uow.write_many(self.remove, keys).await?;
        Ok(count)
    }
}
