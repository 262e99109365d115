//! docs/security/{abuse-cases,asvs,properties}.md, docs/reliability.md: each attack, each requirement and each fault to survive
//! beside the tests that show it.
//!
//! The rows are in CSV files beside the pages; the tests name the rows in their doc comments (`tags`); what is not shown
//! has its reason in not-yet.csv. An attack or a fault with neither is an error, and so is a reason that no longer holds.

pub mod properties;
mod tags;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde::Deserialize;

pub use self::tags::Tagged;
use crate::{pages::Page, tree::Tree};

#[derive(Deserialize)]
struct Attack {
    id: String,
    group: String,
    source: String,
    abuse_case: String,
    expected: String,
}

#[derive(Deserialize)]
struct Requirement {
    id: String,
    level: String,
    chapter: String,
    requirement: String,
    applies: String,
    condition: String,
}

#[derive(Deserialize)]
struct Fault {
    id: String,
    fault: String,
    expected: String,
}

#[derive(Deserialize)]
struct NotYet {
    id: String,
    reason: String,
}

type Tests = BTreeMap<String, BTreeSet<Tagged>>;
type Reasons = BTreeMap<String, String>;

/// Both pages, and what does not fit together.
#[derive(Debug)]
pub struct Tables {
    /// As they are to be written.
    pub pages: Vec<Page>,
    /// Rows without test and reason, tags without row, reasons that no longer hold.
    pub wrong: Vec<String>,
}

/// Reads the tables and the tests.
///
/// # Errors
/// A file that cannot be read, or a tag that stands above no test.
pub fn tables(tree: &Tree) -> Result<Tables, String> {
    let attacks: Vec<Attack> = rows(tree, "docs/security/abuse-cases.csv")?;
    let requirements: Vec<Requirement> = rows(tree, "docs/security/asvs.csv")?;
    let faults: Vec<Fault> = rows(tree, "docs/reliability/faults.csv")?;
    let mut reasons: Vec<NotYet> = rows(tree, "docs/security/not-yet.csv")?;
    reasons.extend(rows::<NotYet>(tree, "docs/reliability/not-yet.csv")?);
    let reasons: Reasons = reasons.into_iter().map(|row| (row.id, row.reason)).collect();
    let tests = tests(tree)?;

    let page = |path, text| Page { path, text, chore: "security" };
    Ok(Tables {
        pages: vec![
            page("docs/security/abuse-cases.md", abuse_cases(&attacks, &reasons, &tests)),
            page("docs/security/asvs.md", asvs(&requirements, &reasons, &tests)),
            page("docs/security/properties.md", properties::page(tree, GENERATED)?),
            page(
                "docs/reliability.md",
                reliability(&tree.read("docs/reliability/figures.md")?, &faults, &reasons, &tests),
            ),
        ],
        wrong: wrong(&attacks, &requirements, &faults, &reasons, &tests),
    })
}

fn rows<T: for<'de> Deserialize<'de>>(tree: &Tree, path: &str) -> Result<Vec<T>, String> {
    let text = tree.read(path)?;
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{path}: {error}"))
}

fn tests(tree: &Tree) -> Result<Tests, String> {
    let mut tests = Tests::new();
    for (folders, extension) in [(&["crates", "xtask"][..], "rs"), (&["tests"], "py"), (&["tests"], "mjs")] {
        for source in tree.sources(folders, extension)? {
            for (id, test) in tags::read(&source)? {
                tests.entry(id).or_default().insert(test);
            }
        }
    }
    Ok(tests)
}

/// Everything that does not fit together.
fn wrong(
    attacks: &[Attack],
    requirements: &[Requirement],
    faults: &[Fault],
    reasons: &Reasons,
    tests: &Tests,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for fault in faults.iter().filter(|fault| !tests.contains_key(&fault.id) && !reasons.contains_key(&fault.id)) {
        wrong.push(format!(
            "{} has no test: {}. Tag one with `/// {}: …`, or say in docs/reliability/not-yet.csv why not yet",
            fault.id, fault.fault, fault.id
        ));
    }
    for attack in attacks {
        if !tests.contains_key(&attack.id) && !reasons.contains_key(&attack.id) && !reasons.contains_key(&attack.group)
        {
            wrong.push(format!(
                "{} ({}) has no test: {}. Tag one with `/// {}: …`, or say in docs/security/not-yet.csv why it does not apply yet",
                attack.id, attack.group, attack.abuse_case, attack.id
            ));
        }
    }
    let groups = attacks.iter().map(|attack| attack.group.as_str());
    let ids = attacks.iter().map(|attack| attack.id.as_str()).chain(requirements.iter().map(|row| row.id.as_str()));
    let known: BTreeSet<_> = ids.chain(faults.iter().map(|fault| fault.id.as_str())).collect();
    for (id, shown) in tests.iter().filter(|(id, _)| !known.contains(id.as_str())) {
        let names: Vec<_> = shown.iter().map(|test| format!("{} in {}", test.name, test.path)).collect();
        wrong.push(format!("there is no row {id}, which is named by {}", names.join(", ")));
    }
    let groups: BTreeSet<_> = groups.collect();
    for id in reasons.keys() {
        if tests.contains_key(id) {
            wrong.push(format!("{id} has a test now: remove its line from not-yet.csv"));
        } else if !known.contains(id.as_str()) && !groups.contains(id.as_str()) {
            wrong.push(format!("not-yet.csv: there is no row and no group {id}"));
        }
    }
    wrong
}

