//! The documentation is true: the files it names exist, every refusal has its problem, every decision its parts.

use crate::source::{none, tree};

/// Paths in back-quotes or links that begin with a folder of ours.
fn named_files(text: &str) -> Vec<String> {
    let ours = |word: &&str| {
        ["crates/", "docs/", "xtask/", "tests/", "deploy/", "benches/", ".config/", ".ci/"]
            .iter()
            .any(|folder| word.starts_with(folder))
    };
    let is_plain = |word: &&str| !word.contains(['*', '<', '{', '…', '$']) && !word.contains("NNNN");
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
        ["CONTRIBUTING.md", "README.md", "README.ru.md"]
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

/// The Russian front page says the same: as many sections, the same commands, the same routes.
#[test]
fn both_front_pages_have_the_same_sections_commands_and_routes() {
    let [english, russian] = ["README.md", "README.ru.md"].map(|path| tree().read(path).unwrap());
    let sections = |text: &str| text.lines().filter(|line| line.starts_with('#') && line.contains("# ")).count();
    let commands = |text: &str| -> Vec<String> {
        let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
        blocks.map(str::to_owned).collect()
    };
    let routes = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split(" | ").nth(1));
        rows.filter(|cell| cell.contains("`/") || cell.contains(" /")).map(str::to_owned).collect()
    };
    // Comments in commands begin like a heading.
    let without_commands = |text: &str| text.split("```").step_by(2).map(str::to_owned).collect::<Vec<_>>().join("\n");
    assert_eq!(sections(&without_commands(&english)), sections(&without_commands(&russian)));
    assert_eq!(commands(&english), commands(&russian));
    let part = |text: &str| text.split("\n## ").next().unwrap_or_default().to_owned();
    assert_eq!(routes(&part(&english)), routes(&part(&russian)));
    assert!(commands(&english).len() > 2 && routes(&part(&english)).len() > 5);
}

/// How-to pages: the list of files under "Files" is what a newcomer follows.
#[test]
fn every_how_to_names_the_files_it_touches() {
    let pages = tree().sources(&["docs/how-to"], "md").unwrap();
    let names: Vec<_> = pages.iter().filter_map(|page| page.path.strip_prefix("docs/how-to/")).collect();
    let wanted = [
        "add-a-channel.md",
        "add-a-migration.md",
        "add-a-page.md",
        "add-a-problem.md",
        "add-a-provider.md",
        "add-a-route.md",
        "add-a-table.md",
        "add-a-use-case.md",
        "add-a-way-in.md",
        "add-an-engine.md",
        "add-an-import-source.md",
        "try-ydb.md",
    ];
    assert_eq!(names, wanted);
    for page in &pages {
        let files = page.text.split("## Files").nth(1).map(named_files).unwrap_or_default();
        assert!(files.len() >= 3, "{}: no section `## Files` with the files it touches", page.path);
    }
}

