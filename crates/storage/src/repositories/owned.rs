//! What belongs to one user, in every table that says whose its rows are and is ordered by that: what erasing an account
//! and handing out all its data work with. A table without such an order ends by time instead.

use std::sync::LazyLock;

use userd_model::UserId;

use crate::{
    Statement, StoreError, UnitOfWork, Value,
    tables::{List, Owner, Shape, TABLES, Table},
};

/// A table whose rows are found by their owner.
#[derive(Debug)]
pub struct Owned {
    /// The table.
    pub table: &'static Table,
    /// The first rows of an owner, as rows of the order's columns: takes the owner and a limit. None where the owner is
    /// the key.
    keys: Option<&'static Statement>,
    /// Removes a row: takes the key.
    remove: &'static Statement,
}

/// Every table whose rows are found by their owner.
pub static OWNED: LazyLock<Vec<Owned>> = LazyLock::new(|| TABLES.iter().filter_map(|table| Owned::of(table)).collect());

pub(super) fn statements() -> impl Iterator<Item = &'static Statement> {
    OWNED.iter().flat_map(|owned| owned.keys.into_iter().chain([owned.remove]))
}

impl Owned {
    fn of(table: &'static Table) -> Option<Self> {
        let Owner::User { column } = table.owner else { return None };
        let keys = if table.key == [column] {
            None
        } else {
            let order = match table.indexes.iter().find(|index| index.columns.first() == Some(&column)) {
                _ if table.key.first() == Some(&column) => List::by_key(),
                Some(index) => List::along(index.name),
                None => return None,
            };
            Some(Statement::made(table, "keys_of_owner", Shape::List(order.equal(1).narrow())))
        };
        Some(Self { table, keys, remove: Statement::made(table, "remove_owned", Shape::Remove) })
    }

    /// Removes up to `limit` rows of a user; answers how many there were.
    pub async fn remove(&self, uow: &mut UnitOfWork, owner: UserId, limit: u32) -> Result<usize, StoreError> {
        let Some(keys) = self.keys else {
            uow.write_many(self.remove, vec![vec![owner.into()]]).await?;
            return Ok(0);
        };
        let rows = uow.run(keys, &[owner.into(), i64::from(limit).into()]).await?;
        // An order ends with the key.
        let width = self.table.key.len();
        let keys: Vec<Vec<Value>> =
            rows.into_iter().map(|mut row| row.0.split_off(row.0.len().saturating_sub(width))).collect();
        let count = keys.len();
        uow.write_many(self.remove, keys).await?;
        Ok(count)
    }
}
