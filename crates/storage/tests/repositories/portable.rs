//! The portable subset: what a statement may do so that every engine, the
//! distributed ones included, answers it the same and from an index.

use std::collections::BTreeSet;

use userd_storage::{Kind, repositories::statements, tables::TABLES};

use crate::{
    schema::{SCHEMA, Table},
    sql::{Condition, Parsed, Sql, Upsert, parse, tokens},
};

/// Words that name what is refused, for a clear message; the grammar refuses the rest.
const REFUSED: &[&str] = &[
    "OFFSET",
    "RETURNING",
    "JOIN",
    "LIKE",
    "ILIKE",
    "COLLATE",
    "DISTINCT",
    "FOR",
    "SKIP",
    "LOCKED",
    "OR",
    "NOT",
    "IN",
    "ANY",
    "EXISTS",
    "UNION",
    "WITH",
    "GROUP",
    "HAVING",
    "CASE",
    "NULLS",
    "NOTHING",
    "RANDOM",
    "NOW",
    "COALESCE",
    "CURRENT_TIMESTAMP",
    "CAST",
    "::",
    "||",
    ";",
];

/// Tables that stay small enough to be read wholly, without a limit.
const SMALL: &[&str] =
    &["event_heads", "schema_migrations", "signing_keys", "stream_keys", "streams", "system_secrets", "webhooks"];

/// Whether a statement stays in the subset, and is declared as what it is.
pub(crate) fn check(name: &str, sql: &str, parameters: &[Kind], columns: &[Kind]) -> Parsed<()> {
    for token in tokens(sql) {
        if REFUSED.iter().any(|word| token.eq_ignore_ascii_case(word)) {
            return match token.as_str() {
                "JOIN" => check_join(name, sql, parameters, columns),
                _ => Err(format!("{token} is not portable")),
            };
        }
    }
    let parsed = parse(sql)?;
    let (table_name, verb) = name.split_once('.').ok_or("is not named table.verb")?;
    let (named, used) = (table_of(&parsed), placeholders(&parsed)?);
    if named != table_name {
        return Err(format!("is about {named}"));
    }
    if !used.iter().map(|(number, _)| *number).eq(1..=parameters.len()) {
        return Err("placeholders are not $1, $2 … once each".into());
    }
    for ((number, kind), declared) in used.iter().zip(parameters) {
        if kind != declared {
            return Err(format!("${number} is declared {declared:?}, its column is {kind:?}"));
        }
    }
    let table = SCHEMA.tables.get(named).ok_or("no such table")?;
    match &parsed {
        Sql::Select { columns: selected, conditions, order, limit, .. } => {
            for (column, kind) in zip_exactly(selected, columns)? {
                if column_kind(table, column)? != *kind {
                    return Err(format!("{column} is declared {kind:?}"));
                }
            }
            check_select(named, table, selected, conditions, order, limit.is_some())
        }
        _ if !columns.is_empty() => Err("a write answers nothing".into()),
        Sql::Insert { columns, values, upsert, .. } => {
            zip_exactly(columns, values).map(drop)?;
            check_insert(verb, table, columns, upsert.as_ref())
        }
        Sql::Update { set, conditions, .. } => {
            if let Some((column, _)) = set.iter().find(|(column, _)| table.key.contains(column)) {
                return Err(format!("changes the key column {column}"));
            }
            check_key(table, conditions)
        }
        Sql::Delete { conditions, .. } => check_key(table, conditions),
    }
}

fn zip_exactly<'a, A, B>(a: &'a [A], b: &'a [B]) -> Parsed<impl Iterator<Item = (&'a A, &'a B)>> {
    if a.len() == b.len() { Ok(a.iter().zip(b)) } else { Err(format!("{} columns, {} declared", a.len(), b.len())) }
}

fn table_of(sql: &Sql) -> &str {
    match sql {
        Sql::Select { table, .. }
        | Sql::Insert { table, .. }
        | Sql::Update { table, .. }
        | Sql::Delete { table, .. } => table,
    }
}

