//! One statement in YQL, alone or for many rows at once. A declared statement is said from its shape: an index is named
//! with `VIEW`, what it takes has a type, a limit is unsigned. Tests of engines have statements by their text, in words that
//! both languages share.

use userd_storage::{
    Statement,
    tables::{Along, Column, Declared, List, Parameter, Range, Shape, Table},
};

use super::{
    Type,
    spread::{self, BUCKET, BUCKETS},
};

/// A statement as it is sent, without its declarations: a list over buckets is several, with a semicolon between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The text, without a semicolon at the end.
    pub text: String,
    /// What it takes: names with `$`, and types.
    pub takes: Vec<(String, Type)>,
}

/// The parameter with this number; `prefix` tells the statements of one text apart.
fn parameter(prefix: &str, number: usize) -> String {
    format!("${prefix}p{number}")
}

/// A statement for one row or key.
#[must_use]
pub fn one(statement: &Statement, prefix: &str) -> Said {
    match statement.declared {
        Some(declared) => Said { text: text(&declared, prefix), takes: takes(&declared, prefix) },
        None => by_text(statement, prefix),
    }
}

/// A write of many rows, or a read of many keys, in one statement; `None` where the shape has none.
#[must_use]
pub fn many(statement: &Statement, prefix: &str) -> Option<Said> {
    let declared = statement.declared?;
    let (table, name) = (declared.table, declared.table.name);
    let rows = format!("${prefix}rows");
    let (text, of) = match (declared.shape, table.key) {
        (Shape::Insert, _) => (format!("INSERT INTO {name} SELECT * FROM AS_TABLE({rows})"), rows_of(&declared)),
        (Shape::Upsert, _) => (format!("UPSERT INTO {name} SELECT * FROM AS_TABLE({rows})"), rows_of(&declared)),
        (Shape::Update(_), _) => (format!("UPDATE {name} ON SELECT * FROM AS_TABLE({rows})"), rows_of(&declared)),
        (Shape::Remove, _) => (format!("DELETE FROM {name} ON SELECT * FROM AS_TABLE({rows})"), rows_of(&declared)),
        (Shape::Find, [key]) => {
            let read = select(&names(table), table, None);
            (format!("{read} WHERE {key} IN {rows}"), Type::Keys(table.column(key).kind))
        }
        _ => return None,
    };
    Some(Said { text, takes: vec![(rows, of)] })
}

/// The names of the columns that come back, in the statement's order. YDB may order them otherwise.
#[must_use]
pub fn columns(statement: &Statement) -> Vec<String> {
    let Some(declared) = statement.declared else {
        let listed = statement.sql.trim_start().strip_prefix("SELECT ").and_then(|rest| rest.split(" FROM ").next());
        return listed.unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect();
    };
    let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    match declared.shape {
        Shape::List(list) if list.narrow => own(list.order(declared.table).to_vec()),
        Shape::Find | Shape::List(_) => own(names(declared.table)),
        Shape::FindWith { other, .. } => {
            let prefixed = |prefix, table| names(table).into_iter().map(move |name| format!("{prefix}_{name}"));
            prefixed("t", declared.table).chain(prefixed("o", other)).collect()
        }
        Shape::Insert | Shape::Upsert | Shape::Update(_) | Shape::Remove => Vec::new(),
    }
}

/// The list that a statement reads bucket by bucket, with as many result sets.
#[must_use]
pub fn over_buckets(statement: &Statement) -> Option<(&'static Table, List)> {
    match statement.declared {
        Some(Declared { table, shape: Shape::List(list) }) => {
            spread::is_over_buckets(table, &list).then_some((table, list))
        }
        _ => None,
    }
}

/// The columns that a write sends: those that it takes, and the row's bucket behind them.
#[must_use]
pub fn sent(declared: &Declared) -> Vec<Column> {
    let mut columns = written(declared);
    columns.extend(spread::column_of(declared));
    columns
}

/// The columns that a write takes, in the order of its parameters.
#[must_use]
pub fn written(declared: &Declared) -> Vec<Column> {
    declared
        .takes()
        .into_iter()
        .filter_map(|parameter| match parameter {
            Parameter::Column(column) => Some(column),
            Parameter::Limit => None,
        })
        .collect()
}

const fn type_of(column: Column) -> Type {
    if column.nullable { Type::OrNull(column.kind) } else { Type::Of(column.kind) }
}

fn rows_of(declared: &Declared) -> Type {
    let mut columns: Vec<_> = sent(declared).into_iter().map(|column| (column.name, type_of(column))).collect();
    columns.sort_unstable_by_key(|(name, _)| *name);
    Type::Rows(columns)
}

fn takes(declared: &Declared, prefix: &str) -> Vec<(String, Type)> {
    let of = |taken| match taken {
        Parameter::Column(column) => type_of(column),
        Parameter::Limit => Type::Limit,
    };
    let bucket = spread::column_of(declared).map(type_of);
    let types = declared.takes().into_iter().map(of).chain(bucket);
    types.zip(1..).map(|(of, number)| (parameter(prefix, number), of)).collect()
}

