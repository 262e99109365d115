//! Spoils the code of the lower rooms in one place at a time and asks whether any test notices. `cargo-mutants` says what
//! could be changed; of that a seeded sample is built into one copy of the tree, each change behind a switch, so that
//! nothing is compiled twice. A first run of the tests writes down which of them reach which change; then each change is
//! switched on, and those tests run until one fails. What survived is listed as `file:line: what was changed`.

mod copy;
mod judge;
mod switches;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    process::Command,
};

use serde::Deserialize;

use self::{
    copy::Copy,
    judge::{Judge, Verdict},
};
use crate::tree::Tree;

/// The rooms whose code is spoiled.
const PACKAGES: [&str; 6] =
    ["userd-model", "userd-jose", "userd-crypto", "userd-cache", "userd-storage", "userd-services"];

/// Whose tests are asked, and then of whatever they did not notice the next ones: the rooms above, the whole program.
const ROUNDS: [&[&str]; 3] = [&PACKAGES, &["userd-http", "userd-web", "userd-pages", "userd-providers"], &["userd"]];

/// What to try.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// How many changes are drawn; not all of them compile.
    #[arg(long, default_value_t = 300)]
    sample: usize,
    /// Another number draws other changes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these rooms; all six without it.
    #[arg(long)]
    package: Vec<String>,
    /// How many tests run at once.
    #[arg(long, default_value_t = 3)]
    jobs: usize,
}

/// A change, as `cargo mutants --list --json` says it.
#[derive(Clone, Debug, Deserialize)]
struct Mutant {
    name: String,
    package: String,
    file: String,
    genre: String,
    replacement: String,
    span: Span,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

/// Both from one, the column in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

/// A change and the number of its switch.
type Numbered = BTreeMap<u32, Mutant>;

/// Changes that no test has noticed so far, and how many tests reach them.
type Open<'a> = BTreeMap<u32, (&'a Mutant, usize)>;

/// Tries a sample; answers what survived, as lines of a table.
///
/// # Errors
/// `cargo-mutants` or `cargo-nextest` is not installed; the copy does not build for another reason than a change.
pub fn run(tree: &Tree, arguments: &Arguments) -> Result<String, String> {
    let packages: Vec<&str> = match &arguments.package[..] {
        [] => PACKAGES.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let drawn: Numbered = (1..).zip(sample(list(tree, &packages)?, arguments.sample, arguments.seed)).collect();
    let copy = Copy::of(tree)?;
    let left_out = copy.build(&drawn, &packages, &PACKAGES)?;
    let compiled: Numbered = drawn
        .iter()
        .filter(|(number, _)| !left_out.contains(number))
        .map(|(number, mutant)| (*number, mutant.clone()))
        .collect();

    let mut open: Open<'_> = compiled.iter().map(|(number, mutant)| (*number, (mutant, 0))).collect();
    for rooms in ROUNDS {
        let numbers = open.keys().copied().collect();
        let name = |number| compiled.get(&number).map_or("", |mutant| mutant.name.as_str());
        let verdicts = Judge::over(&copy, rooms, arguments.jobs)?.judge(&numbers, name)?;
        open.retain(|number, (_, reached)| match verdicts.get(number) {
            Some(Verdict::Passed(tests)) => {
                *reached += tests;
                true
            }
            Some(Verdict::Noticed) | None => false,
        });
    }
    Ok(report(arguments.seed, &drawn, &compiled, &open))
}

fn report(seed: u64, drawn: &Numbered, compiled: &Numbered, survived: &Open<'_>) -> String {
    let mut text = format!(
        "seed {seed}: {} changes drawn, {} compile, {} noticed, {} not\n",
        drawn.len(),
        compiled.len(),
        compiled.len() - survived.len(),
        survived.len()
    );
    let rooms: BTreeSet<&str> = compiled.values().map(|mutant| mutant.package.as_str()).collect();
    for room in rooms {
        let all = compiled.values().filter(|mutant| mutant.package == room).count();
        let left = survived.values().filter(|(mutant, _)| mutant.package == room).count();
        let _ = writeln!(text, "  {room}: {} of {all} noticed", all - left);
    }
    for (mutant, reached) in survived.values() {
        let _ = writeln!(text, "{} (tests that reach it: {reached})", mutant.name);
    }
    text.trim_end().to_owned()
}

fn list(tree: &Tree, packages: &[&str]) -> Result<Vec<Mutant>, String> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json"]).current_dir(tree.root());
    // What tests are made with is no part of the service.
    command.args(["--exclude", "**/testing/**", "--exclude", "**/testing.rs"]);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mutants(count: usize) -> Vec<Mutant> {
        let place = Place { line: 1, column: 1 };
        let named = |n: usize| Mutant {
            name: n.to_string(),
            package: "userd-model".to_owned(),
            file: String::new(),
            genre: "FnValue".to_owned(),
            replacement: String::new(),
            span: Span { start: place, end: place },
        };
        (0..count).map(named).collect()
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
    fn the_report_counts_by_room_and_names_what_survived() {
        let drawn: Numbered = (1..).zip(mutants(3)).collect();
        let compiled: Numbered = drawn.clone().into_iter().take(2).collect();
        let survived = BTreeMap::from([(2, (&compiled[&2], 4))]);
        assert_eq!(
            report(7, &drawn, &compiled, &survived),
            "seed 7: 3 changes drawn, 2 compile, 1 noticed, 1 not\n  userd-model: 1 of 2 noticed\n1 (tests that reach it: 4)"
        );
    }
}
