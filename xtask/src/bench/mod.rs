//! The load harness, `cargo xtask bench`: the release binary under load, in-process use cases and single functions, each
//! as a ratio to a baseline of the same run. It prints Markdown; `docs/performance.md` says how to read it.
//!
//! - `starting.rs`, `routes.rs`: time to readiness, memory, throughput and cost per route
//! - `logins.rs`: sign-ins against bare argon2id, and beside a hanging provider
//! - `pairs.rs`: whether times tell known addresses from unknown ones
//! - `storm.rs`, `probes.rs`: ten thousand sign-ins at once, and `/v1/me` meanwhile
//! - `rights.rs`: `permissions/check` against `/livez`, few roles and grants against many
//! - `refreshes.rs`: durable refreshes against one fsync per transaction
//! - `messages.rs`, `inboxes.rs`, `streams.rs`: mails and events drained, one dead receiver of ten, inboxes of a million rows, open streams
//! - `audit.rs`: what the audit log adds to a sign-in
//! - `questions.rs`, `functions.rs`: statements per use case, tokens
//! - `client.rs`, `load.rs`, `people.rs`, `server.rs`, `postgres.rs`, `test_services.rs`: what these are made of
//!
//! Deliberately absent: tests. A ratio on a busy machine fails nobody's build.

mod audit;
mod client;
mod functions;
mod inboxes;
mod load;
mod logins;
mod machine;
mod messages;
mod pages;
mod pairs;
mod people;
mod postgres;
mod probes;
mod process;
mod questions;
mod refreshes;
mod report;
mod rights;
mod routes;
mod server;
mod starting;
mod storm;
mod streams;
mod test_services;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use userd_storage::{
    Engine,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
};

use self::{
    report::Report,
    server::{Server, Setting},
};
use crate::tree::Tree;

/// Whatever ends a run.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Open files that ten thousand connections need at either end.
const FILES: u64 = 16_384;
/// People who exist before anything is measured.
const PEOPLE: usize = 256;

/// What may be asked of a run.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Shorter windows and fewer rounds: about two minutes, more noise.
    #[arg(long)]
    quick: bool,
    /// The embedded engine, or PostgreSQL and Redis beside it (both must be installed).
    #[arg(long, value_enum, default_value_t = Choice::Sqlite)]
    engine: Choice,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Also writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The binary to measure; built when absent.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Routes,
    Rights,
    Logins,
    Refreshes,
    Storm,
    Provider,
    Pairs,
    Messages,
    Audit,
    Questions,
    Functions,
}

/// How long everything takes.
struct Pace {
    starts: usize,
    idle: Duration,
    warm: Duration,
    route: Duration,
    rounds: usize,
    round: Duration,
    storm: Duration,
    function: Duration,
    pairs: usize,
}

impl Pace {
    const QUICK: Self = Self {
        starts: 5,
        idle: Duration::from_secs(1),
        warm: Duration::from_millis(500),
        route: Duration::from_secs(2),
        rounds: 3,
        round: Duration::from_secs(2),
        storm: Duration::from_secs(10),
        function: Duration::from_millis(150),
        pairs: 500,
    };
    const FULL: Self = Self {
        starts: 15,
        idle: Duration::from_secs(3),
        warm: Duration::from_secs(1),
        route: Duration::from_secs(8),
        rounds: 5,
        round: Duration::from_secs(4),
        storm: Duration::from_secs(150),
        function: Duration::from_millis(500),
        pairs: 10_000,
    };
}

/// Runs it and answers the report as Markdown.
///
/// # Errors
/// Whatever keeps a measurement from being made. A goal that is not met is no error.
pub fn run(tree: &Tree, arguments: &Arguments) -> Result<String, String> {
    let measured = if cfg!(debug_assertions) { again_in_release(tree) } else { measure(tree, arguments) };
    measured.map_err(|fault| fault.to_string())
}

/// The harness takes processor time from what it measures, and has baselines of its own: it must be optimised too.
fn again_in_release(tree: &Tree) -> Result<String, Fault> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(tree.root()).args(["run", "--release", "--quiet", "--package", "xtask", "--"]);
    let status = cargo.args(std::env::args_os().skip(1)).status()?;
    if status.success() { Ok(String::new()) } else { Err("the benchmark failed".into()) }
}

fn measure(tree: &Tree, arguments: &Arguments) -> Result<String, Fault> {
    more_files()?;
    let binary = binary(tree, arguments)?;
    let pace = if arguments.quick { Pace::QUICK } else { Pace::FULL };
    let folder = tempfile::Builder::new().prefix("userd-bench-").tempdir()?;
    let mut report = Report { machine: machine::describe(folder.path())?, ..Report::default() };
    let run = Run { arguments, binary: &binary, folder: folder.path(), pace };
    if let Err(fault) = run.over_http(&mut report) {
        // What was measured before is not thrown away.
        say(&format!("broken off: {fault}"));
        report.machine.push(format!("**broken off**: {fault}"));
    }
    if run.wants(Part::Questions) {
        let file = SqliteLocation::File(folder.path().join("questions.db"));
        let engine: Arc<dyn Engine> = Arc::new(SqliteEngine::open(&SqliteOptions::at(file))?);
        report.tables.push(questions::table(engine, "SQLite")?);
    }
    if run.wants(Part::Rights) {
        rights::many_against_few(folder.path(), arguments.quick, &run.pace, &mut report)?;
    }
    if run.wants(Part::Messages) {
        messages::measure(folder.path(), arguments.quick, &mut report)?;
    }
    if run.wants(Part::Audit) {
        audit::measure(folder.path(), arguments.quick, &mut report)?;
    }
    if run.wants(Part::Functions) {
        report.tables.push(functions::table(run.pace.function)?);
    }
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(report.markdown())
}

