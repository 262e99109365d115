//! Removing what has expired, from every table that is declared to expire. Readers never depend on it: they filter
//! by time themselves.

use std::{sync::LazyLock, time::Duration};

use userd_model::Timestamp;

use crate::{
    Statement, StoreError, UnitOfWork, Value,
    tables::{Expiry, List, Range, Shape, TABLES, Table},
};

/// A table whose rows expire.
#[derive(Debug)]
pub struct Expiring {
    /// The table.
    pub table: &'static Table,
    /// How long rows stay after they have expired.
    kept: Duration,
    /// Where the walks along the order begin.
    walks: Walks,
    /// The first to have expired by a moment, as rows of the order's columns: takes the shard, if there are any, the
    /// moment and a limit.
    expired: &'static Statement,
    /// Removes a row: takes the key.
    remove: &'static Statement,
}

/// The orders in which the expired are found.
#[derive(Clone, Copy, Debug)]
enum Walks {
    /// One, along an index that begins with the moment; the key stands behind it.
    AlongIndex,
    /// One along the key of each shard.
    InShards(i64),
}

/// Every table whose rows expire.
pub static EXPIRING: LazyLock<Vec<Expiring>> =
    LazyLock::new(|| TABLES.iter().filter_map(|table| Expiring::of(table)).collect());

pub(super) fn statements() -> impl Iterator<Item = &'static Statement> {
    EXPIRING.iter().flat_map(|expiring| [expiring.expired, expiring.remove])
}

impl Expiring {
    fn of(table: &'static Table) -> Option<Self> {
        let (kept, walks, expired) = match table.expiry {
            Expiry::Never | Expiry::Done { .. } => return None,
            Expiry::At { column, kept } => {
                let index = table.indexes.iter().find(|index| index.columns.first() == Some(&column))?;
                (kept, Walks::AlongIndex, List::along(index.name))
            }
            Expiry::InShards { kept, shards, .. } => (kept, Walks::InShards(shards), List::by_key().equal(1)),
        };
        let expired = expired.range(Range::UpTo).narrow();
        Some(Self {
            table,
            kept,
            walks,
            expired: Statement::made(table, "expired", Shape::List(expired)),
            remove: Statement::made(table, "remove_expired", Shape::Remove),
        })
    }

    /// Removes up to `limit` rows that can go by `now`; answers how many went.
    pub async fn remove(&self, uow: &mut UnitOfWork, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let (until, most) = (Value::from(now.minus(self.kept)), limit as usize);
        let mut keys: Vec<Vec<Value>> = Vec::new();
        match self.walks {
            Walks::AlongIndex => {
                let rows = uow.run(self.expired, &[until, i64::from(limit).into()]).await?;
                keys.extend(rows.into_iter().map(|mut row| row.0.split_off(1.min(row.0.len()))));
            }
            Walks::InShards(shards) => {
                for shard in 0..shards {
                    let left = i64::try_from(most.saturating_sub(keys.len())).unwrap_or(0);
                    if left == 0 {
                        break;
                    }
                    let rows = uow.run(self.expired, &[shard.into(), until.clone(), left.into()]).await?;
                    keys.extend(rows.into_iter().map(|row| row.0));
                }
            }
        }
        let count = keys.len();
        uow.write_many(self.remove, keys).await?;
        Ok(count)
    }
}
