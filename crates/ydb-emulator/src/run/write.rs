//! INSERT, UPSERT, REPLACE, UPDATE and DELETE.

use std::collections::BTreeMap;

use ydb_grpc::ydb_proto::status_ids::StatusCode;

use super::{Run, Table};
use crate::{
    failure::{Failure, Outcome, issue},
    options::Moment,
    plan::{Bound, SourceShape, access, assign, conjuncts, evaluate, is_true},
    store::{read::Scan, schema::Schema, space::Key, transaction::Change},
    value::{Type, Value},
    yql::ast::{Expr, Rows, Select, Verb, Write},
};

/// Limits of YDB.
const LARGEST_KEY: usize = 1 << 20;
const LARGEST_CELL: usize = 8 << 20;

/// Checked rows: the columns that they give and their cells.
struct Input {
    path: String,
    schema: Schema,
    columns: Vec<usize>,
    rows: Vec<Vec<Value>>,
}

impl Run<'_> {
    pub(super) fn write(&mut self, write: &Write) -> Outcome<()> {
        let (names, rows) = match &write.rows {
            Rows::Values(rows) => {
                let names = write.columns.clone();
                let names = names.ok_or_else(|| Failure::generic("VALUES need the names of their columns"))?;
                (names, rows.iter().map(|row| self.constants(row)).collect::<Outcome<Vec<_>>>()?)
            }
            Rows::Select(select) => {
                let table = self.select(select)?;
                let own = || table.columns.iter().map(|(name, _)| name.clone()).collect();
                (write.columns.clone().unwrap_or_else(own), typed(&table))
            }
        };
        let input = self.input(&write.table, &names, rows)?;
        for (at, column) in input.schema.columns.iter().enumerate() {
            if column.not_null && column.default.is_none() && !input.columns.contains(&at) {
                return Err(Failure::new(
                    StatusCode::BadRequest,
                    issue::NO_COLUMN_DEFAULT_VALUE,
                    format!(
                        "Missing not null column in input: {}. All not null columns should be initialized",
                        column.name
                    ),
                ));
            }
        }
        for row in &input.rows {
            self.write_row(write.verb, &input, row)?;
        }
        Ok(())
    }

    fn write_row(&mut self, verb: Verb, input: &Input, row: &[Value]) -> Outcome<()> {
        let cells: BTreeMap<usize, Value> = input.columns.iter().copied().zip(row.iter().cloned()).collect();
        let key = key_of(&input.schema, &cells)?;
        // A table with indexes reads the old row, to know which entries it has there.
        let reads = verb == Verb::Insert || !input.schema.indexes.is_empty();
        let there = reads && self.store.read(self.tx, &input.path, &key)?.is_some();
        if there && verb == Verb::Insert {
            match self.options.existing_keys_show {
                Moment::Statement => return Err(Failure::exists(&input.path)),
                Moment::Commit => self.tx.at_commit = Some(Failure::exists(&input.path)),
            }
        }
        let cells = Change::Cells(cells);
        let change = match verb {
            Verb::Upsert => cells,
            Verb::Insert | Verb::Replace => cells.apply(&input.schema, None).map_or(Change::Delete, Change::Row),
        };
        self.tx.change(&input.path, &input.schema, key, change);
        Ok(())
    }

    fn constants(&self, row: &[Expr]) -> Outcome<Vec<Bound>> {
        row.iter().map(|expr| self.bind(expr, &[])).collect()
    }

    /// Rows held against the table's columns.
    fn input(&mut self, table: &str, names: &[String], rows: Vec<Vec<Bound>>) -> Outcome<Input> {
        let path = self.store.path(table);
        self.store.note_schema(self.tx, &path)?;
        let schema = self.store.table(&path)?.schema.clone();
        let mut columns = Vec::new();
        for name in names {
            let at = schema.column(name)?;
            if columns.contains(&at) {
                return Err(Failure::generic(format!("Duplicate column: {name}")));
            }
            columns.push(at);
        }
        if let Some(missing) = schema.key.iter().find(|at| !columns.contains(at)) {
            let name = schema.columns.get(*missing).map_or("", |column| column.name.as_str());
            return Err(Failure::new(
                StatusCode::PreconditionFailed,
                2017,
                format!("Missing key column in input: {name}"),
            ));
        }
        let mut checked = Vec::new();
        for row in rows {
            if row.len() != columns.len() {
                return Err(Failure::generic("VALUES have a different number of columns"));
            }
            let cells = row.into_iter().zip(&columns).map(|(bound, at)| cell(bound, *at, &schema, &[]));
            checked.push(cells.collect::<Outcome<_>>()?);
        }
        Ok(Input { path, schema, columns, rows: checked })
    }

    pub(super) fn update(&mut self, table: &str, set: &[(String, Expr)], filter: Option<&Expr>) -> Outcome<()> {
        let (path, schema, shape) = self.target(table)?;
        let mut cells = Vec::new();
        for (name, value) in set {
            let at = schema.column(name)?;
            if schema.key.contains(&at) {
                return Err(Failure::generic(format!("Cannot update primary key column: {name}")));
            }
            let column = schema.columns.get(at).ok_or_else(|| Failure::scheme("No such column"))?;
            cells.push((at, assign(self.bind(value, std::slice::from_ref(&shape))?, column)?));
        }
        for (key, row) in self.found(&path, &schema, &shape, filter)? {
            let mut changed = BTreeMap::new();
            for (at, bound) in &cells {
                changed.insert(*at, cell(bound.clone(), *at, &schema, &row)?);
            }
            self.tx.change(&path, &schema, key, Change::Cells(changed));
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, table: &str, filter: Option<&Expr>) -> Outcome<()> {
        let (path, schema, shape) = self.target(table)?;
        for (key, _) in self.found(&path, &schema, &shape, filter)? {
            self.tx.change(&path, &schema, key, Change::Delete);
        }
        Ok(())
    }

    fn target(&mut self, table: &str) -> Outcome<(String, Schema, SourceShape)> {
        let path = self.store.path(table);
        self.store.note_schema(self.tx, &path)?;
        let schema = self.store.table(&path)?.schema.clone();
        let columns = schema.columns.iter().map(|column| (column.name.clone(), column.data_type())).collect();
        Ok((path, schema, SourceShape { alias: None, columns }))
    }

    /// The rows that a condition leaves, which must be a part of the primary key: UPDATE and DELETE use no index.
    fn found(
        &mut self,
        path: &str,
        schema: &Schema,
        shape: &SourceShape,
        filter: Option<&Expr>,
    ) -> Outcome<Vec<(Key, Vec<Value>)>> {
        let mut conditions = Vec::new();
        if let Some(filter) = filter {
            conjuncts(self.bind(filter, std::slice::from_ref(shape))?, &mut conditions);
        }
        let access = access(&conditions, 0, &schema.key, &[])?;
        if !access.bounded {
            self.counts.full_scans_refused += 1;
            return Err(Failure::full_scan(format!(
                "full scan of {path}: UPDATE and DELETE go by the primary key only"
            )));
        }
        let mut found = Vec::new();
        for range in access.ranges {
            let scan = Scan { path, index: None, range, descending: false, covered: true };
            self.store.scan(self.tx, &scan, |row| {
                let holds =
                    conditions.iter().try_fold(true, |all, one| Ok(all && is_true(one, &[Some(row.as_slice())])?))?;
                if holds {
                    found.push((Schema::pick(row, &schema.key), row.as_ref().clone()));
                }
                Ok(true)
            })?;
        }
        Ok(found)
    }

    pub(super) fn update_on(&mut self, table: &str, rows: &Select) -> Outcome<()> {
        let input = self.rows_on(table, rows)?;
        for row in &input.rows {
            let cells: BTreeMap<usize, Value> = input.columns.iter().copied().zip(row.iter().cloned()).collect();
            let key = key_of(&input.schema, &cells)?;
            if self.store.read(self.tx, &input.path, &key)?.is_some() {
                self.tx.change(&input.path, &input.schema, key, Change::Cells(cells));
            }
        }
        Ok(())
    }

    pub(super) fn delete_on(&mut self, table: &str, rows: &Select) -> Outcome<()> {
        let input = self.rows_on(table, rows)?;
        for row in &input.rows {
            let cells = input.columns.iter().copied().zip(row.iter().cloned()).collect();
            let key = key_of(&input.schema, &cells)?;
            if !input.schema.indexes.is_empty() {
                self.store.read(self.tx, &input.path, &key)?;
            }
            self.tx.change(&input.path, &input.schema, key, Change::Delete);
        }
        Ok(())
    }

    fn rows_on(&mut self, table: &str, rows: &Select) -> Outcome<Input> {
        let rows = self.select(rows)?;
        let names: Vec<_> = rows.columns.iter().map(|(name, _)| name.clone()).collect();
        self.input(table, &names, typed(&rows))
    }
}

