//! `userd restore` and `userd backup --verify`: a backup is looked at, put in place of the embedded database, and what was
//! issued before now ends. All of it happens to a copy beside the database, which takes its place at the very end: until
//! then, whatever goes wrong, nothing has changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use userd_model::Clock;
use userd_services::{Services, audit, deletion::ErasedAgain, restore::Ended, start};
use userd_storage::{
    Store, StoreError,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions, sqlite::copy_file},
    migrations::{MigrationError, StepState},
    repositories::system_secrets::INSTALLATION,
};

use super::{
    said,
    scratch::{Scratch, with_end},
};
use crate::{
    config::{Config, DatabaseKind, DatabaseUrl},
    terminal::{Terminal, notice},
    wiring::{
        WiringError,
        engine::{self, Opening},
        ledger, master_key, must_be_ours, open_store,
        outside::{OsRandom, SystemClock},
        part, wire,
    },
};

/// What was found in a backup.
#[derive(Serialize)]
struct Verified {
    file: PathBuf,
    bytes: u64,
    /// Whose it is.
    installation: Option<String>,
    /// Schema steps that it has, and those that a start would add.
    steps: usize,
    steps_missing: usize,
}

/// What was done.
#[derive(Serialize)]
struct Restored {
    database: String,
    /// The backup; none where the database was restored by its own tools.
    from: Option<PathBuf>,
    /// Where the database is now that was in place.
    kept: Option<PathBuf>,
    steps_applied: usize,
    sessions_kept: bool,
    #[serde(flatten)]
    ended: Ended,
}

/// `backup --verify`: is it whole, of this program, and opened by the master key? The file stays as it is.
///
/// # Errors
/// What is wrong with it.
pub async fn verify(config: &Config, terminal: Terminal, file: &Path) -> Result<(), WiringError> {
    must_be_there(&engine::whole(file))?;
    // What SQLite does to a file that it opens is done to a copy.
    let folder = Scratch::new(file)?;
    let copy = folder.at("copy.db");
    let verified = verified(config, file, &copy).await?;
    terminal.answer(&verified, || {
        let whose = verified.installation.as_deref().unwrap_or("none (made by an earlier version)");
        let missing = match verified.steps_missing {
            0 => String::new(),
            steps => format!("\nIt is from an earlier version: a start applies {steps} steps to it."),
        };
        format!(
            "{} is whole: {} bytes, {} schema steps, installation {whose}.\nThe master key opens it.{missing}",
            verified.file.display(),
            verified.bytes,
            verified.steps
        )
    });
    Ok(())
}

/// Puts `backup` in place, or takes the configured database as it is, and ends what was issued before now.
///
/// # Errors
/// A service that runs on the database, a backup that is not whole, not ours or of another installation, another engine
/// than the embedded one where a file is to be put in place.
pub async fn restore(
    config: Config,
    terminal: Terminal,
    backup: Option<&Path>,
    keep_sessions: bool,
) -> Result<(), WiringError> {
    let restored = match backup {
        None => in_place(config, keep_sessions).await?,
        Some(backup) => from_file(config, &engine::whole(backup), keep_sessions).await?,
    };
    terminal.answer(&restored, || words(&restored));
    Ok(())
}

async fn in_place(config: Config, keep_sessions: bool) -> Result<Restored, WiringError> {
    let store = Store::new(engine::open(&config, Opening::MustExist)?.engine, Arc::new(OsRandom));
    let ours = must_be_ours(&store, "database.url", &config.database.url).await;
    store.engine().close().await;
    ours?;
    let _alone = engine::alone(&config.database.url, "database.url")?;
    let database = engine::place(&config.database.url);
    notice(&format!("database: {database}"));
    let ledger = ledger::path(&config);
    let (steps_applied, ended) = end_the_past(config, keep_sessions, ledger, &[]).await?;
    Ok(Restored { database, from: None, kept: None, steps_applied, sessions_kept: keep_sessions, ended })
}

async fn from_file(config: Config, backup: &Path, keep_sessions: bool) -> Result<Restored, WiringError> {
    let DatabaseKind::Sqlite(path) = config.database.url.kind() else {
        return Err(WiringError::Config(
            "database.url: a file is put in place of the embedded database only; restore PostgreSQL with its own tools, \
             then `userd restore --in-place`"
                .to_owned(),
        ));
    };
    let target = engine::whole(Path::new(path));
    must_be_there(backup)?;
    if backup == target {
        return Err(WiringError::Config(format!("{} is in place already: --in-place", backup.display())));
    }
    let was_there = target.exists();
    let _alone = engine::alone(&config.database.url, "database.url")?;
    notice(&format!("database: {}", target.display()));
    let outcome = prepare(&config, backup, &target, keep_sessions).await;
    if outcome.is_err() && !was_there {
        // Made by the lock, empty.
        let _absent = fs::remove_file(&target);
    }
    let (fresh, steps_applied, ended) = outcome?;
    let kept = swap(&fresh.at(FRESH), &target, was_there).map_err(part)?;
    Ok(Restored {
        database: target.display().to_string(),
        from: Some(backup.to_owned()),
        kept,
        steps_applied,
        sessions_kept: keep_sessions,
        ended,
    })
}

