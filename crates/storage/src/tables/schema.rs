//! The whole schema of today in the words of each engine, made from the declarations. `crates/storage/schema` keeps
//! it in the tree, to be read and compared; databases are made by the steps in `migrations.rs`.
//!
//! A dialect is one function that answers its [`Words`].

use super::{Column, Index, TABLES, Table};
use crate::{Kind, engine::Dialect};

/// How an engine says what differs.
struct Words {
    /// The type of a column.
    type_of: fn(Kind) -> &'static str,
    /// What follows each column of an index.
    order: &'static str,
    /// What follows the closing parenthesis of a table.
    options: &'static str,
}

const fn words(dialect: Dialect) -> Words {
    match dialect {
        Dialect::Sqlite => sqlite(),
        Dialect::Postgres | Dialect::Ydb => postgres(),
    }
}

const fn sqlite() -> Words {
    const fn type_of(kind: Kind) -> &'static str {
        match kind {
            Kind::Text | Kind::Json => "TEXT",
            Kind::Bytes | Kind::Uuid => "BLOB",
            Kind::I64 | Kind::Bool | Kind::Timestamp => "INTEGER",
        }
    }
    Words { type_of, order: "", options: " STRICT, WITHOUT ROWID" }
}

const fn postgres() -> Words {
    const fn type_of(kind: Kind) -> &'static str {
        match kind {
            Kind::Text => "TEXT COLLATE \"C\"",
            Kind::Bytes => "BYTEA",
            Kind::I64 => "BIGINT",
            Kind::Bool => "BOOLEAN",
            Kind::Timestamp => "TIMESTAMPTZ",
            Kind::Uuid => "UUID",
            Kind::Json => "JSONB",
        }
    }
    // Said aloud for engines that would hash the first column.
    Words { type_of, order: " ASC", options: "" }
}

/// The whole schema.
#[must_use]
pub fn schema(dialect: Dialect) -> String {
    let mut text = String::new();
    for table in TABLES {
        text.push_str(&create_table(table, dialect));
        for index in table.indexes {
            text.push_str(&create_index(table, index, dialect));
        }
    }
    text
}

/// The type of a column that holds this.
#[must_use]
pub fn column_type(kind: Kind, dialect: Dialect) -> &'static str {
    (words(dialect).type_of)(kind)
}

/// The step that makes a table.
#[must_use]
pub fn create_table(table: &Table, dialect: Dialect) -> String {
    let words = words(dialect);
    let columns: String = table.columns.iter().map(|column| create_column(column, &words)).collect();
    let (name, key, options) = (table.name, table.key.join(", "), words.options);
    format!("CREATE TABLE IF NOT EXISTS {name} (\n{columns}    PRIMARY KEY ({key})\n){options};\n")
}

/// The step that makes an index.
#[must_use]
pub fn create_index(table: &Table, index: &Index, dialect: Dialect) -> String {
    let order = words(dialect).order;
    let columns: Vec<String> = index.columns.iter().map(|column| format!("{column}{order}")).collect();
    format!("CREATE INDEX IF NOT EXISTS {} ON {} ({});\n", index.name, table.name, columns.join(", "))
}

fn create_column(column: &Column, words: &Words) -> String {
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("    {} {}{null},\n", column.name, (words.type_of)(column.kind))
}