fn text(declared: &Declared, prefix: &str) -> String {
    let (table, name) = (declared.table, declared.table.name);
    let values = |count| (1..=count).map(|number| parameter(prefix, number)).collect::<Vec<_>>().join(", ");
    let row = || {
        let columns: Vec<&str> = sent(declared).iter().map(|column| column.name).collect();
        format!("{name} ({}) VALUES ({})", columns.join(", "), values(columns.len()))
    };
    match declared.shape {
        Shape::Insert => format!("INSERT INTO {}", row()),
        Shape::Upsert => format!("UPSERT INTO {}", row()),
        Shape::Find => format!("{} WHERE {}", select(&names(table), table, None), equal(table.key, prefix, 1, " AND ")),
        Shape::FindWith { other, by } => find_with(table, other, by, prefix),
        Shape::Update(columns) => {
            let set = equal(columns, prefix, 1, ", ");
            format!("UPDATE {name} SET {set} WHERE {}", equal(table.key, prefix, columns.len() + 1, " AND "))
        }
        Shape::Remove => format!("DELETE FROM {name} WHERE {}", equal(table.key, prefix, 1, " AND ")),
        Shape::List(list) if spread::is_over_buckets(table, &list) => {
            let of = |bucket| self::list(table, &list, prefix, Some(bucket));
            (0..BUCKETS).map(of).collect::<Vec<_>>().join(";\n")
        }
        Shape::List(list) => self::list(table, &list, prefix, None),
    }
}

/// A list, or what one bucket has of it. What is ordered by must be among what is read.
fn list(table: &Table, list: &List, prefix: &str, bucket: Option<i64>) -> String {
    let order = list.order(table);
    let mut read = if list.narrow { order.to_vec() } else { names(table) };
    read.extend(bucket.map(|_| BUCKET.name));
    let index = match list.along {
        Along::Key => None,
        Along::Index(name) => Some(name),
    };
    let (fixed, rest) = order.split_at(list.equal.min(order.len()));
    let mut conditions: Vec<String> = bucket.map(|bucket| format!("{} = {bucket}l", BUCKET.name)).into_iter().collect();
    if !fixed.is_empty() {
        conditions.push(equal(fixed, prefix, 1, " AND "));
    }
    let mut next = fixed.len() + 1;
    let sign = if list.descending { "<" } else { ">" };
    match (list.range, rest) {
        (Range::Whole, _) | (_, []) => {}
        (Range::Behind, rest) => {
            let bounds: Vec<String> = (next..).take(rest.len()).map(|number| parameter(prefix, number)).collect();
            next += rest.len();
            conditions.push(match rest {
                [column] => format!("{column} {sign} {}", bounds.join("")),
                columns => format!("({}) {sign} ({})", columns.join(", "), bounds.join(", ")),
            });
        }
        (Range::From | Range::UpTo, [column, ..]) => {
            let sign = if list.range == Range::From { ">=" } else { "<=" };
            conditions.push(format!("{column} {sign} {}", parameter(prefix, next)));
            next += 1;
        }
    }
    let mut text = select(&read, table, index);
    if !conditions.is_empty() {
        text.push_str(" WHERE ");
        text.push_str(&conditions.join(" AND "));
    }
    let direction = if list.descending { " DESC" } else { "" };
    let order = bucket.map(|_| BUCKET.name).into_iter().chain(order.iter().copied());
    let ordered: Vec<String> = order.map(|column| format!("{column}{direction}")).collect();
    text.push_str(" ORDER BY ");
    text.push_str(&ordered.join(", "));
    if list.limited {
        text.push_str(" LIMIT ");
        text.push_str(&parameter(prefix, next));
    }
    text
}

fn find_with(table: &Table, other: &Table, by: &str, prefix: &str) -> String {
    let read = |short: &str, of: &Table| {
        names(of).into_iter().map(|name| format!("{short}.{name} AS {short}_{name}")).collect::<Vec<_>>().join(", ")
    };
    let (own, behind) = (read("t", table), read("o", other));
    let on = format!("o.{} = t.{by}", other.key.join(""));
    let key: Vec<String> =
        table.key.iter().zip(1..).map(|(name, number)| format!("t.{name} = {}", parameter(prefix, number))).collect();
    let (table, other, key) = (table.name, other.name, key.join(" AND "));
    format!("SELECT {own}, {behind} FROM {table} AS t JOIN {other} AS o ON {on} WHERE {key}")
}

fn select(columns: &[&str], table: &Table, index: Option<&str>) -> String {
    let view = index.map(|name| format!(" VIEW {name}")).unwrap_or_default();
    format!("SELECT {} FROM {}{view}", columns.join(", "), table.name)
}

fn names(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.name).collect()
}

/// `a = $p1, b = $p2`.
fn equal(columns: &[&str], prefix: &str, first: usize, between: &str) -> String {
    let each: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|(column, number)| format!("{column} = {}", parameter(prefix, number)))
        .collect();
    each.join(between)
}

/// A statement that has only a text: `$1` becomes `$p1`, and what stands behind LIMIT is unsigned.
fn by_text(statement: &Statement, prefix: &str) -> Said {
    let mut text = statement.sql.to_owned();
    let mut takes = Vec::new();
    // From the last on: `$1` is how `$10` begins.
    for (number, kind) in (1..).zip(statement.parameters).collect::<Vec<_>>().into_iter().rev() {
        let (old, new) = (format!("${number}"), parameter(prefix, number));
        let of = if text.contains(&format!("LIMIT {old}")) { Type::Limit } else { Type::Of(*kind) };
        text = text.replace(&old, &new);
        takes.push((new, of));
    }
    takes.reverse();
    Said { text, takes }
}
