//! Every statement of every engine with its types, in files that checkers outside of this repository can read: JSON
//! Lines for programs, and the plain texts.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::json;
use userd_storage::{Kind, Statement, engine::Dialect, repositories::statements, tables::schema::column_type};
use userd_storage_ydb::yql::{self, schema, statement};

/// Writes `sqlite.jsonl`, `postgres.jsonl` and `ydb.jsonl`, and `schema.yql` and `statements.yql`, into `folder`.
///
/// # Errors
/// What cannot be said in YQL, or written.
pub fn write(folder: &Path) -> Result<String, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(fault)?;
    let files = [
        ("sqlite.jsonl", lines(|statement| vec![in_sql(statement, Dialect::Sqlite)])),
        ("postgres.jsonl", lines(|statement| vec![in_sql(statement, Dialect::Postgres)])),
        ("ydb.jsonl", lines(in_yql)),
        ("schema.yql", schema::schema()?),
        ("statements.yql", schema::statements()),
    ];
    let mut told = String::new();
    for (name, text) in files {
        let _ = writeln!(told, "{}: {} lines", folder.join(name).display(), text.lines().count());
        fs::write(folder.join(name), text).map_err(fault)?;
    }
    Ok(told.trim_end().to_owned())
}

fn lines(of: impl Fn(&'static Statement) -> Vec<serde_json::Value>) -> String {
    statements().flat_map(of).map(|line| format!("{line}\n")).collect()
}

fn in_sql(statement: &Statement, dialect: Dialect) -> serde_json::Value {
    let types = |kinds: &[Kind]| kinds.iter().map(|kind| column_type(*kind, dialect)).collect::<Vec<_>>();
    let (takes, answers) = (types(statement.parameters), types(statement.columns));
    json!({ "name": statement.name, "text": statement.sql, "parameters": takes, "columns": answers })
}

/// Alone, and over a list where there is such a form.
fn in_yql(statement: &'static Statement) -> Vec<serde_json::Value> {
    let said = |form: &str, said: statement::Said| {
        let takes: serde_json::Map<String, serde_json::Value> =
            said.takes.into_iter().map(|(name, of)| (name, of.to_string().into())).collect();
        let names = statement::columns(statement);
        let columns: Vec<_> =
            names.iter().zip(statement.columns).map(|(name, kind)| json!([name, yql::word(*kind)])).collect();
        json!({
            "name": statement.name, "form": form, "text": said.text, "parameters": takes, "columns": columns,
        })
    };
    let many = statement::many(statement, "").map(|many| said("many", many));
    [said("one", statement::one(statement, ""))].into_iter().chain(many).collect()
}
