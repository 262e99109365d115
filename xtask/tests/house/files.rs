//! Files: heads, sizes, nothing left open.

use crate::source::{all_rust, code, is_test_file, none};

/// Design: about 300 lines. Beyond this, one reading no longer does.
const LONGEST: usize = 450;
const LONGEST_TEST: usize = 700;

/// Files of constants only, where length is no burden.
const TABLES: &[&str] = &[];

#[test]
fn every_module_says_what_room_it_is() {
    let without = all_rust().into_iter().filter(|source| !source.text.starts_with("//!")).map(|source| source.path);
    none("the first line of a module says what room this is, with `//!`", without.collect());
}

#[test]
fn no_file_outgrows_one_reading() {
    let long = all_rust().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        let most = if is_test_file(&source.path) { LONGEST_TEST } else { LONGEST };
        (lines > most && !TABLES.contains(&source.path.as_str()))
            .then(|| format!("{}: {lines} lines, at most {most}", source.path))
    });
    none("split it where a reader would", long.collect());
}

#[test]
fn nothing_is_left_open() {
    // Taken apart here, so that this file does not find itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat(), ["#[ig", "nore"].concat()];
    let mut open = Vec::new();
    for source in all_rust() {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                open.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    none("do it, or open an issue", open);
}

/// ASVS V1.4.1, V1.4.3
#[test]
fn no_crate_is_unsafe() {
    let mut found = Vec::new();
    let word = ["uns", "afe "].concat();
    for source in all_rust() {
        let lines = code(&source).into_iter().filter(|(_, line)| line.contains(&word));
        found.extend(lines.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    none("memory safety is the compiler's work", found);
    for manifest in crate::source::tree().sources(&["crates", "xtask"], "toml").unwrap() {
        let manifest_is_ours = manifest.path.ends_with("Cargo.toml");
        assert!(
            !manifest_is_ours || manifest.text.contains("[lints]\nworkspace = true"),
            "{}: the lints are the workspace's",
            manifest.path
        );
    }
}

#[test]
fn a_lint_is_silenced_with_a_reason() {
    let mut found = Vec::new();
    for source in all_rust() {
        let mut lines = source.text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let line = line.trim();
            if !(line.starts_with("#[allow(") || line.starts_with("#![allow(") || line.starts_with("#[expect(")) {
                continue;
            }
            let mut whole = line.to_owned();
            while !whole.ends_with(']') {
                let Some((_, more)) = lines.next() else { break };
                whole.push_str(more.trim());
            }
            if !whole.contains("reason") {
                found.push(format!("{}:{}: {whole}", source.path, number + 1));
            }
        }
    }
    none("say why: `reason = \"…\"`", found);
}
