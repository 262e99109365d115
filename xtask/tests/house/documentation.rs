//! The documentation is true: the files it names exist, every refusal has its problem, every decision its parts.

use crate::source::{none, tree};

/// Paths in back-quotes or links that begin with a folder of ours.
fn named_files(text: &str) -> Vec<String> {
    let ours = |word: &&str| {
        ["crates/", "docs/", "xtask/", "tests/", "deploy/", "benches/", ".config/", ".ci/"]
            .iter()
            .any(|folder| word.starts_with(folder))
    };
    let is_plain = |word: &&str| !word.contains(['*', '<', '{', '…', '$']);
    text.split(['`', '(', ')', '"', ' ', '\n', ','])
        .map(|word| word.trim_start_matches("../").trim_end_matches(['.', ':', ';']))
        .map(|word| word.split('#').next().unwrap_or(word))
        .filter(ours)
        .filter(is_plain)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_file_that_the_documentation_names_exists() {
    let tree = tree();
    let mut pages = tree.sources(&["docs"], "md").unwrap();
    pages.extend(
        ["CONTRIBUTING.md", "README.md"]
            .iter()
            .filter_map(|path| Some(xtask::tree::Source { path: (*path).to_owned(), text: tree.read(path).ok()? })),
    );
    let mut missing = Vec::new();
    for page in pages {
        for path in named_files(&page.text).iter().filter(|path| !tree.root().join(path).exists()) {
            missing.push(format!("{}: {path}", page.path));
        }
    }
    none("named in the documentation, but not there", missing);
}

/// How-to pages: the list of files under "Files" is what a newcomer follows.
#[test]
fn every_how_to_names_the_files_it_touches() {
    let pages = tree().sources(&["docs/how-to"], "md").unwrap();
    let names: Vec<_> = pages.iter().filter_map(|page| page.path.strip_prefix("docs/how-to/")).collect();
    let wanted = [
        "add-a-migration.md",
        "add-a-problem.md",
        "add-a-provider.md",
        "add-a-route.md",
        "add-a-use-case.md",
        "add-an-engine.md",
    ];
    assert_eq!(names, wanted);
    for page in &pages {
        let files = page.text.split("## Files").nth(1).map(named_files).unwrap_or_default();
        assert!(files.len() >= 3, "{}: no section `## Files` with the files it touches", page.path);
    }
}

#[test]
fn every_decision_has_its_four_parts_on_one_page() {
    for page in tree().sources(&["docs/decisions"], "md").unwrap() {
        for part in ["## Situation", "## Choice", "## Cost", "## What would make us change it"] {
            assert!(page.text.contains(part), "{}: no {part}", page.path);
        }
        assert!(page.text.lines().count() <= 60, "{}: longer than a page", page.path);
    }
}

/// ASVS V16.5.1
#[test]
fn every_refusal_has_its_problem_in_the_documentation() {
    let tree = tree();
    let refusals = tree.read("crates/model/src/refusal.rs").unwrap();
    let table = tree.read("crates/http/src/problem/table.rs").unwrap();
    let page = tree.read("docs/problems.md").unwrap();
    let body = refusals.split("pub enum Refusal {").nth(1).unwrap().split("\n}").next().unwrap();
    let is_variant =
        |line: &&str| line.starts_with("    ") && line.trim().starts_with(|c: char| c.is_ascii_uppercase());
    let variants: Vec<_> =
        body.lines().filter(is_variant).map(|line| line.trim().split(['(', ',', ' ']).next().unwrap()).collect();
    assert!(variants.len() > 20, "the variants of Refusal are no longer found: {variants:?}");
    let mut wrong = Vec::new();
    for variant in variants {
        let Some(row) =
            table.lines().find(|line| line.contains(&format!("Refusal::{variant}")) && line.contains("=> &"))
        else {
            wrong.push(format!("{variant}: no row in crates/http/src/problem/table.rs"));
            continue;
        };
        let name = row.split("=> &").nth(1).unwrap().trim_end_matches([',', ' ']);
        let slug = table.split(&format!("    {name} = ")).nth(1).and_then(|rest| rest.split('"').nth(1));
        match slug {
            Some(slug) if page.contains(&format!("`{slug}`")) => {}
            Some(slug) => wrong.push(format!("{variant}: no `{slug}` in docs/problems.md")),
            None => wrong.push(format!("{variant}: {name} is not in the table")),
        }
    }
    none("a refusal that clients cannot look up", wrong);
}

#[test]
fn nothing_is_promised_that_was_not_tried() {
    let page = tree().read("docs/limits.md").unwrap();
    for word in ["YDB", "live provider", "container image"] {
        assert!(page.contains(word), "docs/limits.md does not say what is not verified: {word}");
    }
}
