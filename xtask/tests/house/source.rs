//! Rust source as tidy tests read it: files of a crate, the parts that run in production, and the code without comments.

use xtask::tree::{Source, Tree};

/// The crates, by folder name.
pub(crate) const CRATES: &[&str] =
    &["cache", "crypto", "http", "jose", "model", "providers", "services", "stand-ins", "storage", "userd", "web"];

pub(crate) fn tree() -> Tree {
    Tree::of_this_workspace()
}

/// Every Rust file of the repository.
pub(crate) fn all_rust() -> Vec<Source> {
    tree().sources(&["crates", "xtask"], "rs").unwrap()
}

/// Every Rust file in the `src` of a crate, without those that hold only tests.
pub(crate) fn production(name: &str) -> Vec<Source> {
    let folder = format!("crates/{name}/src");
    let mut sources = tree().sources(&[&folder], "rs").unwrap();
    sources.retain(|source| !is_test_file(&source.path));
    sources
}

pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/testing/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
        || path.ends_with("_tests.rs")
}

/// The lines that are code, with their numbers from one: no comments, nothing below `#[cfg(test)] mod`.
pub(crate) fn code(source: &Source) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut after_cfg_test = false;
    for (number, line) in source.text.lines().enumerate() {
        let trimmed = line.trim_start();
        if after_cfg_test && trimmed.starts_with("mod ") && trimmed.ends_with('{') {
            break;
        }
        after_cfg_test = trimmed.starts_with("#[cfg(test)]") || (after_cfg_test && trimmed.starts_with("#["));
        if !trimmed.starts_with("//") {
            lines.push((number + 1, line));
        }
    }
    lines
}

/// Whether a line uses a path such as `tokio::` or `std::time::Instant` as a whole word.
pub(crate) fn mentions(line: &str, path: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let starts = !before.is_some_and(|c| is_word(c) || c == ':');
        let ends = path.ends_with(':') || !after.is_some_and(is_word);
        starts && ends
    })
}

/// `path:line: what`, for every line of production code of these crates that mentions one of the paths.
pub(crate) fn offenders(crates: &[&str], paths: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in crates.iter().flat_map(|name| production(name)) {
        for (number, line) in code(&source) {
            for path in paths.iter().filter(|path| mentions(line, path)) {
                found.push(format!("{}:{number}: {path}", source.path));
            }
        }
    }
    found
}

/// Fails with every offender and the rule.
#[track_caller]
pub(crate) fn none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}\n  {}", offenders.join("\n  "));
}