/// Every placeholder in order of its number, with the kind of the column it meets.
fn placeholders(sql: &Sql) -> Parsed<Vec<(usize, Kind)>> {
    let table = SCHEMA.tables.get(table_of(sql)).ok_or("no such table")?;
    let mut met: Vec<(&str, usize)> = Vec::new();
    let conditions = match sql {
        Sql::Select { conditions, .. } | Sql::Update { conditions, .. } | Sql::Delete { conditions, .. } => {
            conditions.as_slice()
        }
        Sql::Insert { .. } => &[],
    };
    match sql {
        Sql::Insert { columns, values, .. } => {
            met.extend(columns.iter().map(String::as_str).zip(values.iter().copied()))
        }
        Sql::Update { set, .. } => met.extend(set.iter().map(|(column, number)| (column.as_str(), *number))),
        Sql::Select { .. } | Sql::Delete { .. } => {}
    }
    for condition in conditions {
        met.extend(condition.columns.iter().map(String::as_str).zip(condition.placeholders.iter().copied()));
    }
    let mut used = Vec::new();
    for (column, number) in met {
        used.push((number, column_kind(table, column)?));
    }
    if let Sql::Select { limit: Some(number), .. } = sql {
        used.push((*number, Kind::I64));
    }
    used.sort_by_key(|(number, _)| *number);
    Ok(used)
}

fn column_kind(table: &Table, column: &str) -> Parsed<Kind> {
    table.column(column).map(super::schema::Column::kind).ok_or(format!("no column {column}"))
}

/// By the whole primary key, or along one declared index (or the key) in its order, in one direction, with a limit.
fn check_select(
    name: &str,
    table: &Table,
    selected: &[String],
    conditions: &[Condition],
    order: &[(String, bool)],
    limited: bool,
) -> Parsed<()> {
    let equal: Vec<&String> = conditions.iter().filter(|c| c.sign == "=").flat_map(|c| &c.columns).collect();
    let ranges: Vec<&Condition> = conditions.iter().filter(|c| c.sign != "=").collect();
    if ranges.is_empty() && equal.iter().copied().eq(&table.key) {
        return if order.is_empty() && !limited { Ok(()) } else { Err("one row needs no order and no limit".into()) };
    }
    if ranges.len() > 1 || conditions.iter().rev().skip(1).any(|c| c.sign != "=") {
        return Err("at most one range, and last".into());
    }
    let mut path: Vec<&String> = equal;
    path.extend(ranges.iter().flat_map(|range| &range.columns));
    let ordered: Vec<&str> = order.iter().map(|(column, _)| column.as_str()).collect();
    let declared = TABLES.iter().find(|table| table.name == name).ok_or("is not declared")?;
    let indexes = declared.indexes.iter().map(|index| index.columns);
    if !indexes.chain([declared.key]).any(|columns| columns == ordered) {
        return Err(format!("no index gives the order {ordered:?}"));
    }
    if !path.iter().enumerate().all(|(at, column)| ordered.get(at) == Some(&column.as_str())) {
        return Err(format!("WHERE is not a prefix of the index {ordered:?}"));
    }
    let descending = order.iter().filter(|(_, descending)| *descending).count();
    if descending != 0 && descending != order.len() {
        return Err("mixed directions".into());
    }
    if let Some(range) = ranges.first().filter(|range| range.row) {
        let reaches_the_end = path.len() == ordered.len();
        if !reaches_the_end || range.sign != if descending == 0 { ">" } else { "<" } {
            return Err("a page must go on behind its last row".into());
        }
    }
    if let Some(column) = ordered.iter().find(|column| !selected.iter().any(|name| name == *column)) {
        return Err(format!("orders by {column}, which is not selected"));
    }
    if limited || SMALL.contains(&name) { Ok(()) } else { Err("has no limit".into()) }
}

