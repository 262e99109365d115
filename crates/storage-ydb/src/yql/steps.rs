//! Schema steps in YQL. A step is written once for PostgreSQL, in the few forms that steps may have; here each is said
//! in YQL. DDL of YDB knows no transaction, so each text is safe to repeat, those that YDB does not make so behind a
//! look at what is there ([`Unless`]).

use userd_storage::tables::TABLES;

use super::{
    options,
    spread::{self, BUCKET},
    word,
};

/// One text, and when it need not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is run.
    pub text: String,
    /// What makes it superfluous.
    pub unless: Option<Unless>,
}

/// What is looked for first: `ALTER TABLE` knows no `IF NOT EXISTS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unless {
    /// The table has the column.
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The table has the index. One that is still built is waited for.
    Index {
        /// The table.
        table: String,
        /// The index.
        index: String,
    },
}

/// Tables of the releases before this engine: renamed long ago. No database on YDB ever had them.
const GONE: [&str; 2] = ["secrets", "single_use"];

/// The types of PostgreSQL that steps use.
const TYPES: [(&str, &str); 8] = [
    ("TEXT COLLATE \"C\"", "Utf8"),
    ("TEXT", "Utf8"),
    ("BYTEA", "String"),
    ("BIGINT", "Int64"),
    ("BOOLEAN", "Bool"),
    ("TIMESTAMPTZ", "Timestamp"),
    ("UUID", "String"),
    ("JSONB", "Json"),
];

/// A step, or a schema of several, each on a line that ends with a semicolon.
///
/// # Errors
/// The form that is not known.
pub fn steps(sql: &str) -> Result<Vec<Step>, String> {
    let mut all = Vec::new();
    for sql in sql.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
        all.extend(step(sql)?);
    }
    Ok(all)
}

fn step(sql: &str) -> Result<Vec<Step>, String> {
    let unknown = || format!("no form of a schema step that YDB is told: {}", sql.lines().next().unwrap_or_default());
    if let Some(rest) = sql.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
        return create_table(rest).ok_or_else(unknown);
    }
    if let Some(rest) = sql.strip_prefix("CREATE INDEX IF NOT EXISTS ") {
        return create_index(rest).ok_or_else(unknown);
    }
    if let Some(rest) = sql.strip_prefix("ALTER TABLE ") {
        return add_column(rest).ok_or_else(unknown);
    }
    if let Some(table) = sql.strip_prefix("DROP TABLE IF EXISTS ") {
        return Ok(unless_gone(table, || Step { text: format!("DROP TABLE IF EXISTS {table}"), unless: None }));
    }
    if let Some(table) = sql.strip_prefix("DROP TABLE ") {
        return Ok(vec![Step { text: format!("DROP TABLE {table}"), unless: None }]);
    }
    if sql.starts_with("INSERT INTO ") && GONE.iter().any(|gone| sql.contains(&format!("FROM {gone}"))) {
        return Ok(Vec::new());
    }
    Err(unknown())
}

fn unless_gone(table: &str, step: impl FnOnce() -> Step) -> Vec<Step> {
    if GONE.contains(&table) { Vec::new() } else { vec![step()] }
}

fn create_table(rest: &str) -> Option<Vec<Step>> {
    let (name, body) = rest.split_once(" (")?;
    let mut lines = Vec::new();
    for item in items(body.trim_end().strip_suffix(')')?) {
        if item.starts_with("PRIMARY KEY") {
            lines.push(item.to_owned());
        } else if let Some(first) = item.strip_suffix(" PRIMARY KEY") {
            lines.push(column(first)?);
            lines.push(format!("PRIMARY KEY ({})", first.split(' ').next()?));
        } else {
            lines.push(column(item)?);
        }
    }
    let declared = TABLES.iter().find(|table| table.name == name).copied();
    if declared.is_some_and(spread::has_bucket) {
        lines.insert(lines.len().saturating_sub(1), format!("{} {} NOT NULL", BUCKET.name, word(BUCKET.kind)));
    }
    let (lines, options) = (lines.join(",\n    "), options::of_table(name, declared));
    let text = format!("CREATE TABLE IF NOT EXISTS {name} (\n    {lines}\n)\nWITH ({options})");
    Some(unless_gone(name, || Step { text, unless: None }))
}

/// The items of a list, split at commas that are in no parentheses.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut all) = (0_i32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                all.extend(list.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    all.extend(list.get(start..));
    all.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn column(item: &str) -> Option<String> {
    let (name, rest) = item.split_once(' ')?;
    let (of, null) = rest.strip_suffix(" NOT NULL").map_or((rest, ""), |of| (of, " NOT NULL"));
    let (_, yql) = TYPES.iter().find(|(word, _)| *word == of.trim())?;
    Some(format!("{name} {yql}{null}"))
}

/// The primary key at the end of an index is what YDB appends by itself.
fn create_index(rest: &str) -> Option<Vec<Step>> {
    let (index, rest) = rest.split_once(" ON ")?;
    let (table, columns) = rest.split_once(" (")?;
    let columns = columns.strip_suffix(')')?;
    let columns: Vec<&str> = columns.split(", ").map(|column| column.trim_end_matches(" ASC")).collect();
    if GONE.contains(&table) {
        return Some(Vec::new());
    }
    let declared = TABLES.iter().find(|declared| declared.name == table)?;
    let bucket = spread::is_spread(declared, &columns).then_some(BUCKET.name);
    let columns = columns.strip_suffix(declared.key).unwrap_or(&columns).iter().copied();
    let columns = bucket.into_iter().chain(columns).collect::<Vec<_>>().join(", ");
    let unless = Unless::Index { table: table.to_owned(), index: index.to_owned() };
    let add = format!("ALTER TABLE {table} ADD INDEX {index} GLOBAL SYNC ON ({columns})");
    let set = format!("ALTER TABLE {table} ALTER INDEX {index} SET ({})", options::of_index(table));
    Some(vec![Step { text: add, unless: Some(unless) }, Step { text: set, unless: None }])
}

fn add_column(rest: &str) -> Option<Vec<Step>> {
    let (table, item) = rest.split_once(" ADD COLUMN IF NOT EXISTS ")?;
    let column = column(item)?;
    let name = column.split(' ').next()?.to_owned();
    let text = format!("ALTER TABLE {table} ADD COLUMN {column}");
    Some(vec![Step { text, unless: Some(Unless::Column { table: table.to_owned(), column: name }) }])
}
