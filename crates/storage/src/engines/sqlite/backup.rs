//! A copy of a database in service, through SQLite's online backup.

use std::{fs, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{SqliteLocation, connection};
use crate::StoreError;

/// Pages per step: 4 MiB, so that progress is told a few times a second on a slow disk.
const STEP: i32 = 1024;

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// Pages copied.
    pub done: u64,
    /// Pages in all.
    pub total: u64,
}

/// What a backup copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Pages copied.
    pub pages: u64,
    /// Size of the copy in bytes.
    pub bytes: u64,
}

/// Copies `source` to `target`, which must not exist: first beside it, then by renaming, so it is whole or absent.
pub(super) fn copy(
    source: &Path,
    target: &Path,
    mut progress: impl FnMut(BackupProgress),
) -> Result<BackupReport, StoreError> {
    let unavailable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", target.display()));
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    if target.exists() {
        return Err(StoreError::Unavailable(format!("{} exists", target.display())));
    }
    let _absent = fs::remove_file(partial);
    let copied = write(source, partial, &mut progress);
    if copied.is_err() {
        let _absent = fs::remove_file(partial);
    }
    let pages = copied?;
    fs::File::open(partial).and_then(|file| file.sync_all()).map_err(unavailable)?;
    fs::rename(partial, target).map_err(unavailable)?;
    if let Some(folder) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unavailable)?;
    }
    let bytes = fs::metadata(target).map_err(unavailable)?.len();
    Ok(BackupReport { pages, bytes })
}

fn write(source: &Path, partial: &Path, progress: &mut impl FnMut(BackupProgress)) -> Result<u64, StoreError> {
    let (fault, fault_there) = (connection::fault_at(source), connection::fault_at(partial));
    connection::make_file_only(partial)?;
    let from = connection::reader(&SqliteLocation::File(source.to_owned()))?;
    let mut to = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(&fault_there)?;
    // A read transaction held throughout: one snapshot, and no start over when somebody writes meanwhile.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").map_err(&fault)?;
    let backup = Backup::new(&from, &mut to).map_err(&fault)?;
    loop {
        let step = backup.step(STEP).map_err(&fault_there)?;
        let (total, left) = (backup.progress().pagecount, backup.progress().remaining);
        let (total, left) = (u64::try_from(total).unwrap_or(0), u64::try_from(left).unwrap_or(0));
        progress(BackupProgress { done: total.saturating_sub(left), total });
        match step {
            StepResult::Done => return Ok(total),
            StepResult::More => {}
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
