//! `userd import`: people of other software, with their hashes and accounts elsewhere. It may be stopped and run again: whoever
//! has come over is left alone.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
};

use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::RwLock;
use userd_model::Refusal;
use userd_services::{
    Failure, Services,
    import::{Arrived, ImportedPerson, Trial},
};
use userd_storage::StoreError;

use crate::{
    cli::ImportArgs,
    import::{HashConfig, Reading, Row},
    terminal::Terminal,
    wiring::{WiringError, part},
};

/// How many come over at once: the database commits them together where it can.
const AT_ONCE: usize = 32;
/// How often somebody is tried alone whom the others, or another import, were in the way of.
const ALONE: usize = 4;

/// What came of it.
#[derive(Default, Serialize)]
struct Report {
    dry_run: bool,
    rows: u64,
    imported: u64,
    already_here: u64,
    rejected: u64,
    without_password: u64,
}

/// A row that cannot come over.
#[derive(Serialize)]
struct Rejected<'a> {
    file: &'a str,
    row: u64,
    id: Option<&'a str>,
    email: Option<&'a str>,
    username: Option<&'a str>,
    reasons: Vec<String>,
}

/// Brings the people of these files over.
///
/// # Errors
/// Files that cannot be read or written, every row rejected; faults of the database, after which the same command goes on.
pub async fn import(services: &Services, terminal: Terminal, arguments: &ImportArgs) -> Result<(), WiringError> {
    let mut report = Report { dry_run: arguments.dry_run, ..Report::default() };
    let mut rejected = RejectedFile { path: &arguments.rejected, file: None };
    let hashes = arguments.hash_config.as_deref().map(HashConfig::read).transpose().map_err(WiringError::Config)?;
    let reading = Reading { source: arguments.source, accounts: arguments.accounts.clone(), hashes };
    reading.check(&arguments.files)?;
    must_be_another(&arguments.rejected, arguments.files.iter().chain(&arguments.accounts))?;
    // One for all files: they come over one after the other.
    let trial = arguments.dry_run.then(Trial::default);
    let mut seen = HashSet::new();
    for path in &arguments.files {
        let told = (&mut report, &mut seen);
        one_file(services, (arguments, trial.as_ref()), &reading, path, told, &mut rejected).await?;
    }
    rejected.finish()?;
    terminal.answer(&report, || {
        let done = if report.dry_run { "could be imported" } else { "imported" };
        let mut text = format!(
            "{} rows: {} {done}, {} were here already, {} rejected. {} have no password and come in by their address or provider.",
            report.rows, report.imported, report.already_here, report.rejected, report.without_password
        );
        if report.rejected > 0 {
            text.push_str(&format!("\nWhy rows were rejected: {}", arguments.rejected.display()));
        }
        text
    });
    // A script must not take it for done.
    if report.rejected > 0 && report.rejected == report.rows {
        return Err(WiringError::Answered("every row was rejected".to_owned()));
    }
    Ok(())
}

async fn one_file(
    services: &Services,
    (arguments, trial): (&ImportArgs, Option<&Trial>),
    reading: &Reading,
    path: &Path,
    (report, seen): (&mut Report, &mut HashSet<String>),
    rejected: &mut RejectedFile<'_>,
) -> Result<(), WiringError> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {msg} (about {eta} left)");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let rows = reading.read(path, &bar)?;
    let (source, together) = (arguments.source.name(), RwLock::new(()));
    let together = &together;
    let each = |row: Row| {
        let person = row.person.and_then(|person| first_of_its_id(person, seen));
        let person = person.map(|person| as_here(person, arguments));
        async move {
            let outcome = match &person {
                Ok(person) => bring(services, source, person, trial, together).await.map_err(Some),
                Err(_) => Err(None),
            };
            (row.number, person, outcome)
        }
    };
    let rows = futures_util::stream::unfold(rows, |mut rows| async move { Some((rows.recv().await?, rows)) });
    let mut done = std::pin::pin!(rows.map(each).buffer_unordered(AT_ONCE));
    let file = path.display().to_string();
    while let Some((number, person, outcome)) = done.next().await {
        report.rows += 1;
        let known = person.as_ref().ok();
        let reasons = match outcome {
            Ok(Arrived::New) => {
                report.imported += 1;
                report.without_password += u64::from(known.is_some_and(|person| person.password_hash.is_none()));
                None
            }
            Ok(Arrived::Before) => {
                report.already_here += 1;
                None
            }
            Err(None) => Some(person.as_ref().err().cloned().into_iter().collect()),
            Err(Some(Failure::Refused(refusal))) => Some(reasons(&refusal)),
            Err(Some(fault)) => return Err(part(fault)),
        };
        if let Some(reasons) = reasons {
            report.rejected += 1;
            let of = |field: fn(&ImportedPerson) -> Option<&String>| known.and_then(field).map(String::as_str);
            let (id, email) = (of(|person| person.source_id.as_ref()), of(|person| person.email.as_ref()));
            let username = of(|person| person.username.as_ref());
            rejected.write(&Rejected { file: &file, row: number, id, email, username, reasons })?;
        }
        bar.set_message(format!("{} rows, {} rejected", report.rows, report.rejected));
    }
    bar.finish_and_clear();
    Ok(())
}