const GENERATED: &str = "<!-- Written by `cargo xtask security`; do not edit. -->";

fn abuse_cases(attacks: &[Attack], reasons: &Reasons, tests: &Tests) -> String {
    let shown = attacks.iter().filter(|attack| tests.contains_key(&attack.id)).count();
    let mut page = format!(
        "# Abuse cases\n\n{GENERATED}\n\nHoles that others had, each as an attack on this service and the tests that make it. \
         {shown} of {} are shown by tests; the others say why not.\n",
        attacks.len()
    );
    let groups: BTreeSet<_> = attacks.iter().map(|attack| attack.group.as_str()).collect();
    for group in groups {
        let _ =
            write!(page, "\n## {group}\n\n| id | attack | seen at | expected | shown by |\n|---|---|---|---|---|\n");
        for attack in attacks.iter().filter(|attack| attack.group == group) {
            let reason = reasons.get(&attack.id).or_else(|| reasons.get(group)).map(String::as_str);
            let otherwise = reason.map_or_else(|| "**No test**".to_owned(), |reason| format!("Not yet: {reason}"));
            let proof = proof(tests.get(&attack.id), otherwise);
            let cells = [&attack.id, &attack.abuse_case, &attack.source, &attack.expected].map(|text| cell(text));
            let _ = writeln!(page, "| {} | {proof} |", cells.join(" | "));
        }
    }
    page
}

fn asvs(requirements: &[Requirement], reasons: &Reasons, tests: &Tests) -> String {
    let mut page = format!(
        "# OWASP ASVS 5.0\n\n{GENERATED}\n\nThe requirements, shortened, and the tests that show them. A row without a test is \
         not shown; it is not thereby unmet. `deploy` rows are the operator's, see docs/operations.md.\n\n\
         | chapter | shown | not shown | not built | absent or the operator's |\n|---|---:|---:|---:|---:|\n"
    );
    let chapters: Vec<_> = requirements.chunk_by(|one, other| one.chapter == other.chapter).collect();
    for rows in &chapters {
        let count = |standing| rows.iter().filter(|row| Standing::of(row, tests) == standing).count();
        let counts = [Standing::Shown, Standing::NotShown, Standing::NotBuilt, Standing::Elsewhere]
            .map(|s| count(s).to_string());
        let _ = writeln!(page, "| {} | {} |", rows.first().map_or("", |row| &row.chapter), counts.join(" | "));
    }
    for rows in &chapters {
        let chapter = rows.first().map_or("", |row| &row.chapter);
        let _ = write!(page, "\n## {chapter}\n\n| id | level | requirement | shown by |\n|---|---|---|---|\n");
        for row in *rows {
            let otherwise = match (Standing::of(row, tests), reasons.get(&row.id)) {
                (_, Some(reason)) => format!("Not yet: {reason}"),
                (Standing::NotBuilt, None) => format!("Not built: {}", row.condition),
                (Standing::Elsewhere, None) if row.applies == "deploy" => "The operator's".to_owned(),
                (Standing::Elsewhere, None) => "Nothing of this kind in the service".to_owned(),
                _ => "No test".to_owned(),
            };
            let proof = proof(tests.get(&row.id), otherwise);
            let _ = writeln!(page, "| {} | {} | {} | {proof} |", row.id, row.level, cell(&row.requirement));
        }
    }
    page
}

/// The page of the faults: what was measured, as written by hand, and the table.
fn reliability(figures: &str, faults: &[Fault], reasons: &Reasons, tests: &Tests) -> String {
    let shown = faults.iter().filter(|fault| tests.contains_key(&fault.id)).count();
    let mut page = format!(
        "# Reliability\n\n{GENERATED}\n\nFaults that production brings, what the service does then, and the tests that bring \
         them about. {shown} of {} are shown by tests; the others say why not.\n\n\
         | id | fault | expected | shown by |\n|---|---|---|---|\n",
        faults.len()
    );
    for fault in faults {
        let reason = reasons.get(&fault.id).map_or("**No test**".to_owned(), |reason| format!("Not yet: {reason}"));
        let cells = [&fault.id, &fault.fault, &fault.expected].map(|text| cell(text));
        let _ = writeln!(
            page,
            "| {} | {} |",
            cells.join(" | "),
            proof(tests.get(&fault.id), reason).replace("(../../", "(../")
        );
    }
    page.push('\n');
    page.push_str(figures);
    page
}

#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Shown,
    NotShown,
    NotBuilt,
    Elsewhere,
}

impl Standing {
    fn of(row: &Requirement, tests: &Tests) -> Self {
        match row.applies.as_str() {
            _ if tests.contains_key(&row.id) => Self::Shown,
            "yes" => Self::NotShown,
            "conditional" => Self::NotBuilt,
            _ => Self::Elsewhere,
        }
    }
}

fn proof(tests: Option<&BTreeSet<Tagged>>, otherwise: String) -> String {
    let Some(tests) = tests else { return cell(&otherwise) };
    let link = |test: &Tagged| format!("[{}](../../{})", test.name, test.path);
    tests.iter().map(link).collect::<Vec<_>>().join(", ")
}

/// Text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
