//! Generated pages: written by a chore, and held against what would be written now.

use std::fs;

use userd_storage::{engine::Dialect, repositories::statement_texts, tables::schema::schema};

use crate::tree::Tree;

/// A page and what it should say.
#[derive(Debug)]
pub struct Page {
    /// From the root of the repository.
    pub path: &'static str,
    /// The whole text.
    pub text: String,
    /// The chore that writes it.
    pub chore: &'static str,
}

/// The whole schema of each engine, and every statement, as the declarations of the tables make them.
#[must_use]
pub fn of_the_schema() -> [Page; 3] {
    let page = |path, text| Page { path, text, chore: "schema" };
    [
        page("crates/storage/schema/postgres.sql", schema(Dialect::Postgres)),
        page("crates/storage/schema/sqlite.sql", schema(Dialect::Sqlite)),
        page("crates/storage/schema/statements.sql", statement_texts()),
    ]
}

/// Writes every page.
///
/// # Errors
/// The first that cannot be written.
pub fn write(tree: &Tree, pages: &[Page]) -> Result<String, String> {
    for page in pages {
        fs::write(tree.root().join(page.path), &page.text).map_err(|error| format!("{}: {error}", page.path))?;
    }
    Ok(listed("written", pages))
}

/// Compares every page with what it should say.
///
/// # Errors
/// Every page that is missing or old, with the chore that mends it.
pub fn check(tree: &Tree, pages: &[Page]) -> Result<String, String> {
    let old = |page: &&Page| tree.read(page.path).ok().as_deref() != Some(&page.text);
    let advice = |page: &Page| format!("{} is not current: run `cargo xtask {}`", page.path, page.chore);
    let old: Vec<_> = pages.iter().filter(old).map(advice).collect();
    if old.is_empty() { Ok(listed("current", pages)) } else { Err(old.join("\n")) }
}

fn listed(word: &str, pages: &[Page]) -> String {
    pages.iter().map(|page| format!("{}: {word}", page.path)).collect::<Vec<_>>().join("\n")
}
