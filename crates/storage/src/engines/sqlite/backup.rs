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

/// How closely a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Every page, and every index against its table.
    Whole,
    /// Every page. Much faster.
    Pages,
}

/// Whether the file is whole.
pub(super) fn check(location: &SqliteLocation, look: Look) -> Result<(), StoreError> {
    let SqliteLocation::File(path) = location else { return Ok(()) };
    let fault = connection::fault_at(path);
    let connection = connection::reader(location)?;
    let pragma = match look {
        Look::Whole => "PRAGMA integrity_check(5)",
        Look::Pages => "PRAGMA quick_check(5)",
    };
    let mut statement = connection.prepare(pragma).map_err(&fault)?;
    let lines = statement.query_map((), |row| row.get::<_, String>(0)).map_err(&fault)?;
    // A finding may have lines of its own, under a heading that says nothing.
    let one_line = |line: String| line.replace("*** in database main ***", "").replace('\n', " ").trim().to_owned();
    let wrong: Vec<String> = lines.map(|line| line.map(one_line)).collect::<Result<_, _>>().map_err(&fault)?;
    if wrong == ["ok"] { Ok(()) } else { Err(StoreError::Corrupt(format!("{}: {}", path.display(), wrong.join("; ")))) }
}

/// Copies a file that nobody uses, a backup, as it is, for the owner only; answers its size. SQLite does not touch it.
///
/// # Errors
/// `Unavailable` where it is in use or was left by a crash (its log holds what the file does not), or cannot be copied.
pub fn copy_file(source: &Path, target: &Path) -> Result<u64, StoreError> {
    let mut log = source.as_os_str().to_owned();
    log.push("-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let log = Path::new(&log).display();
        return Err(StoreError::Unavailable(format!("{log} is beside it: it is in use, and no backup")));
    }
    let failed = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    let mut from = fs::File::open(source).map_err(failed)?;
    connection::make_file_only(target)?;
    let mut to = fs::OpenOptions::new().write(true).open(target).map_err(failed)?;
    let bytes = std::io::copy(&mut from, &mut to).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that holds something holds what the file does not.
    #[test]
    fn a_file_in_use_is_no_backup_and_one_with_an_empty_log_is() {
        let folder = tempfile::tempdir().unwrap();
        let (source, log) = (folder.path().join("backup.db"), folder.path().join("backup.db-wal"));
        fs::write(&source, "twelve bytes").unwrap();
        for (number, (written, is_copied)) in
            [(None, true), (Some(""), true), (Some("x"), false)].into_iter().enumerate()
        {
            if let Some(written) = written {
                fs::write(&log, written).unwrap();
            }
            let target = folder.path().join(format!("copy {number}.db"));
            let copied = copy_file(&source, &target);
            assert_eq!(copied.is_ok(), is_copied, "{written:?}: {copied:?}");
            assert_eq!(target.exists(), is_copied, "{written:?}");
            if is_copied {
                assert_eq!((copied.unwrap(), fs::read(&target).unwrap()), (12, b"twelve bytes".to_vec()));
            }
        }
        assert!(copy_file(&folder.path().join("nowhere.db"), &folder.path().join("copy.db")).is_err());
    }
}
