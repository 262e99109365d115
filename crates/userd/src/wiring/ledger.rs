//! The ledger of erased accounts: a file beside the database, one line each, which `userd restore` reads. A backup from
//! before an erasure still holds the account; this is what knows better.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, UserId};
use userd_services::{audit::CheckpointLedger, deletion::PurgeLedger};
use userd_storage::engines::sqlite::sync_name;

use super::{engine, owners};
use crate::config::{Config, DatabaseKind};

/// A file of lines.
struct LedgerFile(PathBuf);

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    user_id: UserId,
    purged_at: Timestamp,
}

/// The configured ledger: `accounts.purge_ledger`, else beside the embedded database; none for one in memory.
pub(super) fn of(config: &Config) -> Option<Arc<dyn PurgeLedger>> {
    path(config).map(|path| Arc::new(LedgerFile(path)) as _)
}

/// Where it is.
pub(crate) fn path(config: &Config) -> Option<PathBuf> {
    if let Some(path) = &config.accounts.purge_ledger.0 {
        return Some(engine::whole(&path.0));
    }
    match config.database.url.kind() {
        DatabaseKind::Sqlite(path) => Some(engine::whole(Path::new(path)).with_extension("purged.jsonl")),
        _ => None,
    }
}

/// What to say where there is none and something could be restored.
pub(crate) fn missing(config: &Config) -> Option<&'static str> {
    let is_kept = path(config).is_some() || matches!(config.database.url.kind(), DatabaseKind::SqliteMemory);
    (!is_kept).then_some(
        "accounts.purge_ledger is not set: nothing outside the database remembers who was erased, and a restored backup brings \
         them back; name a file on a disk that outlives the database",
    )
}

/// Each file of lines to which nothing can be added, by its key, with what the system says. Nothing is added, and none is
/// made.
pub(crate) fn unwritable(config: &Config) -> Vec<String> {
    let erased = path(config).map(|path| ("accounts.purge_ledger", path));
    let checkpoints = config.audit.checkpoint_file.0.as_ref();
    let checkpoints = checkpoints.map(|path| ("audit.checkpoint_file", engine::whole(&path.0)));
    let files = [erased, checkpoints].into_iter().flatten();
    let faults = files.filter_map(|(key, path)| takes_lines(&path).err().map(|error| (key, path, error)));
    faults.map(|(key, path, error)| format!("{key}: nothing can be written to {}: {error}", path.display())).collect()
}

/// As it would be opened; one that is not there yet must have a folder to be made in.
fn takes_lines(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_file() => OpenOptions::new().append(true).open(path).map(drop),
        Ok(_) => Err(io::Error::other("it is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
        }
        Err(error) => Err(error),
    }
}

/// Everybody whom it names, and when they were erased: at last, where that was more than once, as in a restored backup.
///
/// # Errors
/// A file that cannot be read, or has a line that is none of ours.
pub(crate) fn read(path: &Path) -> io::Result<BTreeMap<UserId, Timestamp>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut users = BTreeMap::new();
    for line in BufReader::new(file).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            match serde_json::from_str::<Line>(&line) {
                Ok(line) => {
                    let last = users.entry(line.user_id).or_insert(line.purged_at);
                    *last = line.purged_at.max(*last);
                }
                // A power cut tore it: nobody was told that it was written.
                Err(error) if error.is_eof() => tracing::warn!(file = %path.display(), "a torn line in the ledger"),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(users)
}

/// A file of checkpoints, as they were signed, with an empty line behind each.
struct CheckpointFile(PathBuf);

/// The configured file of checkpoints: `audit.checkpoint_file`.
pub(super) fn of_checkpoints(config: &Config) -> Option<Arc<dyn CheckpointLedger>> {
    let path = config.audit.checkpoint_file.0.as_ref()?;
    Some(Arc::new(CheckpointFile(engine::whole(&path.0))))
}

impl CheckpointLedger for CheckpointFile {
    fn record(&self, note: &str) -> io::Result<()> {
        append(&self.0, &format!("{note}\n"))
    }
}

impl PurgeLedger for LedgerFile {
    fn record(&self, user: UserId, at: Timestamp) -> io::Result<()> {
        let mut line = serde_json::to_string(&Line { user_id: user, purged_at: at })?;
        line.push('\n');
        append(&self.0, &line)
    }
}

/// Adds to a file, behind a line that a power cut tore, and answers when it is on the disk. In one piece: replicas may
/// write to one file. A fault names the file.
fn append(path: &Path, text: &str) -> io::Result<()> {
    added(path, text).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn added(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    owners::give_at_once(&file, path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let text = if last == [b'\n'] { text.to_owned() } else { format!("\n{text}") };
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_name(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]
    use super::*;

    #[test]
    fn a_line_that_a_power_cut_tore_spoils_neither_the_lines_before_nor_those_behind() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = LedgerFile(folder.path().join("purged.jsonl"));
        let users = [1_u128, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
        ledger.record(users[0], Timestamp::from_seconds(1)).unwrap();
        let whole = std::fs::read_to_string(&ledger.0).unwrap();
        for end in 1..whole.len() {
            std::fs::write(&ledger.0, format!("{whole}{}", &whole[..end])).unwrap();
            ledger.record(users[1], Timestamp::from_seconds(2)).unwrap();
            let read = read(&ledger.0).unwrap();
            let named: Vec<(UserId, i64)> = read.into_iter().map(|(user, at)| (user, at.seconds())).collect();
            assert_eq!(named, [(users[0], 1), (users[1], 2)], "torn behind {end} bytes");
        }
        std::fs::write(&ledger.0, format!("{whole}nonsense\n")).unwrap();
        assert!(read(&ledger.0).is_err(), "what is no ledger is no torn line");
    }
}