/// A mistyped path is told whole: where a relative one leads depends on where it is read.
fn must_be_there(backup: &Path) -> Result<(), WiringError> {
    if backup.is_file() {
        return Ok(());
    }
    let what =
        format!("there is no file {}; a backup is expected there, as `userd backup` writes it", backup.display());
    Err(WiringError::Config(what))
}

/// The copy's name while it is prepared.
const FRESH: &str = "restored.db";

/// Makes of the backup what takes the database's place, in a folder beside it.
async fn prepare(
    config: &Config,
    backup: &Path,
    target: &Path,
    keep_sessions: bool,
) -> Result<(Scratch, usize, Ended), WiringError> {
    let folder = Scratch::new(target)?;
    let fresh = folder.at(FRESH);
    let verified = verified(config, backup, &fresh).await?;
    let replaced = same_installation(target, verified.installation.as_deref()).await?;
    let url = DatabaseUrl::of_file(&fresh).map_err(WiringError::Config)?;
    let ledger = ledger::path(config);
    let mut config = config.clone();
    config.database.url = url;
    let (steps_applied, ended) = end_the_past(config, keep_sessions, ledger, &replaced).await?;
    Ok((folder, steps_applied, ended))
}

/// Copies the backup to `copy` and looks at that.
async fn verified(config: &Config, file: &Path, copy: &Path) -> Result<Verified, WiringError> {
    let wrong = |fault: String| WiringError::Part(format!("{}: {fault}", file.display()));
    let bytes = copy_file(file, copy).map_err(|fault| wrong(fault.to_string()))?;
    let (engine, store) = open(copy).map_err(|fault| wrong(of_a_backup(&fault)))?;
    let looked = async {
        engine.check_integrity().await.map_err(|fault| of_a_backup(&fault))?;
        let states = store.migration_status().await.map_err(|fault| match fault {
            MigrationError::Store(fault) => of_a_backup(&fault),
            other => other.to_string(),
        })?;
        let count = |wanted: fn(&StepState) -> bool| states.iter().filter(|step| wanted(&step.state)).count();
        let steps = count(|state| matches!(state, StepState::Applied(_)));
        if steps == 0 {
            return Err("this database holds nothing of userd".to_owned());
        }
        if count(|state| matches!(state, StepState::Changed(_) | StepState::Newer(_))) > 0 {
            return Err("its schema is of a later version of userd: restore it with that one".to_owned());
        }
        let copying = store.reading().leases().copying().await.map_err(|fault| of_a_backup(&fault))?;
        if copying.is_some_and(|copying| !copying.is_finished) {
            return Err("it is half of a database: `userd storage copy` had not come to its end there".to_owned());
        }
        let master = master_key::find(&config.crypto, false).map_err(|fault| fault.to_string())?;
        start::opens(&store, master.keys).await.map_err(|fault| fault.to_string())?;
        let installation = installation(&store).await;
        Ok(Verified {
            file: engine::whole(file),
            bytes,
            installation,
            steps,
            steps_missing: count(|state| *state == StepState::Pending),
        })
    }
    .await;
    store.engine().close().await;
    looked.map_err(wrong)
}

/// What is wrong with a backup. That a backup be put in its place, as is said of a database, is no advice here.
fn of_a_backup(fault: &StoreError) -> String {
    match fault {
        StoreError::Unusable(_) | StoreError::Corrupt(_) => {
            "it is damaged, or no SQLite database at all: take another backup".to_owned()
        }
        other => other.to_string(),
    }
}

/// Refuses the backup of one installation in place of another's database. One that does not open says nothing: that may
/// be why a backup is restored. Answers the names of the audit log there.
async fn same_installation(target: &Path, backup: Option<&str>) -> Result<Vec<String>, WiringError> {
    let Ok((_, store)) = open(target) else { return Ok(Vec::new()) };
    let there = installation(&store).await;
    let names = audit::names(&store).await.unwrap_or_default();
    store.engine().close().await;
    match (there, backup) {
        (Some(there), Some(backup)) if there != backup => Err(WiringError::Config(format!(
            "{} is of installation {there}, the backup of {backup}: move that database away first if you mean it",
            target.display()
        ))),
        _ => Ok(names),
    }
}