/// `docs/how-to/add-a-table.md`: a declaration, a repository, and the lists that name both.
#[test]
fn a_table_is_named_by_its_declaration_and_its_repository_alone() {
    let at = "crates/storage/src/tables/";
    let sources = crate::source::production("storage");
    let declared = |path: &str| path.strip_prefix(at)?.strip_suffix(".rs").map(str::to_uppercase);
    let page = tree().read("docs/how-to/add-a-table.md").unwrap();
    let lists = ["crates/storage/src/tables/mod.rs", "crates/storage/src/repositories/mod.rs"];
    assert!(lists.iter().all(|list| page.contains(list)), "the page no longer names the lists");
    let tables: Vec<_> = sources.iter().filter(|source| source.text.contains(": Table = Table {")).collect();
    assert!(tables.len() >= 16, "the declarations are no longer found");
    let mut wrong = Vec::new();
    for table in tables.iter().filter_map(|source| declared(&source.path)) {
        let file = format!("{}.rs", table.to_lowercase());
        let own = [format!("{at}{file}"), format!("crates/storage/src/repositories/{file}")];
        wrong.extend(
            own.iter().filter(|path| !tree().root().join(path).exists()).map(|path| format!("{path} is not there")),
        );
        for source in sources.iter().filter(|source| !own.contains(&source.path) && source.path != lists[0]) {
            let named =
                crate::source::code(source).into_iter().filter(|(_, line)| crate::source::mentions(line, &table));
            wrong.extend(named.map(|(number, _)| format!("{}:{number}: {table}", source.path)));
        }
    }
    none("a table is one declaration and one repository", wrong);
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
    let table = tree.read("crates/web/src/problem/table.rs").unwrap();
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
            wrong.push(format!("{variant}: no row in crates/web/src/problem/table.rs"));
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

/// ASVS V16.1.1
#[test]
fn the_metrics_of_the_documentation_are_those_of_the_code() {
    let crates = crate::source::CRATES;
    let mut emitted = std::collections::BTreeSet::new();
    for source in crates.iter().flat_map(|name| crate::source::production(name)) {
        let code: Vec<_> = crate::source::code(&source).into_iter().map(|(_, line)| line).collect();
        let code = code.join("\n");
        let is_metric = |before: &str| {
            let before = before.trim_end();
            ["counter!(", "gauge!(", "histogram!("].iter().any(|call| before.ends_with(call))
                || before.ends_with(": &str =")
        };
        for (at, _) in code.match_indices("\"userd_").filter(|(at, _)| is_metric(&code[..*at])) {
            emitted.insert(code[at + 1..].split('"').next().unwrap().to_owned());
        }
    }
    assert!(emitted.len() > 10, "the metrics are no longer found: {emitted:?}");
    let page = tree().read("docs/operations.md").unwrap();
    let told: std::collections::BTreeSet<_> =
        page.split('`').filter(|word| word.starts_with("userd_")).map(str::to_owned).collect();
    let missing = emitted.difference(&told).map(|name| format!("{name} is not in docs/operations.md"));
    let idle = told.difference(&emitted).map(|name| format!("{name} is in docs/operations.md, but nothing emits it"));
    none("metrics", missing.chain(idle).collect());
}

/// The commands as clap knows them, read from the derive: `Migrate { … MigrateCommand }` and the variants of that.
fn commands() -> std::collections::BTreeSet<String> {
    let files = tree().sources(&["crates/userd/src/cli"], "rs").unwrap();
    let text: String = files.into_iter().map(|file| file.text).collect();
    let kebab = |name: &str| {
        let mut word = String::new();
        for (at, c) in name.char_indices() {
            if c.is_uppercase() && at > 0 {
                word.push('-');
            }
            word.extend(c.to_lowercase());
        }
        word
    };
    let mut commands = std::collections::BTreeSet::new();
    for part in text.split("pub enum ").skip(1) {
        let (name, body) = part.split_once(" {").unwrap();
        let body = body.split("\n}").next().unwrap();
        let is_variant =
            |line: &&str| line.starts_with("    ") && line[4..].starts_with(|c: char| c.is_ascii_uppercase());
        let variants = body.lines().filter(is_variant).map(|line| line.trim().split(['(', ',', ' ']).next().unwrap());
        let first = name.strip_suffix("Command").map(kebab).unwrap_or_default();
        commands.extend(variants.map(|variant| format!("{first} {}", kebab(variant)).trim().to_owned()));
    }
    commands
}

#[test]
fn every_command_that_the_documentation_names_exists() {
    let commands = commands();
    assert!(commands.contains("users create-admin"), "the commands are no longer found: {commands:?}");
    let tree = tree();
    let mut pages = tree.sources(&["docs"], "md").unwrap();
    let further = ["README.md", "CONTRIBUTING.md", "compose.yaml", "deploy/systemd/userd.service"];
    pages.extend(
        further
            .iter()
            .filter_map(|path| Some(xtask::tree::Source { path: (*path).to_owned(), text: tree.read(path).ok()? })),
    );
    let mut wrong = Vec::new();
    for page in &pages {
        for call in page.text.split("`userd ").skip(1).map(|rest| rest.split('`').next().unwrap()) {
            let plain = |word: &&str| {
                word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !word.starts_with('-')
            };
            let words: Vec<_> = call.split_whitespace().take_while(plain).take(2).collect();
            let both = words.join(" ");
            // One word may be a command with an argument or a group of commands.
            let known = words.is_empty()
                || commands.contains(&both)
                || words.first().is_some_and(|first| {
                    commands.contains(*first)
                        && !commands.iter().any(|known| known.starts_with(&format!("{first} ")) && words.len() > 1)
                });
            if !known {
                wrong.push(format!("{}: userd {both}", page.path));
            }
        }
    }
    none("no such command", wrong);
}
