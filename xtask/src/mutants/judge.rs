//! Which tests reach which change, and whether one of them fails with the change on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::copy::Copy;

/// A test may take this many times what it takes without a change, and this much more.
const PATIENCE: (u32, Duration) = (10, Duration::from_secs(10));

/// What became of a change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    /// A test failed, or did not end, with it and passes without it.
    Noticed,
    /// All of so many tests that reach it passed.
    Passed(usize),
}

/// The tests of some rooms.
pub(super) struct Judge {
    root: PathBuf,
    tests: Vec<Test>,
    jobs: usize,
}

/// One test of one program.
#[derive(Clone)]
struct Test {
    name: String,
    program: PathBuf,
    folder: PathBuf,
}

/// `cargo nextest list --message-format json`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    rust_suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Suite {
    binary_path: PathBuf,
    cwd: PathBuf,
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    ignored: bool,
    filter_match: Match,
}

#[derive(Deserialize)]
struct Match {
    status: String,
}

/// A test that passes by itself: how long it takes and what it reaches.
struct Known {
    test: Test,
    takes: Duration,
    reaches: BTreeSet<u32>,
}

impl Judge {
    /// Of the tests of `rooms` in the copy.
    ///
    /// # Errors
    /// What nextest says.
    pub(super) fn over(copy: &Copy, rooms: &[&str], jobs: usize) -> Result<Self, String> {
        let mut command = copy.cargo(&["nextest", "list", "--locked", "--message-format", "json"]);
        for room in rooms {
            command.args(["-p", room]);
        }
        let output = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
        let listed: Listed =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo nextest list: {error}"))?;
        let tests = listed.rust_suites.into_values().flat_map(|suite| {
            let (program, folder) = (suite.binary_path, suite.cwd);
            let runs = |case: &Case| !case.ignored && case.filter_match.status == "matches";
            let names: Vec<String> =
                suite.testcases.into_iter().filter(|(_, case)| runs(case)).map(|(name, _)| name).collect();
            names.into_iter().map(move |name| Test { name, program: program.clone(), folder: folder.clone() })
        });
        Ok(Self { root: copy.root().to_path_buf(), tests: tests.collect(), jobs: jobs.max(1) })
    }

    /// Tries each change.
    ///
    /// # Errors
    /// A folder cannot be written, a program not started.
    pub(super) fn judge<'a>(
        &self,
        changes: &BTreeSet<u32>,
        name: impl Fn(u32) -> &'a str + Sync,
    ) -> Result<BTreeMap<u32, Verdict>, String> {
        let reached = self.root.join("target/reached");
        let _ = fs::remove_dir_all(&reached);
        fs::create_dir_all(&reached).map_err(|error| format!("{}: {error}", reached.display()))?;
        let bar = progress(self.tests.len(), "tests read which changes they reach");
        let numbered: Vec<(usize, &Test)> = self.tests.iter().enumerate().collect();
        let known = self.at_once(&bar, &numbered, |(number, test)| {
            let path = reached.join(number.to_string());
            let began = Instant::now();
            if !self.passes(test, None, Some(&path), Duration::from_secs(600))? {
                told(&bar, format_args!("left out, since it fails by itself: {}", test.name));
                return Ok(None);
            }
            let lines = fs::read_to_string(&path).unwrap_or_default();
            let reaches = lines.lines().filter_map(|line| line.parse().ok()).collect();
            Ok(Some(Known { test: (*test).clone(), takes: began.elapsed(), reaches }))
        })?;
        let known: Vec<Known> = known.into_iter().flatten().collect();

        let bar = progress(changes.len(), "changes tried");
        let numbers: Vec<u32> = changes.iter().copied().collect();
        let verdicts = self.at_once(&bar, &numbers, |number| {
            let (verdict, by) = self.try_one(*number, &known)?;
            told(&bar, format_args!("{}: {by}", name(*number)));
            Ok((*number, verdict))
        })?;
        Ok(verdicts.into_iter().collect())
    }

    /// Those that reach it, the cheapest and most particular first, until one fails.
    fn try_one(&self, number: u32, known: &[Known]) -> Result<(Verdict, String), String> {
        let mut tests: Vec<&Known> = known.iter().filter(|test| test.reaches.contains(&number)).collect();
        tests.sort_by_key(|test| test.takes * u32::try_from(test.reaches.len()).unwrap_or(u32::MAX));
        for known in &tests {
            let limit = known.takes * PATIENCE.0 + PATIENCE.1;
            let fails = !self.passes(&known.test, Some(number), None, limit)?;
            // Not one that fails by itself as well.
            if fails && self.passes(&known.test, None, None, limit)? {
                return Ok((Verdict::Noticed, format!("noticed by {}", known.test.name)));
            }
        }
        Ok((Verdict::Passed(tests.len()), format!("NOT noticed by {} tests", tests.len())))
    }

    fn passes(&self, test: &Test, on: Option<u32>, reached: Option<&Path>, limit: Duration) -> Result<bool, String> {
        let mut command = Command::new(&test.program);
        command.args(["--exact", &test.name]).current_dir(&test.folder).env("CARGO_MANIFEST_DIR", &test.folder);
        command.env("INSTA_WORKSPACE_ROOT", &self.root).env("INSTA_UPDATE", "no");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some(number) = on {
            command.env("SPOILED", number.to_string());
        }
        if let Some(path) = reached {
            command.env("SPOILED_REACHED", path);
        }
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", test.program.display()))?;
        let end = Instant::now() + limit;
        loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => return Ok(status.success()),
                None if Instant::now() < end => thread::sleep(Duration::from_millis(3)),
                None => {
                    // With whatever it has started.
                    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                        let _ = kill_process_group(group, Signal::KILL);
                    }
                    let _ = child.wait();
                    return Ok(false);
                }
            }
        }
    }

    /// Does each piece of work, several at once, in any order.
    fn at_once<I: Sync, O: Send>(
        &self,
        bar: &ProgressBar,
        work: &[I],
        one: impl Fn(&I) -> Result<O, String> + Sync,
    ) -> Result<Vec<O>, String> {
        let next = Mutex::new(work.iter());
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    loop {
                        let piece = next.lock().ok().and_then(|mut next| next.next());
                        let Some(piece) = piece else { break };
                        let outcome = one(piece);
                        bar.inc(1);
                        if let Ok(mut done) = done.lock() {
                            done.push(outcome);
                        }
                    }
                });
            }
        });
        done.into_inner().map_err(|error| error.to_string())?.into_iter().collect()
    }
}

/// A line of the run, also where nobody watches.
fn told(bar: &ProgressBar, line: std::fmt::Arguments<'_>) {
    // Nothing is left to be done about a closed terminal.
    bar.suspend(|| drop(writeln!(io::stderr(), "{line}")));
}

fn progress(length: usize, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{pos}/{len} {msg}, {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)).with_style(style).with_message(what)
}
