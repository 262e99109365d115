//! The text of a shape, for SQLite and PostgreSQL, which say all of them alike. Made while compiling.

use super::{
    Declared, List, Range, Shape, Table,
    gathered::{Gathered, Text},
};

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
impl Declared {
    /// The text for SQLite and PostgreSQL, with `$1, $2 …` for what it takes.
    pub(crate) const fn text(&self) -> Text {
        let (mut text, table) = (Gathered::new(b' '), self.table);
        match self.shape {
            Shape::Insert => insert(&mut text, table),
            Shape::Upsert => {
                insert(&mut text, table);
                replace(&mut text, table);
            }
            Shape::Find => {
                select_all(&mut text, table);
                by_key(&mut text, table, 1);
            }
            Shape::FindWith { other, by } => find_with(&mut text, table, other, by),
            Shape::Update(columns) => {
                text.write("UPDATE ");
                text.write(table.name);
                text.write(" SET ");
                assignments(&mut text, table, columns, ", ", 1);
                by_key(&mut text, table, columns.len() + 1);
            }
            Shape::Remove => {
                text.write("DELETE FROM ");
                text.write(table.name);
                by_key(&mut text, table, 1);
            }
            Shape::List(list) => self.list(&mut text, &list),
        }
        text
    }

    const fn list(&self, text: &mut Text, list: &List) {
        let (table, order) = (self.table, list.order(self.table));
        if list.narrow {
            text.write("SELECT ");
            names(text, order, "");
            text.write(" FROM ");
            text.write(table.name);
        } else {
            select_all(text, table);
        }
        let (equal, rest) = order.split_at(list.equal);
        let mut next = list.equal + 1;
        if list.equal > 0 || !matches!(list.range, Range::Whole) {
            text.write(" WHERE ");
            assignments(text, table, equal, " AND ", 1);
        }
        if list.equal > 0 && !matches!(list.range, Range::Whole) {
            text.write(" AND ");
        }
        match list.range {
            Range::Whole => {}
            Range::Behind => {
                text.write("(");
                names(text, rest, "");
                text.write(if list.descending { ") < (" } else { ") > (" });
                placeholders(text, next, rest.len());
                text.write(")");
                next += rest.len();
            }
            Range::From | Range::UpTo => {
                text.write(rest[0]);
                text.write(if matches!(list.range, Range::From) { " >= $" } else { " <= $" });
                text.write_number(next);
                next += 1;
            }
        }
        text.write(" ORDER BY ");
        names(text, order, if list.descending { " DESC" } else { "" });
        if list.limited {
            text.write(" LIMIT $");
            text.write_number(next);
        }
    }
}

const fn select_all(text: &mut Text, table: &Table) {
    text.write("SELECT ");
    all_names(text, table);
    text.write(" FROM ");
    text.write(table.name);
}

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
const fn find_with(text: &mut Text, table: &Table, other: &Table, by: &str) {
    text.write("SELECT ");
    qualified_names(text, table);
    text.write(", ");
    qualified_names(text, other);
    text.write(" FROM ");
    text.write(table.name);
    text.write(" JOIN ");
    text.write(other.name);
    text.write(" ON ");
    qualified(text, other, other.key[0]);
    text.write(" = ");
    qualified(text, table, by);
    text.write(" WHERE ");
    qualified(text, table, table.key[0]);
    text.write(" = $1");
}

const fn qualified_names(text: &mut Text, table: &Table) {
    let (mut columns, mut first) = (table.columns, true);
    while let [column, rest @ ..] = columns {
        text.write(if first { "" } else { ", " });
        qualified(text, table, column.name);
        first = false;
        columns = rest;
    }
}

const fn qualified(text: &mut Text, table: &Table, column: &str) {
    text.write(table.name);
    text.write(".");
    text.write(table.column(column).name);
}

const fn insert(text: &mut Text, table: &Table) {
    text.write("INSERT INTO ");
    text.write(table.name);
    text.write(" (");
    all_names(text, table);
    text.write(") VALUES (");
    placeholders(text, 1, table.columns.len());
    text.write(")");
}

const fn replace(text: &mut Text, table: &Table) {
    text.write(" ON CONFLICT (");
    names(text, table.key, "");
    text.write(") DO UPDATE SET ");
    let (mut columns, mut first) = (table.columns, true);
    while let [column, rest @ ..] = columns {
        if !table.in_key(column.name) {
            text.write(if first { "" } else { ", " });
            text.write(column.name);
            text.write(" = excluded.");
            text.write(column.name);
            first = false;
        }
        columns = rest;
    }
}

const fn by_key(text: &mut Text, table: &Table, first: usize) {
    text.write(" WHERE ");
    assignments(text, table, table.key, " AND ", first);
}

/// `a = $1, b = $2`.
const fn assignments(text: &mut Text, table: &Table, columns: &[&str], between: &str, first: usize) {
    let (mut columns, mut number) = (columns, first);
    while let [name, rest @ ..] = columns {
        text.write(if number == first { "" } else { between });
        text.write(table.column(name).name);
        text.write(" = $");
        text.write_number(number);
        number += 1;
        columns = rest;
    }
}

const fn placeholders(text: &mut Text, first: usize, count: usize) {
    let mut number = first;
    while number < first + count {
        text.write(if number == first { "$" } else { ", $" });
        text.write_number(number);
        number += 1;
    }
}

const fn all_names(text: &mut Text, table: &Table) {
    let (mut columns, mut first) = (table.columns, true);
    while let [column, rest @ ..] = columns {
        text.write(if first { "" } else { ", " });
        text.write(column.name);
        first = false;
        columns = rest;
    }
}

const fn names(text: &mut Text, names: &[&str], behind_each: &str) {
    let (mut names, mut first) = (names, true);
    while let [name, rest @ ..] = names {
        text.write(if first { "" } else { ", " });
        text.write(name);
        text.write(behind_each);
        first = false;
        names = rest;
    }
}