async fn installation(store: &Store) -> Option<String> {
    let id = store.reading().system_secrets().find(INSTALLATION).await.ok()??;
    Some(id.0.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn open(path: &Path) -> Result<(Arc<SqliteEngine>, Store), StoreError> {
    let options = SqliteOptions { create: false, ..SqliteOptions::at(SqliteLocation::File(path.to_owned())) };
    let engine = Arc::new(SqliteEngine::open(&options)?);
    Ok((Arc::clone(&engine), Store::new(engine, Arc::new(OsRandom))))
}

/// Brings the schema up to date and ends what was issued before now.
async fn end_the_past(
    config: Config,
    keep_sessions: bool,
    ledger: Option<PathBuf>,
    replaced: &[String],
) -> Result<(usize, Ended), WiringError> {
    let (store, _, steps) = open_store(&config, Opening::MustExist).await?;
    store.engine().close().await;
    let wired = wire(config, Opening::MustExist, false).await?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} sessions ended ({per_sec})") {
        bar.set_style(style);
    }
    let services = &wired.services;
    let ended = services
        .end_the_past(&services.operator_context(), keep_sessions, replaced, &|count| bar.set_position(count))
        .await
        .map_err(|failure| said(&failure));
    bar.finish_and_clear();
    let ended = match ended {
        Ok(ended) => erase_again(services, ledger.as_deref()).await.map(|()| ended),
        Err(failure) => Err(failure),
    };
    services.deps.store.engine().close().await;
    Ok((steps, ended?))
}

/// Accounts that were erased after the backup was made are in it again: the ledger beside the database names them.
async fn erase_again(services: &Services, ledger: Option<&Path>) -> Result<(), WiringError> {
    let Some(path) = ledger else { return Ok(()) };
    let erased = ledger::read(path).map_err(|error| WiringError::Part(format!("{}: {error}", path.display())))?;
    let mut again = 0_u64;
    for (user, at) in erased {
        let found = services.deletions.purge_again(&services.operator_context(), user, at).await;
        match found.map_err(|failure| said(&failure))? {
            ErasedAgain::Absent => {}
            ErasedAgain::Erased => again += 1,
            ErasedAgain::InUse => notice(&format!(
                "{user} is in {} as erased at {at}, but was used or changed since, so it was not erased then; it is left as it \
                 is. If it was, delete and purge it: `userd users delete`, `userd users purge`",
                path.display()
            )),
        }
    }
    if again > 0 {
        notice(&format!("{again} accounts that were erased since the backup are erased again"));
    }
    Ok(())
}

/// The prepared file takes the database's place; that one, with its log, is kept under another name, which is answered.
fn swap(fresh: &Path, target: &Path, was_there: bool) -> io::Result<Option<PathBuf>> {
    let kept = free_name(target);
    for end in LOGS {
        let old = with_end(target, end);
        if old.exists() {
            fs::rename(&old, with_end(&kept, end))?;
        }
    }
    fs::rename(fresh, target)?;
    if let Some(folder) = target.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    if was_there {
        return Ok(Some(kept));
    }
    fs::remove_file(kept)?;
    Ok(None)
}

/// What belongs to a database, itself at the end.
const LOGS: [&str; 3] = ["-wal", "-shm", ""];

/// Where the database is kept that was in place: nothing is there yet, also where two are restored within a second. Nobody
/// else takes the name meanwhile, for only one command at a time has the database alone.
fn free_name(target: &Path) -> PathBuf {
    let now = Clock::now(&SystemClock::default()).seconds();
    let name = with_end(target, &format!(".before-restore-{now}"));
    let is_free = |name: &PathBuf| LOGS.iter().all(|end| fs::symlink_metadata(with_end(name, end)).is_err());
    if is_free(&name) {
        return name;
    }
    (2_u32..).map(|number| with_end(&name, &format!("-{number}"))).find(is_free).unwrap_or(name)
}

fn words(restored: &Restored) -> String {
    let Ended { issued_before, revoked_keys, signing_key, sessions } = &restored.ended;
    let mut lines = vec![match &restored.from {
        Some(file) => format!("{} is in place of {}.", file.display(), restored.database),
        None => format!("{} is taken as it is.", restored.database),
    }];
    lines.extend(restored.kept.as_ref().map(|kept| format!("The database that was there is {} now.", kept.display())));
    lines.push(format!(
        "Tokens issued before {issued_before} are dead: an entry of the revocation feed tells verifiers."
    ));
    lines.push(format!(
        "{} signing keys are revoked; {} signs now. Verifiers must fetch the key set again.",
        revoked_keys.len(),
        signing_key.as_deref().unwrap_or("none")
    ));
    lines.push(if restored.sessions_kept {
        "Sessions of the backup go on, those that were ended since it was made included.".to_owned()
    } else {
        format!("{sessions} sessions ended: everybody signs in again.")
    });
    lines
        .push("Blocks, role changes and passwords are those of the backup: look what has to be done again.".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_that_were_in_place_within_one_second_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (fresh, target) = (folder.path().join("fresh.db"), folder.path().join("userd.db"));
        fs::write(&target, "0").unwrap();
        let mut kept = Vec::new();
        for number in 1..=9 {
            fs::write(&fresh, number.to_string()).unwrap();
            kept.push(swap(&fresh, &target, true).unwrap().unwrap());
        }
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        assert_eq!(kept.iter().map(read).collect::<String>(), "012345678");
        assert_eq!(read(&target), "9");
    }
}
