//! How connections are opened, and with which settings. Each setting says why.

use std::{fs, path::Path, thread, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    SqliteLocation, classify,
    folders::{make_folders, sync_name},
};
use crate::StoreError;

/// How many prepared statements a connection keeps: more than there are statements, so each is parsed once.
const PREPARED: usize = 256;

/// How long opening waits for another process that opens the same file or recovers its log.
const OPEN_WAIT: Duration = Duration::from_secs(5);

/// How long a read waits for one. It blocks an async worker, so it is short.
const READ_WAIT: Duration = Duration::from_millis(250);

/// `secure_delete=FAST`: what is deleted is overwritten where that costs no extra write, so a destroyed data key does
/// not stay readable in free space. `mmap_size=0`: an I/O error on a mapped page would kill the process instead of
/// answering. `trusted_schema=OFF`: nothing in a schema runs functions.
const COMMON: &str =
    "PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;";

/// `synchronous=FULL`: a commit is on the disk when it is answered. The log is written back every 16 MiB and its file
/// is kept and overwritten (cheaper than growing a new one), up to 64 MiB. The cache fills only when it is used.
const WRITER: &str = "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; \
                      PRAGMA cache_size=-4096; PRAGMA secure_delete=FAST;";

const READER: &str = "PRAGMA query_only=ON; PRAGMA cache_size=-1024;";

/// The one connection that writes. `create`: to a file that is made when it is missing.
pub(super) fn writer(location: &SqliteLocation, create: bool) -> Result<Connection, StoreError> {
    let connection = match location {
        SqliteLocation::Memory => {
            let connection = Connection::open_in_memory().map_err(fault_at(Path::new(":memory:")))?;
            settle_plans(&connection)?;
            connection
        }
        SqliteLocation::File(path) => {
            if create {
                make_file(path)?;
            }
            let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            switch_to_wal(&connection)?;
            connection
        }
    };
    let set = || {
        connection.execute_batch(COMMON)?;
        connection.execute_batch(WRITER)?;
        // Another process's write lock is waited for between tries, without blocking an async worker.
        connection.busy_timeout(Duration::ZERO)
    };
    set().map_err(fault_on(&connection))?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

/// One more connection that reads.
pub(super) fn reader(location: &SqliteLocation) -> Result<Connection, StoreError> {
    let SqliteLocation::File(path) = location else {
        return Err(StoreError::corrupt("sqlite: a database in memory has one connection"));
    };
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let set = || {
        connection.execute_batch(COMMON)?;
        connection.execute_batch(READER)?;
        connection.busy_timeout(READ_WAIT)
    };
    set().map_err(fault_at(path))?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    // No SQLITE_OPEN_URI: a path is a path, whatever it looks like.
    let connection =
        Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fault_at(path))?;
    connection.busy_timeout(OPEN_WAIT).map_err(fault_at(path))?;
    settle_plans(&connection)?;
    Ok(connection)
}

/// A plan depends on the statement alone. Otherwise SQLite may look at the values that are bound, and then parses a
/// prepared statement anew each time they change.
fn settle_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop).map_err(fault_on(connection))
}

/// Two processes that open a new file at once may get "busy" here without any waiting by SQLite itself.
fn switch_to_wal(connection: &Connection) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode=WAL", (), |row| row.get::<_, String>(0));
        match mode.map_err(fault_on(connection)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Unavailable(format!(
                    "sqlite: the file system gives {mode}, not a write-ahead log"
                )));
            }
            Err(StoreError::Conflict) if tries < 100 => {
                tries += 1;
                thread::sleep(Duration::from_millis(20));
            }
            Err(StoreError::Conflict) => {
                return Err(StoreError::Unavailable("sqlite: the file is locked by another process".to_owned()));
            }
            Err(other) => return Err(other),
        }
    }
}

/// Makes the folder and the file, for the owner only.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    if let Some(parent) = path.parent() {
        make_folders(parent).map_err(|error| unavailable(path, &error))?;
    }
    make_file_only(path)
}

/// Makes the file in a folder that is there, for the owner only. SQLite gives its log the same mode. A new one has its
/// name on the disk: whatever is synced into it later is found again.
pub(super) fn make_file_only(path: &Path) -> Result<(), StoreError> {
    let is_new = !path.exists();
    let mut file = fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    let made = file.open(path).and_then(|_| if is_new { sync_name(path) } else { Ok(()) });
    made.map_err(|error| unavailable(path, &error))
}

fn unavailable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

/// A failure before there is a statement to name, at `path`.
pub(super) fn fault_at(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| classify::code(&error, "opening", &path.display().to_string())
}

/// The same on a connection that is open.
fn fault_on(connection: &Connection) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| classify::code(&error, "opening", classify::place(connection))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus::RePrepare;

    use super::*;

    /// What cannot have a log would tear a transaction in two where the power goes.
    #[test]
    fn what_cannot_have_a_write_ahead_log_is_refused() {
        let refused = switch_to_wal(&Connection::open_in_memory().unwrap());
        assert!(matches!(&refused, Err(StoreError::Unavailable(what)) if what.contains("gives memory")), "{refused:?}");
    }

    /// `synchronous` 2 is FULL, `secure_delete` 2 is FAST: what [`WRITER`] and [`READER`] say is what holds.
    #[test]
    fn connections_have_the_settings_that_they_were_opened_with() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteLocation::File(folder.path().join("settings.db"));
        let (writer, reader) = (writer(&file, true).unwrap(), reader(&file).unwrap());
        let number = |connection: &Connection, name| {
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap()
        };
        for (name, at_writer, at_reader) in [
            ("trusted_schema", 0, 0),
            ("temp_store", 2, 2),
            ("mmap_size", 0, 0),
            ("query_only", 0, 1),
            ("busy_timeout", 0, 250),
            ("cache_size", -4096, -1024),
        ] {
            assert_eq!((number(&writer, name), number(&reader, name)), (at_writer, at_reader), "{name}");
        }
        for (name, at_writer) in [("synchronous", 2), ("secure_delete", 2), ("wal_autocheckpoint", 4000)] {
            assert_eq!(number(&writer, name), at_writer, "{name}");
        }
    }

    #[test]
    fn a_prepared_statement_is_parsed_once_whatever_is_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteLocation::File(folder.path().join("plans.db"));
        let (writer, memory) = (writer(&file, true).unwrap(), writer(&SqliteLocation::Memory, true).unwrap());
        for connection in [&writer, &memory] {
            connection.execute_batch("CREATE TABLE t (a INTEGER, b INTEGER); CREATE INDEX t_by_a ON t (a, b)").unwrap();
        }
        for connection in [writer, reader(&file).unwrap(), memory] {
            let sql = "SELECT b FROM t WHERE a > ?1 AND a < ?2 ORDER BY a LIMIT ?3";
            let mut statement = connection.prepare_cached(sql).unwrap();
            for bound in 0..8_i64 {
                let _ = statement.query([bound, bound * 2, 4]).unwrap().next().unwrap();
            }
            assert_eq!(statement.get_status(RePrepare), 0);
        }
    }
}
