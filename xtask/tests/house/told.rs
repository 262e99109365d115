//! What is told to people is explained in both languages: reasons of refused sign-ins, and what is wrong with a field.
//! Read from the sources, so that nobody can forget a new one. Deliberately absent: problems (`documentation.rs`).

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{code, none, production, tree};

/// Calls that take a reason, and the crates that refuse sign-ins.
const REASONS: &[&str] = &["Refused(", "refused(", "SignInNotAllowed(", "turned_away("];
const REFUSING: &[&str] = &["providers", "services"];

/// Calls that take what is wrong with a field, and the crates that judge fields.
const DETAILS: &[&str] = &["field(", "InvalidField::new("];
const JUDGING: &[&str] = &["model", "services", "web", "http"];

/// Every reason that a sign-in can end with has its words (fault 29).
#[test]
fn every_reason_that_reaches_a_person_is_explained() {
    let page = tree().read("docs/problems.md").unwrap();
    let mut found = BTreeMap::new();
    for source in REFUSING.iter().flat_map(|name| production(name)) {
        let text = code_of(&source);
        for call in REASONS.iter().flat_map(|name| calls(&text, name)) {
            // A pattern of a match stands before an arrow or a bar.
            let words =
                literals(call).into_iter().filter(|(word, after)| is_slug(word) && !after.starts_with(['=', '|']));
            found.extend(words.map(|(word, _)| (word, source.path.clone())));
        }
    }
    assert!(found.len() > 35, "the reasons are no longer found: {found:?}");
    let explained = |word: &String| page.contains(&format!("\n| `{word}` |"));
    let missing = found.iter().filter(|(word, _)| !explained(word)).map(|(word, path)| format!("{word} ({path})"));
    none("give it a row in crates/web/src/problem/reasons.rs", missing.collect());
    let rows = page.split("## Reasons").nth(1).unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let idle = rows.filter_map(|row| row.split('`').next()).filter(|word| !found.contains_key(*word));
    none("explained, but no sign-in ends so", idle.map(str::to_owned).collect());
}

/// Whatever is wrong with a field is said in Russian too (fault 29).
#[test]
fn every_detail_of_a_field_has_a_russian_text() {
    let mut found = BTreeSet::new();
    for source in JUDGING.iter().flat_map(|name| production(name)) {
        let text = code_of(&source);
        let details = DETAILS.iter().flat_map(|name| calls(&text, name)).flat_map(literals);
        found.extend(
            details.map(|(word, _)| word).filter(|word| word.contains(' ') && word.starts_with(char::is_alphabetic)),
        );
        // Parsers answer what is wrong as text.
        if text.contains(", &'static str>") || text.contains(", String>") {
            let answers =
                ["Err(", "ok_or(", "map_err(", ": &str = ", "one_line("].iter().flat_map(|name| calls(&text, name));
            found.extend(answers.flat_map(literals).map(|(word, _)| word).filter(|word| is_detail(word)));
        }
    }
    assert!(found.len() > 55, "the details are no longer found: {found:?}");
    let untold = |detail: &&String| userd_model::details::russian(detail).is_none_or(|told| !is_russian(&told));
    let missing = found.iter().filter(untold).map(|detail| format!("{detail:?}"));
    none("give it a Russian text in crates/model/src/details.rs", missing.collect());
}

fn is_russian(text: &str) -> bool {
    text.chars().any(|c| ('а'..='я').contains(&c))
}

fn is_slug(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A text about a field begins like this.
fn is_detail(text: &str) -> bool {
    ["must ", "has ", "is ", "may ", "contains ", "this name ", "no event "].iter().any(|start| text.starts_with(start))
}

fn code_of(source: &xtask::tree::Source) -> String {
    code(source).into_iter().map(|(_, line)| line.to_owned() + "\n").collect()
}

/// What stands behind each mention of a call, to its closing parenthesis; behind a constant, to the end of it.
fn calls<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(name).map(|(at, _)| {
        let rest = &text[at + name.len()..];
        if name.ends_with('(') { &rest[..closing(rest)] } else { rest.split(';').next().unwrap_or(rest) }
    })
}

/// Where the parenthesis ends that was opened before; those within texts do not count.
fn closing(text: &str) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text && depth == 0 => return at,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The texts in a piece of code, each with what follows it.
fn literals(code: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((_, from)) = rest.split_once('"') {
        let Some(end) = from.match_indices('"').map(|(at, _)| at).find(|at| !from[..*at].ends_with('\\')) else {
            break;
        };
        rest = &from[end + 1..];
        // A value that is filled in is a value, whatever its name.
        let text = from[..end].split('{').enumerate().map(|(at, part)| match part.split_once('}') {
            Some((_, after)) if at > 0 => format!("{{}}{after}"),
            _ => part.to_owned(),
        });
        found.push((text.collect(), rest.trim_start()));
    }
    found
}