/// Cells of a result, with the type of their column: NULL is no type of its own here.
fn typed(table: &Table) -> Vec<Vec<Bound>> {
    let cells = |row: &Vec<Value>| {
        let pairs = row.iter().zip(&table.columns);
        pairs
            .map(|(value, (_, kind)): (&Value, &(String, Type))| Bound::constant(value.clone(), kind.clone()))
            .collect()
    };
    table.rows.iter().map(cells).collect()
}

fn cell(bound: Bound, at: usize, schema: &Schema, row: &[Value]) -> Outcome<Value> {
    let column = schema.columns.get(at).ok_or_else(|| Failure::scheme("No such column"))?;
    let value = evaluate(&assign(bound, column)?, &[Some(row)])?;
    if value.size() > LARGEST_CELL {
        return Err(Failure::bad_request(format!("Column {}: larger than {LARGEST_CELL} bytes", column.name)));
    }
    Ok(value)
}

fn key_of(schema: &Schema, cells: &BTreeMap<usize, Value>) -> Outcome<Key> {
    let key: Key = schema.key.iter().map(|at| cells.get(at).cloned().unwrap_or(Value::Null)).collect();
    if key.iter().map(Value::size).sum::<usize>() > LARGEST_KEY {
        return Err(Failure::bad_request(format!("Row key size exceeds {LARGEST_KEY} bytes")));
    }
    Ok(key)
}
