//! Spoils the code of the lower rooms in one place at a time and asks whether any test notices. A seeded sample, since
//! all of them take a day; two rounds, since most are caught by the tests beside them and the rest by those of the
//! services above. `cargo-mutants` does the work; what survived is listed as `file:line: what was changed`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::tree::Tree;

/// The rooms whose code is spoiled.
const PACKAGES: [&str; 6] =
    ["userd-model", "userd-jose", "userd-crypto", "userd-cache", "userd-storage", "userd-services"];

/// What to try.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// How many changes are tried.
    #[arg(long, default_value_t = 200)]
    sample: usize,
    /// Another number draws other changes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these rooms; all six without it.
    #[arg(long)]
    package: Vec<String>,
}

#[derive(Deserialize)]
struct Mutant {
    name: String,
    package: String,
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: serde_json::Value,
    summary: String,
}

/// Tries a sample; answers what survived, as lines of a table.
///
/// # Errors
/// Something is not committed; `cargo-mutants` is not installed, or does not end well.
pub fn run(tree: &Tree, arguments: &Arguments) -> Result<String, String> {
    must_be_clean(&status(tree)?)?;
    let packages: Vec<&str> = match &arguments.package[..] {
        [] => PACKAGES.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let all = list(tree, &packages)?;
    let drawn = sample(all, arguments.sample, arguments.seed);
    let first = attempt(tree, "first", &drawn, &[])?;
    let above: Vec<Mutant> = drawn
        .into_iter()
        .filter(|mutant| first.missed.contains(&mutant.name) && mutant.package != "userd-services")
        .collect();
    let second = if above.is_empty() {
        Counts::default()
    } else {
        attempt(tree, "second", &above, &["--test-package", "userd-services"])?
    };
    let survived: BTreeSet<&String> = first.missed.iter().filter(|name| !second.caught.contains(*name)).collect();
    let judged = first.caught.len() + first.missed.len();
    let mut lines = vec![format!(
        "seed {}: {judged} changes that compile, {} noticed, {} not",
        arguments.seed,
        judged - survived.len(),
        survived.len()
    )];
    lines.extend(survived.into_iter().cloned());
    Ok(lines.join("\n"))
}

/// What git says is not committed.
fn status(tree: &Tree) -> Result<String, String> {
    let mut command = Command::new("git");
    command.args(["status", "--porcelain"]).current_dir(tree.root());
    let output = command.output().map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git status: {}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A run that is broken off leaves a file spoiled: only what is committed can be had back.
fn must_be_clean(status: &str) -> Result<(), String> {
    if status.trim().is_empty() {
        return Ok(());
    }
    Err(format!("commit or stash first: the sources are changed in place and put back\n{}", status.trim_end()))
}

fn list(tree: &Tree, packages: &[&str]) -> Result<Vec<Mutant>, String> {
    let mut command = cargo_mutants(tree);
    command.args(["--list", "--json"]);
    for package in packages {
        command.args(["-p", package]);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("cargo mutants cannot be run: {why}\nto install it: cargo install --locked cargo-mutants"));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo mutants --list: {error}"))
}

/// Some of all, the same for the same seed: a shuffle by xorshift, cut.
fn sample(mut all: Vec<Mutant>, count: usize, seed: u64) -> Vec<Mutant> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for last in (1..all.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(0);
        all.swap(last, other);
    }
    all.truncate(count);
    all
}

#[derive(Default)]
struct Counts {
    caught: BTreeSet<String>,
    missed: BTreeSet<String>,
}

fn attempt(tree: &Tree, round: &str, mutants: &[Mutant], more: &[&str]) -> Result<Counts, String> {
    let output = PathBuf::from("target/mutants").join(round);
    // What an earlier run left there.
    let _ = fs::remove_dir_all(tree.root().join(&output));
    fs::create_dir_all(tree.root().join(&output)).map_err(|error| format!("{}: {error}", output.display()))?;
    let names: Vec<String> = mutants.iter().map(|mutant| escaped(&mutant.name)).collect();
    let packages: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.package.as_str()).collect();
    let mut command = cargo_mutants(tree);
    command.args(["--in-place", "--no-shuffle", "--test-tool", "nextest", "--minimum-test-timeout", "120"]);
    command.arg("--output").arg(&output).arg("--re").arg(format!("^({})$", names.join("|"))).args(more);
    for package in packages {
        command.args(["-p", package]);
    }
    // It ends with an error where something survived, which is what the report is for.
    command.status().map_err(|error| error.to_string())?;
    counts(&tree.root().join(output).join("mutants.out/outcomes.json"))
}

fn counts(report: &Path) -> Result<Counts, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", report.display());
    let text = fs::read_to_string(report).map_err(|error| told(&error))?;
    let outcomes: Outcomes = serde_json::from_str(&text).map_err(|error| told(&error))?;
    let mut counts = Counts::default();
    for outcome in outcomes.outcomes {
        let Some(name) = outcome.scenario.pointer("/Mutant/name").and_then(|name| name.as_str()) else { continue };
        match outcome.summary.as_str() {
            "CaughtMutant" | "Timeout" => counts.caught.insert(name.to_owned()),
            "MissedMutant" => counts.missed.insert(name.to_owned()),
            _ => false,
        };
    }
    Ok(counts)
}

fn cargo_mutants(tree: &Tree) -> Command {
    let mut command = Command::new("cargo");
    command.arg("mutants").current_dir(tree.root());
    command
}

/// As a pattern that matches exactly this text.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut pattern, c| {
        // Not others: `\<` has a meaning of its own.
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutants(count: usize) -> Vec<Mutant> {
        (0..count).map(|n| Mutant { name: n.to_string(), package: "userd-model".to_owned() }).collect()
    }

    #[test]
    fn a_sample_is_the_same_for_its_seed_and_another_for_another() {
        let names = |seed| sample(mutants(500), 20, seed).into_iter().map(|mutant| mutant.name).collect::<Vec<_>>();
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
        let distinct: BTreeSet<_> = names(1).into_iter().collect();
        assert_eq!(distinct.len(), 20);
        assert_eq!(sample(mutants(5), 20, 1).len(), 5);
    }

    #[test]
    fn nothing_is_spoiled_that_is_not_committed() {
        assert_eq!(must_be_clean(""), Ok(()));
        for changed in [" M crates/model/src/user.rs\n", "M  Cargo.toml\n", "?? crates/model/src/new.rs\n"] {
            let refused = must_be_clean(changed).err().unwrap_or_default();
            assert!(refused.starts_with("commit or stash first") && refused.contains(changed.trim_end()), "{refused}");
        }
    }

    #[test]
    fn a_name_is_matched_to_the_letter() {
        assert_eq!(escaped("f -> Result<(), E>"), r"f \-> Result<\(\), E>");
        assert_eq!(escaped("a.rs:1:2: replace + with *= in A::b"), r"a\.rs:1:2: replace \+ with \*= in A::b");
    }
}