/// One run.
struct Run<'a> {
    arguments: &'a Arguments,
    binary: &'a Path,
    folder: &'a Path,
    pace: Pace,
}

impl Run<'_> {
    fn wants(&self, part: Part) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&part)
    }

    fn over_http(&self, report: &mut Report) -> Result<(), Fault> {
        let (pace, setting) = (&self.pace, Setting::sqlite(self.binary, self.folder));
        pages::beside_none(&setting, pace, report)?;
        let server = starting::measure(&setting, pace, report)?;
        say("people");
        let people = people::register(server.address, "person", PEOPLE)?;
        if self.wants(Part::Routes) {
            self.routes(&setting, &server, &people, report)?;
        }
        if self.wants(Part::Rights) {
            rights::check_against_livez((&setting, &server), &people, pace, report)?;
        }
        if self.wants(Part::Messages) {
            streams::measure(&server, &people, pace, report)?;
        }
        if self.wants(Part::Refreshes) {
            refreshes::measure(&server, &people, self.folder, pace, report)?;
        }
        if self.wants(Part::Logins) {
            logins::against_argon2(&server, &people, pace, report)?;
        }
        drop(server);
        if self.wants(Part::Storm) {
            storm::measure(&setting, &people, pace, report)?;
        }
        if self.wants(Part::Provider) {
            logins::beside_a_hanging_provider(&setting, &people, pace, report)?;
        }
        if self.wants(Part::Pairs) {
            pairs::measure(&setting, &people, pace, report)?;
        }
        Ok(())
    }

    fn routes(
        &self,
        setting: &Setting,
        server: &Server,
        people: &[people::Person],
        report: &mut Report,
    ) -> Result<(), Fault> {
        routes::me_against_livez(server, people, &self.pace, report)?;
        pages::against_livez(server, people, &self.pace, report)?;
        let mut engines = vec![("SQLite".to_owned(), routes::measure(setting, server, people, &self.pace)?)];
        let loaded = server.memory()?;
        if self.arguments.engine == Choice::Postgres {
            let folder = tempfile::Builder::new().prefix("userd-bench-pg-").tempdir()?;
            let servers = postgres::Servers::start(folder.path())?;
            report.machine.push(servers.versions.clone());
            let setting =
                Setting { database: servers.database.clone(), cache: servers.cache.clone(), ..setting.clone() };
            let setting = Setting { folder: folder.path().to_owned(), ..setting };
            let server = Server::start(&setting)?;
            let people = people::register(server.address, "person", 64)?;
            let routes = routes::measure(&setting, &server, &people, &self.pace)?;
            engines.push(("PostgreSQL and Redis".to_owned(), routes));
            drop(server);
        }
        let mut table = routes::table(&engines);
        table.note += &format!(
            " Resident memory of the embedded server after this: {}, at most {}.",
            starting::mib(loaded.now),
            starting::mib(loaded.peak)
        );
        report.tables.push(table);
        Ok(())
    }
}

fn binary(tree: &Tree, arguments: &Arguments) -> Result<PathBuf, Fault> {
    if let Some(binary) = &arguments.binary {
        return Ok(std::path::absolute(binary)?);
    }
    let binary = tree.root().join("target/release/userd");
    if !binary.exists() {
        say("the binary, which takes some minutes");
        let build = ["build", "--release", "--quiet", "--package", "userd"];
        let status = Command::new("cargo").current_dir(tree.root()).args(build).status()?;
        if !status.success() {
            return Err("the binary cannot be built".into());
        }
    }
    Ok(binary)
}

/// Lets this process and the servers it starts open enough files.
fn more_files() -> Result<(), Fault> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= FILES);
    if enough(current) {
        return Ok(());
    }
    if !enough(maximum) {
        return Err(format!("this needs {FILES} open files, the limit is {maximum:?}: ulimit -Hn {FILES}").into());
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum })?)
}

/// A runtime for clients: one thread.
fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Tells whoever waits what is being measured now.
fn say(what: &str) {
    // A closed terminal keeps nobody from measuring.
    let _ = writeln!(std::io::stderr(), "… {what}");
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let (low, high) = (numbers.len().saturating_sub(1) / 2, numbers.len() / 2);
    let at = |at: usize| numbers.get(at).copied().unwrap_or_default();
    f64::midpoint(at(low), at(high))
}
