//! The tables of docs/security/rules.md held against the code: what they name is there, and nothing is left out. Deliberately
//! absent: whether the tests that they name are right.

use std::collections::BTreeSet;

use crate::source::{all_rust, none, tree};

const PAGE: &str = "docs/security/rules.md";

/// The cells of the table of a section, without its head.
pub(crate) fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let page = tree().read(page).unwrap();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    rows.skip(1).map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in back-quotes.
pub(crate) fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn first_cells(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().flat_map(|row| quoted(&row[0])).collect()
}

/// The members of a structure; where some of it can be seen from outside, those.
fn members(path: &str, head: &str) -> BTreeSet<String> {
    let text = tree().read(path).unwrap();
    let (_, rest) = text.split_once(head).unwrap();
    let lines: Vec<_> = rest.split("\n}").next().unwrap().lines().map(str::trim).collect();
    let shown = lines.iter().any(|line| line.starts_with("pub "));
    let name = |line: &&str| {
        let line = if shown { line.strip_prefix("pub ")? } else { *line };
        (!line.starts_with(['#', '/'])).then(|| line.split_once(": ").map(|(name, _)| name.to_owned()))?
    };
    let found: BTreeSet<_> = lines.iter().filter_map(name).collect();
    assert!(!found.is_empty(), "{path}: {head} has no members any more");
    found
}

/// Every name of a test in the last column is the name of one.
fn shown_by_tests(heading: &str) -> Vec<Vec<String>> {
    let rows = table(PAGE, heading);
    assert!(rows.len() > 5, "{heading}: the table is no longer read");
    let code = all_rust();
    let mut wrong = Vec::new();
    for row in &rows {
        let tests = quoted(row.last().unwrap());
        if tests.is_empty() && !row[1].starts_with("nothing") {
            wrong.push(format!("{}: no test", row[0]));
        }
        let is_one = |name: &&String| code.iter().any(|source| source.text.contains(&format!("fn {name}(")));
        wrong.extend(tests.iter().filter(|name| !is_one(name)).map(|name| format!("{}: {name}", row[0])));
    }
    none(&format!("{PAGE}, {heading}: named as a test, and none"), wrong);
    rows
}

/// ASVS V8.1.2
#[test]
fn who_changes_a_member_of_an_account_is_told_of_each() {
    let rows = table(PAGE, "Who changes what of an account");
    assert_eq!(first_cells(&rows), members("crates/http/src/routes/bodies.rs", "struct UserBody {"));
    let profile = members("crates/http/src/routes/profile.rs", "struct Profile {");
    for (column, route) in [(1, "`PATCH /v1/me`"), (2, "`PATCH /v1/users/{id}`")] {
        let told = rows.iter().filter(|row| row[column].contains(route)).flat_map(|row| quoted(&row[0]));
        assert_eq!(told.collect::<BTreeSet<_>>(), profile, "{route}");
    }
}

/// ASVS V8.1.3, V8.1.4
#[test]
fn each_part_of_the_context_has_what_it_decides_and_a_test() {
    let rows = shown_by_tests("What decides beside rights");
    let parts = ["pub struct Context {", "pub struct RequestOrigin {"];
    let parts: BTreeSet<_> = parts.iter().flat_map(|head| members("crates/services/src/context.rs", head)).collect();
    assert_eq!(first_cells(&rows), parts);
}

/// ASVS V2.1.2
#[test]
fn each_rule_about_several_fields_has_a_test() {
    shown_by_tests("Fields that must fit together");
}

/// ASVS V3.1.1, V3.7.5
#[test]
fn each_feature_of_browsers_has_what_happens_without_it_and_a_test() {
    let rows = shown_by_tests("What browsers are relied on for");
    assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| !cell.is_empty())), "{rows:?}");
    let told = first_cells(&rows);
    let headers = tree().read("crates/web/src/security_headers.rs").unwrap();
    let always = headers.split("const ALWAYS").nth(1).unwrap().split("];").next().unwrap();
    let names = always.lines().filter_map(|line| {
        let name = line.trim().strip_prefix('(')?.split_once(", ")?.0;
        let constant = name.strip_prefix("header::").map(|name| name.to_lowercase().replace('_', "-"));
        constant.or_else(|| name.split('"').nth(1).map(str::to_owned))
    });
    let mut names: BTreeSet<_> = names.collect();
    assert!(names.len() > 5, "the headers are no longer found: {names:?}");
    names.insert("strict-transport-security".to_owned());
    none("a header that browsers are relied on for", names.difference(&told).cloned().collect());
}

/// ASVS V14.1.2
#[test]
fn each_table_is_of_one_class_of_data() {
    let rows = table(PAGE, "Classes of data");
    assert!(rows.len() > 3 && rows.iter().all(|row| row.len() == 5 && row.iter().all(|cell| !cell.is_empty())));
    let mut told: Vec<_> = rows.iter().flat_map(|row| quoted(&row[1])).collect();
    told.sort();
    // One row for each table of the declarations, which a test of the storage room writes.
    let page = tree().read("docs/data-retention.md").unwrap();
    let mut tables: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    tables.sort();
    assert!(tables.len() > 40, "the tables are no longer found");
    assert_eq!(told, tables);
}
