//! Copying whole tables from one engine to another, row by row in primary-key order: what `storage copy` works with.
//! Which tables, and their columns, is declared with them.

use std::sync::LazyLock;

use crate::{
    Row, Rows, Statement, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, TABLES, Table},
};

/// How one table is read in pages and written.
#[derive(Debug)]
pub struct TableCopy {
    /// The table.
    pub table: &'static Table,
    /// The first rows: takes a limit.
    pub first_page: &'static Statement,
    /// The rows behind a key: takes the key and a limit.
    pub next_page: &'static Statement,
    /// The highest key, as a row of key columns, or no row: tells whether the table is empty, and where a copy that
    /// was interrupted goes on. Takes a limit.
    pub last_key: &'static Statement,
    /// Writes one row: takes all columns.
    pub insert: &'static Statement,
}

/// Every table that is copied.
pub static COPIED: LazyLock<Vec<TableCopy>> =
    LazyLock::new(|| TABLES.iter().filter(|table| table.copied).map(|table| TableCopy::of(table)).collect());

pub(super) fn statements() -> impl Iterator<Item = &'static Statement> {
    COPIED.iter().flat_map(|copy| [copy.first_page, copy.next_page, copy.last_key, copy.insert])
}

impl TableCopy {
    fn of(table: &'static Table) -> Self {
        let page = List::by_key();
        let make = |verb, shape| Statement::made(table, verb, shape);
        Self {
            table,
            first_page: make("copy_first_page", Shape::List(page)),
            next_page: make("copy_next_page", Shape::List(page.range(Range::Behind))),
            last_key: make("copy_last_key", Shape::List(page.descending().narrow())),
            insert: make("copy_insert", Shape::Insert),
        }
    }

    /// The table's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.table.name
    }

    /// Up to `limit` rows in primary-key order, behind the key `after`.
    ///
    /// # Errors
    /// `Corrupt` when `after` is not a key of this table; storage faults.
    pub async fn page(&self, uow: &mut UnitOfWork, after: Option<&[Value]>, limit: u32) -> Result<Rows, StoreError> {
        let limit = Value::from(i64::from(limit));
        let Some(key) = after else { return uow.run(self.first_page, &[limit]).await };
        if key.len() != self.table.key.len() {
            return Err(StoreError::corrupt(format!("not a key of {}", self.table.name)));
        }
        let mut values = key.to_vec();
        values.push(limit);
        uow.run(self.next_page, &values).await
    }

    /// The highest key in the table; `None` when it is empty.
    pub async fn last_key(&self, uow: &mut UnitOfWork) -> Result<Option<Vec<Value>>, StoreError> {
        let rows = uow.run(self.last_key, &[1_i64.into()]).await?;
        Ok(rows.into_iter().next().map(|row| row.0))
    }

    /// Writes a row that [`Self::page`] gave, on another engine.
    ///
    /// # Errors
    /// `Duplicate` when the key is there.
    pub async fn insert(&self, uow: &mut UnitOfWork, row: &Row) -> Result<(), StoreError> {
        uow.run(self.insert, &row.0).await.map(drop)
    }

    /// The key of a row: its first columns.
    ///
    /// # Errors
    /// `Corrupt` when the row is shorter than a key.
    pub fn key<'r>(&self, row: &'r Row) -> Result<&'r [Value], StoreError> {
        let short = || StoreError::corrupt(format!("a short row of {}", self.table.name));
        row.0.get(..self.table.key.len()).ok_or_else(short)
    }
}