/// Every column that must have a value gets one; an upsert replaces the whole row, as UPSERT does.
fn check_insert(verb: &str, table: &Table, columns: &[String], upsert: Option<&Upsert>) -> Parsed<()> {
    let given: BTreeSet<&String> = columns.iter().collect();
    if given.len() != columns.len() {
        return Err("names a column twice".into());
    }
    if let Some(column) = table.columns.iter().find(|column| !column.nullable && !given.contains(&column.name)) {
        return Err(format!("leaves {} out", column.name));
    }
    let Some(upsert) = upsert else {
        return if verb.starts_with("upsert") { Err("is named upsert and is none".into()) } else { Ok(()) };
    };
    if !verb.starts_with("upsert") {
        return Err("an upsert must be named so".into());
    }
    if upsert.key != table.key {
        return Err("ON CONFLICT of something else than the key".into());
    }
    let rest = table.columns.iter().map(|column| &column.name).filter(|name| !table.key.contains(name));
    let replaced: BTreeSet<&String> = upsert.set.iter().map(|(column, _)| column).collect();
    if !rest.collect::<BTreeSet<_>>().eq(&replaced) || given.len() != table.columns.len() {
        return Err("an upsert must replace every column".into());
    }
    if upsert.set.iter().any(|(column, from)| column != from) {
        Err("an upsert must not mix columns".into())
    } else {
        Ok(())
    }
}

/// The one join there is: a row by its whole key, and the row whose whole key stands in one of its columns. That is two
/// point reads everywhere; anything more would need a plan.
fn check_join(name: &str, sql: &str, parameters: &[Kind], columns: &[Kind]) -> Parsed<()> {
    let refused = "JOIN is not portable";
    let (selected, rest) = sql.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM ")).ok_or(refused)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [left, "JOIN", right, "ON", right_key, "=", reference, "WHERE", left_key, "=", "$1"] = words[..] else {
        return Err(refused.into());
    };
    let kind = |column: &str| -> Parsed<Kind> {
        let (table, column) =
            column.split_once('.').filter(|(table, _)| [left, right].contains(table)).ok_or(refused)?;
        column_kind(SCHEMA.tables.get(table).ok_or(refused)?, column)
    };
    let is_key = |table: &str, column: &str| {
        SCHEMA
            .tables
            .get(table)
            .is_some_and(|found| found.key.len() == 1 && column == format!("{table}.{}", found.key[0]))
    };
    let by_keys = is_key(left, left_key) && is_key(right, right_key) && reference.starts_with(&format!("{left}."));
    if !by_keys || !name.starts_with(&format!("{left}.")) || kind(reference)? != kind(right_key)? {
        return Err(refused.into());
    }
    let kinds = selected.split(", ").map(|column| kind(column.trim())).collect::<Parsed<Vec<Kind>>>()?;
    if kinds == columns && parameters == [kind(left_key)?] { Ok(()) } else { Err("kinds are declared wrongly".into()) }
}

fn check_key(table: &Table, conditions: &[Condition]) -> Parsed<()> {
    let equal = conditions.iter().filter(|c| c.sign == "=" && !c.row).flat_map(|c| &c.columns);
    if equal.eq(&table.key) && conditions.len() == table.key.len() {
        Ok(())
    } else {
        Err("a write must name the whole primary key and nothing else".into())
    }
}

#[test]
fn every_statement_is_in_the_portable_subset() {
    let mut wrong = Vec::new();
    for statement in statements() {
        if let Err(what) = check(statement.name, statement.sql, statement.parameters, statement.columns) {
            wrong.push(format!("{}: {what}\n    {}", statement.name, statement.sql));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statement_names_are_unique() {
    let names: Vec<&str> = statements().map(|statement| statement.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.len() > 100, "only {} statements are listed", names.len());
}

/// Every table can be read, and no statement of a repository is left out of the list by a forgotten line.
#[test]
fn every_table_has_statements() {
    for table in TABLES {
        let of_table: Vec<_> =
            statements().filter(|statement| statement.name.starts_with(&format!("{}.", table.name))).collect();
        assert!(of_table.iter().any(|statement| statement.is_read()), "{}", table.name);
        assert!(of_table.iter().any(|statement| !statement.is_read()), "{}", table.name);
    }
}
