//! What tables look like.

use std::collections::BTreeMap;

use crate::{
    failure::{Failure, Outcome},
    literal::convert_literal,
    value::{Primitive, Type, Value},
    yql::ast::{ColumnDef, CreateTable, IndexDef, Setting},
};

/// Limits of YDB.
const MOST_COLUMNS: usize = 200;
const MOST_KEY_COLUMNS: usize = 30;
const MOST_INDEXES: usize = 20;

/// Settings that tables may have; others are refused, as the server does.
const SETTINGS: &[&str] = &[
    "AUTO_PARTITIONING_BY_SIZE",
    "AUTO_PARTITIONING_PARTITION_SIZE_MB",
    "AUTO_PARTITIONING_BY_LOAD",
    "AUTO_PARTITIONING_MIN_PARTITIONS_COUNT",
    "AUTO_PARTITIONING_MAX_PARTITIONS_COUNT",
    "UNIFORM_PARTITIONS",
    "KEY_BLOOM_FILTER",
    "READ_REPLICAS_SETTINGS",
    "STORE",
    "TTL",
];

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Primitive,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Value>,
}

impl Column {
    pub(crate) fn data_type(&self) -> Type {
        let simple = Type::Primitive(self.kind);
        if self.not_null { simple } else { simple.optional() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) asynchronous: bool,
    /// The columns it was made with.
    pub(crate) columns: Vec<usize>,
    pub(crate) cover: Vec<usize>,
    pub(crate) settings: BTreeMap<String, Setting>,
}

#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) columns: Vec<Column>,
    pub(crate) key: Vec<usize>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) settings: BTreeMap<String, Setting>,
    /// Rises with every change; a transaction that has seen another one is aborted.
    pub(crate) version: u64,
}

impl Schema {
    pub(crate) fn create(table: &CreateTable) -> Outcome<Self> {
        let refuse = |what: String| Err(Failure::scheme(format!("Table `{}`: {what}", table.name)));
        let mut schema =
            Self { columns: Vec::new(), key: Vec::new(), indexes: Vec::new(), settings: BTreeMap::new(), version: 0 };
        for column in &table.columns {
            schema.add_column(column)?;
        }
        for name in &table.key {
            let at = schema.column(name)?;
            let kind = schema.columns.get(at).map(|column| column.kind);
            if kind.is_some_and(|kind| !can_be_key(kind)) {
                return refuse(format!("a column of type {kind:?} cannot be a key: {name}"));
            }
            if schema.key.contains(&at) {
                return refuse(format!("{name} is twice in the key"));
            }
            schema.key.push(at);
        }
        if schema.key.is_empty() || schema.key.len() > MOST_KEY_COLUMNS {
            return refuse(format!("a key has one to {MOST_KEY_COLUMNS} columns"));
        }
        for index in &table.indexes {
            schema.add_index(index)?;
        }
        schema.set(&table.settings)?;
        Ok(schema)
    }

    pub(crate) fn column(&self, name: &str) -> Outcome<usize> {
        let found = self.columns.iter().position(|column| column.name == name);
        found.ok_or_else(|| Failure::scheme(format!("No such column: {name}")))
    }

    pub(crate) fn index(&self, name: &str) -> Outcome<usize> {
        let found = self.indexes.iter().position(|index| index.name == name);
        found.ok_or_else(|| Failure::scheme(format!("No such index: {name}")))
    }

    /// The columns that order an index: its own and those of the primary key that it does not have yet.
    pub(crate) fn index_key(&self, index: &Index) -> Vec<usize> {
        let mut key = index.columns.clone();
        key.extend(self.key.iter().filter(|column| !index.columns.contains(column)));
        key
    }

