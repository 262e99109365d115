//! A copy of what is committed, in a folder of its own, with the changes built in behind switches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use super::{
    Mutant, Numbered,
    switches::{SPOILED, Switched, switch},
};
use crate::tree::Tree;

/// Compilations before it is given up: each names some changes that do not compile.
const ATTEMPTS: usize = 40;

pub(super) struct Copy {
    root: PathBuf,
}

/// A line of `cargo --message-format json`.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<Where>,
}

#[derive(Deserialize)]
struct Where {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
}

/// What the compiler said against the copy.
#[derive(Default)]
struct Against {
    changes: BTreeSet<u32>,
    constant: Vec<String>,
    other: Vec<String>,
}

impl Copy {
    /// What is committed, in `target/mutants/tree`.
    ///
    /// # Errors
    /// What git says.
    pub(super) fn of(tree: &Tree) -> Result<Self, String> {
        let root = tree.root().join("target/mutants/tree");
        if root.join(".git").exists() {
            let commit = git(tree.root(), &["rev-parse", "HEAD"])?;
            git(&root, &["checkout", "--quiet", "--force", "--detach", commit.trim()])?;
        } else {
            let path = root.to_string_lossy().into_owned();
            git(tree.root(), &["worktree", "prune"])?;
            git(tree.root(), &["worktree", "add", "--quiet", "--force", "--detach", &path])?;
        }
        Ok(Self { root })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Builds the changes in, each behind its switch, and the tests of `rooms`; answers the changes that do not compile.
    ///
    /// # Errors
    /// What does not compile for another reason.
    pub(super) fn build(&self, changes: &Numbered, spoiled: &[&str], rooms: &[&str]) -> Result<BTreeSet<u32>, String> {
        let mut left_out = BTreeSet::new();
        let mut constant = Vec::new();
        for room in spoiled {
            self.write(&entrance(room), |text| Ok(format!("{text}{SPOILED}")))?;
        }
        for _ in 0..ATTEMPTS {
            let files = self.switched(changes, &mut left_out, &constant, spoiled)?;
            let against = self.compile(rooms, &files)?;
            if against.changes.is_empty() && against.constant.is_empty() {
                let other = against.other.join("\n");
                return if other.is_empty() { Ok(left_out) } else { Err(other) };
            }
            left_out.extend(against.changes);
            constant.extend(against.constant);
        }
        Err(format!("after {ATTEMPTS} attempts the copy still does not compile"))
    }

    /// Changes a file from what is committed; what stays the same is not written, so that it is not compiled again.
    fn write<T: AsRef<str>>(&self, path: &str, change: impl FnOnce(&str) -> Result<T, String>) -> Result<(), String> {
        let text = git(&self.root, &["show", &format!("HEAD:{path}")])?;
        let changed = change(&text)?;
        let place = self.root.join(path);
        if fs::read_to_string(&place).is_ok_and(|now| now == changed.as_ref()) {
            return Ok(());
        }
        fs::write(&place, changed.as_ref()).map_err(|error| format!("{path}: {error}"))
    }

    fn switched(
        &self,
        changes: &Numbered,
        left_out: &mut BTreeSet<u32>,
        constant: &[String],
        spoiled: &[&str],
    ) -> Result<BTreeMap<String, Switched>, String> {
        let mut by_file: BTreeMap<&str, Vec<(u32, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in changes {
            let file = by_file.entry(&mutant.file).or_default();
            if !left_out.contains(number) {
                file.push((*number, mutant));
            }
        }
        let entrances: Vec<String> = spoiled.iter().map(|room| entrance(room)).collect();
        let mut files = BTreeMap::new();
        for (path, here) in by_file {
            self.write(path, |text| {
                let mut switched = switch(text, &here, constant).map_err(|error| format!("{path}: {error}"))?;
                if entrances.iter().any(|entrance| entrance == path) {
                    switched.text.push_str(SPOILED);
                }
                left_out.extend(&switched.lost);
                let text = switched.text.clone();
                files.insert(path.to_owned(), switched);
                Ok(text)
            })?;
        }
        Ok(files)
    }

    fn compile(&self, rooms: &[&str], files: &BTreeMap<String, Switched>) -> Result<Against, String> {
        let mut command = self.cargo(&["build", "--tests", "--locked", "--keep-going", "--message-format", "json"]);
        for room in rooms {
            command.args(["-p", room]);
        }
        let output = command.stderr(std::process::Stdio::inherit()).output().map_err(|error| error.to_string())?;
        let mut against = Against::default();
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Ok(Line { message: Some(message) }) = serde_json::from_slice(line) else { continue };
            if message.level == "error" && !message.spans.is_empty() {
                against.hear(message, files);
            }
        }
        if output.status.success() {
            return Ok(Against::default());
        }
        if against.changes.is_empty() && against.constant.is_empty() && against.other.is_empty() {
            against.other.push("cargo build --tests failed without naming a place".to_owned());
        }
        Ok(against)
    }

    /// `cargo` in the copy.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", self.root.join("target"));
        command
    }
}

impl Against {
    /// A change that the error is about, or a function whose `const` it misses; everything else is kept as it is.
    fn hear(&mut self, message: Message, files: &BTreeMap<String, Switched>) {
        let about = message.spans.iter().flat_map(|place| {
            let switched = files.get(&place.file_name).map_or(&[][..], |file| &file.places[..]);
            let touched =
                move |range: &std::ops::Range<usize>| range.start < place.byte_end && place.byte_start < range.end;
            switched.iter().filter(move |(_, range)| touched(range)).map(|(number, _)| *number)
        });
        let before = self.changes.len();
        self.changes.extend(about);
        if self.changes.len() > before {
            return;
        }
        if let Some(path) =
            message.message.strip_prefix("cannot call non-const ").and_then(|rest| rest.split('`').nth(1))
        {
            self.constant.push(path.rsplit("::").next().unwrap_or(path).to_owned());
        } else if let Some(number) = message.spans.iter().find_map(|place| nearest(place, files)) {
            self.changes.insert(number);
        } else {
            self.other.push(message.rendered.unwrap_or(message.message));
        }
    }
}

/// The last change before a place, for what is said against the rest of a function that returns early; else the first behind
/// it, for a match that lacks an arm.
fn nearest(place: &Where, files: &BTreeMap<String, Switched>) -> Option<u32> {
    let places = &files.get(&place.file_name)?.places;
    let before = places.iter().filter(|(_, range)| range.start <= place.byte_start);
    let found = before.max_by_key(|(_, range)| range.start);
    found.or_else(|| places.iter().min_by_key(|(_, range)| range.start)).map(|(number, _)| *number)
}

/// The file that every room begins with.
fn entrance(room: &str) -> String {
    format!("crates/{}/src/lib.rs", room.trim_start_matches("userd-"))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder);
    let output = command.output().map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("git {}: {error}", arguments.join(" ")))
}
