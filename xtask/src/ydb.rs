//! docs/ydb-tables.md: of each table and index on YDB, where its writes go. From the declarations alone: a row goes where
//! its key's first column says.

use std::fmt::Write as _;

use userd_storage::{
    Kind,
    tables::{Expiry, TABLES, Table},
};
use userd_storage_ydb::yql::schema::is_hot;

use crate::pages::Page;

const HEAD: &str = "# Where writes go on YDB

Written by `cargo xtask ydb` from the declarations of the tables; `cargo xtask check` compares. YDB keeps a table, and each index, in
the order of its key and splits it into partitions: whatever has a first column that only grows is written at one place.
\"The end\" marks those: each is bound by what one partition takes (one core). docs/ydb.md says what follows from it.

| table or index | key | where writes go | first partitions | rows end |
|---|---|---|---|---|
";

/// The page.
#[must_use]
pub fn page() -> Page {
    let mut text = HEAD.to_owned();
    for table in TABLES {
        let partitions = if is_hot(table.name) { 4 } else { 1 };
        let place = place(table, table.key);
        let key = table.key.join(", ");
        let _ = writeln!(text, "| `{}` | {key} | {place} | {partitions} | {} |", table.name, end(table));
        for index in table.indexes {
            let place = self::place(table, index.columns);
            let columns = index.columns.join(", ");
            let _ = writeln!(text, "| – `{}` | {columns} | {place} | {partitions} | |", index.name);
        }
    }
    Page { path: "docs/ydb-tables.md", text, chore: "ydb" }
}

fn place(table: &Table, key: &[&str]) -> &'static str {
    let Some(first) = key.first() else { return "" };
    match (table.column(first).kind, *first) {
        (Kind::Uuid, _) => "spread, by a random id",
        (Kind::Bytes, _) => "spread, by a hash",
        (Kind::I64, "shard" | "queue") => "spread over shards",
        (Kind::I64 | Kind::Timestamp, _) => "the end",
        (Kind::Text, "state" | "status") => "the end of each state",
        (Kind::Text, "subject_kind") => "spread, by the id of a subject",
        (Kind::Text, _) => "by name",
        (Kind::Bool | Kind::Json, _) => "few places",
    }
}

fn end(table: &Table) -> &'static str {
    match table.expiry {
        Expiry::Never => "never by themselves",
        Expiry::At { .. } => "TTL of the table, and the sweeper",
        Expiry::InShards { .. } => "the sweeper",
        Expiry::Done { .. } => "by the job that is done with them",
    }
}
