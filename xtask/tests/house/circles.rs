//! Circles of imports between the modules of one crate. Two rooms that import each other are one room with a wall in it:
//! neither can be read, tested or moved alone.
//!
//! A module is a file. What counts are paths as they are written (`use` lines, `crate::…`, `super::…`, `self::…`) between
//! modules of which neither contains the other; a path from deep inside one room into another is an edge between the two
//! siblings that contain its ends. A parent that names its children, and a child that uses what its parent holds for all of
//! them, is how a folder works and no circle. Deliberately absent: re-exports are not followed, macros not expanded.

use std::collections::{BTreeMap, BTreeSet};

use xtask::tree::Source;

use crate::source::{CRATES, code, none, production};

/// Circles that are one thought in several files, each with the folder, the modules and the reason.
const ONE_THOUGHT: &[(&str, &[&str], &str)] = &[];

#[test]
fn modules_import_in_one_direction() {
    let found: BTreeMap<_, _> = CRATES.iter().flat_map(|name| circles(name)).collect();
    let allowed: BTreeSet<_> = ONE_THOUGHT
        .iter()
        .map(|(folder, modules, _)| ((*folder).to_owned(), modules.iter().map(|name| (*name).to_owned()).collect()))
        .collect::<BTreeSet<Circle>>();
    let new = found.iter().filter(|(circle, _)| !allowed.contains(*circle));
    none(
        "a circle of imports: move what both need below both (an allowed one is in ONE_THOUGHT, with its modules)",
        new.map(|((folder, modules), edges)| format!("{folder} {modules:?}\n      {}", edges.join("\n      ")))
            .collect(),
    );
    let untied = allowed.iter().filter(|circle| !found.contains_key(*circle));
    none(
        "no longer a circle of exactly these modules: take it out of ONE_THOUGHT",
        untied.map(|(folder, modules)| format!("{folder} {modules:?}")).collect(),
    );
}

/// A folder and the names of the modules in it that reach each other.
type Circle = (String, BTreeSet<String>);
/// A module's path inside its crate; the crate's root is empty.
type Module = Vec<String>;
/// Per module that contains others: edges between those, with the paths they come from.
type Siblings = BTreeMap<Module, BTreeMap<(String, String), Vec<String>>>;

/// The circles of a crate, with the imports that make them.
fn circles(name: &str) -> Vec<(Circle, Vec<String>)> {
    let folder = format!("crates/{name}/src");
    circles_of(&folder, &production(name))
}