    pub(crate) fn add_column(&mut self, column: &ColumnDef) -> Outcome<()> {
        if self.column(&column.name).is_ok() {
            return Err(Failure::scheme(format!("Cannot alter type for column '{}': it exists", column.name)));
        }
        if self.columns.len() >= MOST_COLUMNS {
            return Err(Failure::scheme(format!("more than {MOST_COLUMNS} columns")));
        }
        let default = match &column.default {
            None => None,
            Some((value, kind)) => Some(convert_literal(value, kind, column.kind).ok_or_else(|| {
                Failure::scheme(format!("Default of `{}` is of type {kind}, not {:?}", column.name, column.kind))
            })?),
        };
        self.columns.push(Column { name: column.name.clone(), kind: column.kind, not_null: column.not_null, default });
        self.version += 1;
        Ok(())
    }

    pub(crate) fn add_index(&mut self, index: &IndexDef) -> Outcome<()> {
        if self.index(&index.name).is_ok() {
            return Err(Failure::scheme(format!("index `{}` exists", index.name)));
        }
        if self.indexes.len() >= MOST_INDEXES {
            return Err(Failure::scheme(format!("more than {MOST_INDEXES} indexes")));
        }
        let columns: Vec<_> = index.columns.iter().map(|name| self.column(name)).collect::<Outcome<_>>()?;
        let unfit = columns.iter().filter_map(|at| self.columns.get(*at)).find(|column| !can_be_key(column.kind));
        if let Some(column) = unfit {
            return Err(Failure::scheme(format!("a column of type {:?} cannot be indexed", column.kind)));
        }
        if columns.starts_with(&self.key) && !self.key.is_empty() && columns.len() == self.key.len() {
            return Err(Failure::scheme(format!("index `{}` is the primary key", index.name)));
        }
        let cover = index.cover.iter().map(|name| self.column(name)).collect::<Outcome<_>>()?;
        self.indexes.push(Index {
            name: index.name.clone(),
            unique: index.unique,
            asynchronous: index.asynchronous,
            columns,
            cover,
            settings: BTreeMap::new(),
        });
        self.version += 1;
        Ok(())
    }

    pub(crate) fn set(&mut self, settings: &[(String, Setting)]) -> Outcome<()> {
        for (name, value) in settings {
            if !SETTINGS.contains(&name.as_str()) {
                return Err(Failure::scheme(format!("Unknown table setting: {name}")));
            }
            if let Setting::Ttl(_, column) = value {
                let at = self.column(column)?;
                let kind = self.columns.get(at).map(|column| column.kind);
                let dated = kind
                    .is_some_and(|kind| matches!(kind, Primitive::Date | Primitive::Datetime | Primitive::Timestamp));
                if !dated {
                    return Err(Failure::scheme(format!("Unsupported column type of TTL: {kind:?}")));
                }
            }
            self.settings.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    pub(crate) fn set_index(&mut self, name: &str, settings: &[(String, Setting)]) -> Outcome<()> {
        let at = self.index(name)?;
        for (name, value) in settings {
            if !name.starts_with("AUTO_PARTITIONING") {
                return Err(Failure::scheme(format!("Unknown index setting: {name}")));
            }
            if let Some(index) = self.indexes.get_mut(at) {
                index.settings.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }

    pub(crate) fn reset(&mut self, names: &[String]) -> Outcome<()> {
        for name in names {
            let name = name.to_ascii_uppercase();
            if !SETTINGS.contains(&name.as_str()) {
                return Err(Failure::scheme(format!("Unknown table setting: {name}")));
            }
            self.settings.remove(&name);
        }
        Ok(())
    }

    /// The row of defaults.
    pub(crate) fn blank(&self) -> Vec<Value> {
        self.columns.iter().map(|column| column.default.clone().unwrap_or(Value::Null)).collect()
    }

    /// The cells of some columns.
    pub(crate) fn pick(row: &[Value], columns: &[usize]) -> Vec<Value> {
        columns.iter().map(|at| row.get(*at).cloned().unwrap_or(Value::Null)).collect()
    }
}

fn can_be_key(kind: Primitive) -> bool {
    !matches!(kind, Primitive::Json | Primitive::JsonDocument | Primitive::Yson | Primitive::Float | Primitive::Double)
}
