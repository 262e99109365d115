//! The ledger of erased accounts: a file beside the database, one line each, which `userd restore` reads. A backup from
//! before an erasure still holds the account; this is what knows better.

use std::{
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use userd_model::{Timestamp, UserId};
use userd_services::{audit::CheckpointLedger, deletion::PurgeLedger};

use super::engine;
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

/// Everybody whom it names.
///
/// # Errors
/// A file that cannot be read, or has a line that is none of ours.
pub(crate) fn read(path: &Path) -> io::Result<Vec<UserId>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut users = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            users.push(serde_json::from_str::<Line>(&line)?.user_id);
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
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        // In one piece: replicas may write to one file.
        file.write_all(format!("{note}\n").as_bytes())?;
        file.sync_all()
    }
}

impl PurgeLedger for LedgerFile {
    fn record(&self, user: UserId, at: Timestamp) -> io::Result<()> {
        let mut line = serde_json::to_string(&Line { user_id: user, purged_at: at })?;
        line.push('\n');
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }
}
