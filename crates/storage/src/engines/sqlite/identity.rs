//! Which files are open, and whether their names still lead to them. A file that was removed or replaced goes on taking
//! writes, and nobody ever reads them: so before each batch and each commit the names are looked up again.

use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::SqliteLocation;
use crate::StoreError;

/// What stays the same for as long as a name leads to the same file.
type File = (u64, u64);

/// The database, its log and the log's index, as they were opened.
pub(super) struct Identity {
    files: Vec<(PathBuf, OnceLock<File>)>,
    is_told: AtomicBool,
}

impl Identity {
    /// The files at `location` as they are now; nothing to look at in memory.
    pub(super) fn of(location: &SqliteLocation) -> Self {
        let files = match location {
            SqliteLocation::Memory => Vec::new(),
            SqliteLocation::File(path) => ["", "-wal", "-shm"].map(|end| (beside(path, end), OnceLock::new())).into(),
        };
        let identity = Self { files, is_told: AtomicBool::new(false) };
        identity.remember();
        identity
    }

    /// The log appears with the first work, and stays until the last connection closes.
    fn remember(&self) {
        for (path, known) in &self.files {
            if known.get().is_none()
                && let Some(file) = file_at(path)
            {
                let _the_first_one_stays = known.set(file);
            }
        }
    }

    /// Whether every name still leads to the file that is open.
    ///
    /// # Errors
    /// `Unusable`, naming the file; the log hears of it once.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let changed =
            |(path, known): &&(PathBuf, OnceLock<File>)| known.get().is_some_and(|known| file_at(path) != Some(*known));
        if let Some((path, _)) = self.files.iter().find(changed) {
            let error = StoreError::Unusable(format!(
                "sqlite: {} was removed or replaced while it was in use; nothing is written. Put it back where it was, or \
                 stop the service and put a backup in its place with `userd restore`",
                path.display()
            ));
            if !self.is_told.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "sqlite: the database is not the one that was opened");
            }
            return Err(error);
        }
        self.is_told.store(false, Ordering::Relaxed);
        self.remember();
        Ok(())
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(unix)]
fn file_at(path: &Path) -> Option<File> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn file_at(_: &Path) -> Option<File> {
    None
}
