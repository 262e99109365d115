//! The schema of today in YQL, and every statement, to be read and compared: databases are made by the steps.

use std::fmt::Write as _;

use userd_storage::{
    Statement,
    engine::Dialect,
    repositories,
    tables::{
        TABLES,
        schema::{create_index, create_table},
    },
};

use super::{options, statement, steps};

pub use options::is_hot;

/// The whole schema.
///
/// # Errors
/// A table that cannot be said in YQL.
pub fn schema() -> Result<String, String> {
    let mut text = String::new();
    for table in TABLES {
        let mut sql = create_table(table, Dialect::Ydb);
        sql.extend(table.indexes.iter().map(|index| create_index(table, index, Dialect::Ydb)));
        for step in steps::steps(&sql)? {
            let _ = writeln!(text, "{};", step.text);
        }
    }
    Ok(text)
}

/// Every statement of every repository as it is sent alone, and over a list where it has such a form.
#[must_use]
pub fn statements() -> String {
    let mut text = String::new();
    for statement in repositories::statements() {
        write(&mut text, statement, "", &statement::one(statement, ""));
        if let Some(many) = statement::many(statement, "") {
            write(&mut text, statement, " (many)", &many);
        }
    }
    text
}

fn write(text: &mut String, statement: &Statement, form: &str, said: &statement::Said) {
    let _ = writeln!(text, "-- {}{form}", statement.name);
    for (name, of) in &said.takes {
        let _ = writeln!(text, "DECLARE {name} AS {of};");
    }
    let _ = writeln!(text, "{};\n", said.text);
}
