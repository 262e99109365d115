//! Rust source as tidy tests read it: files of a crate, the parts that run in production, and the code without comments.

use std::collections::BTreeSet;

use xtask::tree::{Source, Tree};

/// The crates, by folder name.
pub(crate) const CRATES: &[&str] = &[
    "cache",
    "channels",
    "crypto",
    "http",
    "jose",
    "model",
    "outbound",
    "pages",
    "passkeys",
    "providers",
    "services",
    "stand-ins",
    "storage",
    "storage-ydb",
    "strict-json",
    "templates",
    "test-support",
    "userd",
    "web",
    "ydb-emulator",
];

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

/// Every identifier in the code of a file: no comments, no texts, no characters.
pub(crate) fn identifiers(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    without_texts(text)
        .split(|c| !is_part(c))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .map(str::to_owned)
        .collect()
}

/// Rust code with its comments, strings and character literals blanked out.
pub(crate) fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_end(rest),
            'r' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_string_end(rest),
            '\'' => character_end(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`; nothing for a name that begins with r, `r#type` included.
fn raw_string_end(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = &text[2 + hashes..];
    inside.find(&close).map_or(text.len(), |end| 2 + hashes + end + close.len())
}

/// `'x'` and `'\n'`; nothing for a lifetime.
fn character_end(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            text[after..].find('\'').map_or(0, |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

#[test]
fn identifiers_are_read_without_comments_texts_and_characters() {
    let text = r##"fn one<'a>(two: &'a str) { // three
        let four = "fi\"ve" /* six */; let c = ['"', '\'', 'x']; r#"se"ven"#; r#type(b"eight", '\u{2028}', nine) }"##;
    let found: Vec<_> = identifiers(text).into_iter().collect();
    assert_eq!(found, ["a", "b", "c", "fn", "four", "let", "nine", "one", "r", "str", "two", "type"]);
}
