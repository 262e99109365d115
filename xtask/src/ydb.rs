//! docs/ydb-tables.md: of each table and index on YDB, where its writes go. From the declarations alone: a row goes where
//! its key's first column says; and from the last long run over the emulator, how evenly.

use std::fmt::Write as _;

use userd_storage::{
    Kind,
    tables::{Expiry, TABLES, Table},
};
use userd_storage_ydb::yql::{schema::is_hot, spread::is_spread};

use crate::pages::Page;

const HEAD: &str = "# Where writes go on YDB

Written by `cargo xtask ydb` from the declarations of the tables; `cargo xtask check` compares. YDB keeps a table, and each index, in
the order of its key and splits it into partitions: whatever has a first column that only grows is written at one place, and
bound by what one partition takes (one core). \"The end\" marks those. Indexes in the order of time begin with a bucket instead
([decision 0052](decisions/0052-indexes-in-the-order-of-time-over-buckets.md)). docs/ydb.md says what follows for those that are left.

The columns behind are measured over the emulator, in virtual time, by a run of OPERATIONS: registrations, sign-ins, refreshes,
notifications and decisions about requests, as many of each (`crates/services/tests/services/ydb.rs`, which also holds that nothing else
becomes hot). \"Busiest part\" is what the busiest of four partitions took of the writes, or of the stretches locked by reading, as a
multiple of its fair share, in the worst stretch: 1 is even, 4 is one place for all. \"One key\" is how often the one was written
that was written most.

| table or index | key | where writes go | first partitions | rows end | rows written | busiest part | one key | locks | busiest part |
|---|---|---|---|---|---:|---:|---:|---:|---:|
";

/// Name, rows written, share of the busiest part, most writes of one key, locks, share of their busiest part.
const MEASURED: &str = include_str!("../../crates/storage-ydb/schema/spread.txt");

/// The page.
#[must_use]
pub fn page() -> Page {
    let operations = MEASURED.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
    let mut text = HEAD.replace("OPERATIONS", operations);
    for table in TABLES {
        let partitions = if is_hot(table.name) { 4 } else { 1 };
        let (key, place) = (table.key.join(", "), place(table, table.key));
        let (end, measured) = (end(table), measured(table.name));
        let _ = writeln!(text, "| `{}` | {key} | {place} | {partitions} | {end} | {measured} |", table.name);
        for index in table.indexes {
            let (bucket, place) = if is_spread(table, index.columns) {
                ("bucket, ", "spread over buckets")
            } else {
                ("", self::place(table, index.columns))
            };
            let (columns, measured) = (index.columns.join(", "), self::measured(index.name));
            let _ =
                writeln!(text, "| – `{}` | {bucket}{columns} | {place} | {partitions} | | {measured} |", index.name);
        }
    }
    Page { path: "docs/ydb-tables.md", text, chore: "ydb" }
}

/// What the last long run found; nothing where it wrote nothing, no share where that was too little to tell.
fn measured(name: &str) -> String {
    let mut lines = MEASURED.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = lines.find_map(|words| match words.as_slice() {
        [of, written, share, key, locks, locked] if *of == name => Some([*written, *share, *key, *locks, *locked]),
        _ => None,
    });
    found.unwrap_or_default().map(|cell| if cell == "-" { "" } else { cell }).join(" | ")
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
