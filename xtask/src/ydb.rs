//! docs/ydb-tables.md: of each table and index on YDB, where its writes go. From the declarations alone: a row goes where
//! its key's first column says; and from the last long run over the emulator, how evenly.

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

The last two columns are measured over the emulator, in virtual time: registrations, sign-ins, refreshes, notifications and decisions about
requests, 150 of each (`crates/services/tests/services/ydb.rs`, which also holds that nothing else becomes hot). \"Busiest part\" is what
the busiest of four partitions took of the writes, as a multiple of its fair share, in the worst stretch: 1 is even, 4 is one place for all.

| table or index | key | where writes go | first partitions | rows end | rows written | busiest part |
|---|---|---|---|---|---:|---:|
";

/// Name, rows written, share of the busiest part, most writes of one key.
const MEASURED: &str = include_str!("../../crates/storage-ydb/schema/spread.txt");

/// The page.
#[must_use]
pub fn page() -> Page {
    let mut text = HEAD.to_owned();
    for table in TABLES {
        let partitions = if is_hot(table.name) { 4 } else { 1 };
        let place = place(table, table.key);
        let key = table.key.join(", ");
        let (written, share) = measured(table.name);
        let end = end(table);
        let _ = writeln!(text, "| `{}` | {key} | {place} | {partitions} | {end} | {written} | {share} |", table.name);
        for index in table.indexes {
            let place = self::place(table, index.columns);
            let columns = index.columns.join(", ");
            let (written, share) = measured(index.name);
            let _ =
                writeln!(text, "| – `{}` | {columns} | {place} | {partitions} | | {written} | {share} |", index.name);
        }
    }
    Page { path: "docs/ydb-tables.md", text, chore: "ydb" }
}

/// What the last long run found; nothing where it wrote nothing, no share where that was too little to tell.
fn measured(name: &str) -> (&'static str, &'static str) {
    let mut lines = MEASURED.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = lines.find_map(|words| match words.as_slice() {
        [of, written, share, _] if *of == name => Some((*written, *share)),
        _ => None,
    });
    match found {
        Some((written, "-")) => (written, ""),
        Some(found) => found,
        None => ("", ""),
    }
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
