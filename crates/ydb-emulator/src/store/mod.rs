//! The store: tables with versions, and who may commit.

mod alter;
mod commit;
pub(crate) mod read;
pub(crate) mod schema;
pub(crate) mod space;
pub(crate) mod transaction;

use std::collections::BTreeMap;

use schema::Schema;
use space::{Key, Space};

use crate::failure::{Failure, Outcome};

/// A table: its rows, and the entries of its indexes in the order of the schema.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: Schema,
    pub(crate) rows: Space,
    pub(crate) indexes: Vec<Space>,
}

impl Table {
    /// A space by its index; none is the table itself.
    pub(crate) fn space(&self, index: Option<usize>) -> Option<&Space> {
        match index {
            None => Some(&self.rows),
            Some(at) => self.indexes.get(at),
        }
    }

    pub(crate) fn space_mut(&mut self, index: Option<usize>) -> Option<&mut Space> {
        match index {
            None => Some(&mut self.rows),
            Some(at) => self.indexes.get_mut(at),
        }
    }
}

/// Where a key with old versions is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) table: String,
    pub(crate) index: Option<usize>,
    pub(crate) key: Key,
}

/// All tables of the database, by full path.
#[derive(Debug)]
pub(crate) struct Store {
    database: String,
    pub(crate) tables: BTreeMap<String, Table>,
    /// The number of the last commit.
    pub(crate) version: u64,
    /// Moments that running transactions read at, and how many of them.
    readers: BTreeMap<u64, usize>,
    /// Keys with versions to forget when nobody reads them any more.
    outdated: Vec<Spot>,
    /// When rows past their time were last removed, in microseconds.
    swept_at: u64,
}

impl Store {
    pub(crate) fn new(database: &str) -> Self {
        Self {
            database: database.to_owned(),
            tables: BTreeMap::new(),
            version: 1,
            readers: BTreeMap::new(),
            outdated: Vec::new(),
            swept_at: 0,
        }
    }

    /// A name as the database's full path.
    pub(crate) fn path(&self, name: &str) -> String {
        if name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", self.database) }
    }

    pub(crate) fn table(&self, path: &str) -> Outcome<&Table> {
        self.tables.get(path).ok_or_else(|| missing(path))
    }

    pub(crate) fn table_mut(&mut self, path: &str) -> Outcome<&mut Table> {
        self.tables.get_mut(path).ok_or_else(|| missing(path))
    }
}

fn missing(path: &str) -> Failure {
    Failure::scheme(format!("Cannot find table 'db.[{path}]' because it does not exist or you do not have access"))
}
