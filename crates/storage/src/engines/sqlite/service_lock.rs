//! One service per database file: `userd.db.lock` beside `userd.db` is locked by the system for the service that runs,
//! and free as soon as its process is gone, however it went. Deliberately absent: who may write (SQLite's own locks
//! decide that, and the command line writes beside the service), and removing the file, which would let two services
//! lock two files of one name.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::connection::make_file;
use crate::StoreError;

/// Held while a service runs; dropping it lets the next one start.
#[derive(Debug)]
pub struct ServiceLock {
    #[expect(dead_code, reason = "the lock lasts as long as the open file")]
    file: File,
    is_held: bool,
}

/// Why a service may not start on a file.
#[derive(Debug, thiserror::Error)]
pub enum ServiceLockError {
    /// Another one runs on it.
    #[error(
        "{} is served by another process{}: stop that one first, or give this one a database of its own; commands may \
         be used beside a running service",
        .database.display(), .process.map(|id| format!(", {id}")).unwrap_or_default()
    )]
    Held {
        /// The database, wherever links lead.
        database: PathBuf,
        /// The other process, where its id can be read. In a container of its own it counts from 1.
        process: Option<u32>,
    },
    /// The file cannot be made or locked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServiceLock {
    /// Takes the lock of the database at `path`, which is made when missing, as the engine would.
    ///
    /// # Errors
    /// `Held` while another service runs on the same file, whatever path it was given; storage faults.
    pub fn take(path: &Path) -> Result<Self, ServiceLockError> {
        let unavailable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
        make_file(path)?;
        // Two ways to one file are one file.
        let database = fs::canonicalize(path).map_err(unavailable)?;
        let beside = beside(&database);
        make_file(&beside)?;
        let mut file = OpenOptions::new().read(true).write(true).open(&beside).map_err(unavailable)?;
        let locked = file.try_lock();
        let is_held = locked.is_ok();
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let process = fs::read_to_string(&beside).ok().and_then(|text| text.trim().parse().ok());
                return Err(ServiceLockError::Held { database, process });
            }
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                tracing::warn!(file = %beside.display(), "no locks here: see to it that one service runs on this file");
            }
            Err(TryLockError::Error(error)) => return Err(unavailable(error).into()),
        }
        // For whoever is refused. The lock alone decides: what an earlier process left here counts for nothing.
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
            .map_err(unavailable)?;
        Ok(Self { file, is_held })
    }

    /// Whether the system keeps others away; otherwise it is the operator who does.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_held
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    name.into()
}