/// Somebody else with an id that was read already would count as here, and nobody would miss them.
fn first_of_its_id(person: ImportedPerson, seen: &mut HashSet<String>) -> Result<ImportedPerson, String> {
    match &person.source_id {
        Some(id) if !seen.insert(id.clone()) => Err(format!("id: {id} is that of an earlier row of this import")),
        _ => Ok(person),
    }
}

/// Brings somebody over. In a young database many at once stand in each other's way for too long, and so do two imports: then
/// one goes on alone. Whoever has come over is left alone, so a try whose outcome nobody knows is made again too.
async fn bring(
    services: &Services,
    source: &str,
    person: &ImportedPerson,
    trial: Option<&Trial>,
    together: &RwLock<()>,
) -> Result<Arrived, Failure> {
    let attempt = async || services.imports.import(&services.operator_context(), source, person, trial).await;
    let again =
        |fault: &Failure| matches!(fault, Failure::Store(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_)));
    let mut ended = {
        let _with_others = together.read().await;
        attempt().await
    };
    if ended.as_ref().err().is_some_and(again) {
        let _alone = together.write().await;
        for _ in 0..ALONE {
            ended = attempt().await;
            if !ended.as_ref().err().is_some_and(again) {
                break;
            }
        }
    }
    ended
}

/// The same person by our names of providers.
fn as_here(mut person: ImportedPerson, arguments: &ImportArgs) -> ImportedPerson {
    for (provider, _) in &mut person.identities {
        let here = match arguments.providers.iter().find(|(there, _)| there == provider) {
            Some((_, here)) => here.clone(),
            None => arguments.source.usual_provider(provider).to_owned(),
        };
        *provider = here;
    }
    person.identities.retain(|(provider, _)| !provider.is_empty());
    person.email_verified &= !arguments.unproven;
    person
}

/// What the rules say, in words.
fn reasons(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::InvalidInput(fields) => fields
            .iter()
            .map(|field| match field.pointer.trim_start_matches('/') {
                "password_hash" => "password_hash: of a kind, or a cost, that is not verified here".to_owned(),
                name => format!("{name}: {}", field.detail),
            })
            .collect(),
        Refusal::NoSuchProvider => vec!["identities: no provider with this id is configured".to_owned()],
        Refusal::EmailTaken => vec!["email: an account here has it already".to_owned()],
        Refusal::UsernameTaken => vec!["username: an account here has it, or one that looks alike".to_owned()],
        Refusal::IdentityTaken => vec!["identities: an account here is linked with it".to_owned()],
        other => vec![other.to_string()],
    }
}

/// Made with the first row that goes there. It names people, so only whoever imports them reads it.
struct RejectedFile<'a> {
    path: &'a Path,
    file: Option<BufWriter<File>>,
}

impl RejectedFile<'_> {
    fn write(&mut self, row: &Rejected<'_>) -> Result<(), WiringError> {
        if self.file.is_none() {
            let mut made = OpenOptions::new();
            let made = made.write(true).create(true).truncate(true).mode(0o600).open(self.path);
            let made = made.map_err(|error| unwritten(self.path, &error))?;
            self.file = Some(BufWriter::new(made));
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        serde_json::to_writer(&mut *file, row).map_err(|error| unwritten(self.path, &error))?;
        file.write_all(b"\n").map_err(|error| unwritten(self.path, &error))
    }

    fn finish(&mut self) -> Result<(), WiringError> {
        let path = self.path;
        self.file.as_mut().map_or(Ok(()), |file| file.flush().map_err(|error| unwritten(path, &error)))
    }
}

/// A file of rejected rows that is one of those that are read would be written over while it is read.
fn must_be_another<'a>(rejected: &Path, mut read: impl Iterator<Item = &'a PathBuf>) -> Result<(), WiringError> {
    let which = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let Some(there) = which(rejected) else { return Ok(()) };
    match read.find(|path| which(path) == Some(there)) {
        None => Ok(()),
        Some(_) => Err(WiringError::Config(format!(
            "--rejected: {} is a file that is read; name another for the rows that are rejected",
            rejected.display()
        ))),
    }
}

fn unwritten(path: &Path, error: &dyn std::fmt::Display) -> WiringError {
    WiringError::Part(format!("--rejected: {} cannot be written: {error}", path.display()))
}