fn circles_of(folder: &str, sources: &[Source]) -> Vec<(Circle, Vec<String>)> {
    let modules: BTreeMap<Module, &Source> =
        sources.iter().filter_map(|source| Some((module_of(folder, &source.path)?, source))).collect();
    let mut siblings = Siblings::new();
    for (from, source) in &modules {
        for to in imports(from, source, &modules) {
            let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                let edges = siblings.entry(from[..shared].to_vec()).or_default();
                edges.entry((one.clone(), other.clone())).or_default().push(format!(
                    "{} → {}",
                    from.join("::"),
                    to.join("::")
                ));
            }
        }
    }
    let mut found = Vec::new();
    for (parent, edges) in siblings {
        let place = [&[folder.to_owned()], &parent[..]].concat().join("/");
        for circle in tied(&edges.keys().cloned().collect()) {
            let inside = edges.iter().filter(|((one, other), _)| circle.contains(one) && circle.contains(other));
            let paths = inside.flat_map(|(_, paths)| paths.clone()).collect();
            found.push(((place.clone(), circle), paths));
        }
    }
    found
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`; `src/lib.rs` is the root; a program's `main.rs` is none.
fn module_of(folder: &str, path: &str) -> Option<Module> {
    let mut steps: Module =
        path.strip_prefix(folder)?.trim_start_matches('/').strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    match steps.last().map(String::as_str) {
        Some("mod" | "lib") => {
            steps.pop();
        }
        Some("main") if steps.len() == 1 => return None,
        _ => {}
    }
    Some(steps)
}

/// The modules that a file names.
fn imports(from: &Module, source: &Source, modules: &BTreeMap<Module, &Source>) -> BTreeSet<Module> {
    let text: Vec<_> = code(source).into_iter().map(|(_, line)| line.split("//").next().unwrap_or(line)).collect();
    let text = text.join("\n");
    let mut paths = Vec::new();
    for (at, _) in text.match_indices("use ") {
        if text[..at].chars().next_back().is_none_or(|before| before.is_whitespace()) {
            let tree = text[at + 4..].split(';').next().unwrap_or_default();
            flatten("", &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut paths);
        }
    }
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            if !text[..at].ends_with(is_part) {
                paths.push(text[at..].split(|c: char| !is_part(c)).next().unwrap_or_default().to_owned());
            }
        }
    }
    paths.iter().filter_map(|path| resolve(from, path, modules)).filter(|to| to != from).collect()
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn flatten(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        paths.push(format!("{before}{path}"));
        return;
    };
    let before = format!("{before}{}", head.trim());
    let (mut depth, mut start) = (0_u32, 0);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = rest[start..at].trim();
                if !item.is_empty() {
                    flatten(&before, item, paths);
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
}

/// The innermost module of this crate that a path goes through.
fn resolve(from: &Module, path: &str, modules: &BTreeMap<Module, &Source>) -> Option<Module> {
    let mut here = from.clone();
    let mut steps = path.split("::").peekable();
    match *steps.peek()? {
        "crate" => {
            here.clear();
            steps.next();
        }
        "self" => {
            steps.next();
        }
        "super" => {
            while steps.next_if_eq(&"super").is_some() {
                here.pop();
            }
        }
        // `use child::Thing` in the file that declares the child.
        first => {
            here.push(first.to_owned());
            if !modules.contains_key(&here) {
                return None;
            }
            steps.next();
        }
    }
    for step in steps {
        here.push(step.to_owned());
        if !modules.contains_key(&here) {
            here.pop();
            break;
        }
    }
    Some(here)
}

/// The groups of names that reach each other, of two or more.
fn tied(edges: &BTreeSet<(String, String)>) -> BTreeSet<BTreeSet<String>> {
    let reach = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(name) = next.pop() {
            let ends = edges.iter().filter(|(one, _)| *one == name).map(|(_, other)| other);
            next.extend(ends.filter(|end| seen.insert((*end).clone())).cloned());
        }
        seen
    };
    let names: BTreeSet<_> = edges.iter().flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
    let reached: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), reach(name))).collect();
    let group = |name: &String| {
        let mutual = |other: &&String| reached[name].contains(*other) && reached[*other].contains(name);
        names.iter().filter(mutual).cloned().collect::<BTreeSet<_>>()
    };
    names.iter().map(group).filter(|group| group.len() > 1).collect()
}

#[test]
fn a_circle_is_found_through_folders_and_braces_and_a_parent_makes_none() {
    let file = |path: &str, text: &str| Source { path: format!("crates/x/src/{path}"), text: text.to_owned() };
    let sources = [
        file("lib.rs", "mod a;\nmod b;\npub use a::A;"),
        file("a/mod.rs", "mod deep;\nuse self::deep::Deep;"),
        file("a/deep.rs", "use super::A;\nuse crate::{\n    A, b::{B as C, inner},\n};"),
        file("b.rs", "// use crate::a;\nfn f() { crate::c::call() }"),
        file("c.rs", "use super::a::deep;\n#[cfg(test)]\nmod tests {\n    use crate::d;\n}"),
        file("d.rs", "use crate::c;"),
    ];
    let found = circles_of("crates/x/src", &sources);
    let [((folder, modules), paths)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(folder, "crates/x/src");
    assert_eq!(modules.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(paths, &["a::deep → b", "b → c", "c → a::deep"]);
}
