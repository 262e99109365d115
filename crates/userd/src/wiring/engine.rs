//! Which engine a database URL means.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use userd_storage::{
    Engine, StoreError,
    engines::{
        PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions,
        sqlite::{ServiceLock, ServiceLockError},
    },
};

use super::{WiringError, part};
use crate::config::{Config, DatabaseConfig, DatabaseKind, DatabaseUrl};

#[cfg(not(feature = "ydb"))]
const NO_YDB: &str = "this build has no engine for YDB; take one that was made with `--features ydb` (docs/ydb.md), or use \
                      sqlite:// or postgres://";

/// An opened engine.
pub struct Opened {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// The same, where it is the embedded one.
    pub sqlite: Option<Arc<SqliteEngine>>,
}

/// Whether a database that is not there is made. Only the service, `migrate up` and whoever is told to fill one make it:
/// any other command that did would work, unnoticed, on a database that nobody serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Made when missing.
    MayCreate,
    /// Refused when missing.
    MustExist,
}

/// Opens the configured engine.
///
/// # Errors
/// `Config` where the database must exist and does not.
pub fn open(config: &Config, opening: Opening) -> Result<Opened, WiringError> {
    if opening == Opening::MustExist {
        must_exist(&config.database.url, "database.url")?;
    }
    let create = opening == Opening::MayCreate;
    match config.database.url.kind() {
        DatabaseKind::SqliteMemory => sqlite(SqliteLocation::Memory, &config.database, create),
        DatabaseKind::Sqlite(path) => sqlite(SqliteLocation::File(PathBuf::from(path)), &config.database, create),
        DatabaseKind::Postgres => {
            let engine = PostgresEngine::new(&postgres_options(&config.database)).map_err(part)?;
            Ok(Opened { engine: Arc::new(engine), sqlite: None })
        }
        DatabaseKind::Ydb => ydb(&config.database).map_err(|why| WiringError::Config(format!("database.url: {why}"))),
    }
}

/// Whether the engine would open, as far as can be told without contacting anything and without making a file.
///
/// # Errors
/// What is wrong; never the URL.
pub fn check(config: &DatabaseConfig) -> Result<(), String> {
    match config.url.kind() {
        DatabaseKind::SqliteMemory | DatabaseKind::Sqlite(_) => Ok(()),
        DatabaseKind::Postgres => match PostgresEngine::new(&postgres_options(config)) {
            Ok(_) => Ok(()),
            Err(fault) => Err(said(fault)),
        },
        DatabaseKind::Ydb => ydb(config).map(drop),
    }
}

/// What is wrong with a URL, without the word that the database is away: nobody has asked it.
fn said(fault: StoreError) -> String {
    match fault {
        StoreError::Unavailable(why) => why,
        other => other.to_string(),
    }
}

/// What makes a database, for whoever is told that there is none.
pub const MADE_FIRST: &str = "`userd serve` makes it, or `userd migrate up`: run one of them first, with the same \
                              configuration";

/// Where the data is, for people: the whole path of a file, the URL of a server with its password masked.
#[must_use]
pub fn place(url: &DatabaseUrl) -> String {
    match url.kind() {
        DatabaseKind::Sqlite(path) => whole(Path::new(path)).display().to_string(),
        _ => url.shown(),
    }
}

/// The path from the root: a relative one depends on where it is read.
#[must_use]
pub fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The file of an embedded database that nobody has made yet, from the root. Opening it would make it.
#[must_use]
pub fn absent_file(url: &DatabaseUrl) -> Option<PathBuf> {
    let DatabaseKind::Sqlite(path) = url.kind() else { return None };
    let path = Path::new(path);
    (!path.is_file()).then(|| whole(path))
}

/// Refuses a database that is to be used and is not there: a mistyped path, or one read from another folder, would be
/// made, empty, and used.
///
/// # Errors
/// `Config`, naming the file and `key`, where it was given.
pub fn must_exist(url: &DatabaseUrl, key: &str) -> Result<(), WiringError> {
    if url.kind() == DatabaseKind::SqliteMemory {
        let why = "sqlite::memory: is in the service's own memory, where no command reaches it";
        return Err(WiringError::Config(format!("{key}: {why}")));
    }
    match absent_file(url) {
        Some(path) => Err(WiringError::Config(format!("{key}: there is no file {}; {MADE_FIRST}", path.display()))),
        None => Ok(()),
    }
}

/// The same at once, for a command that must not run beside a service.
///
/// # Errors
/// `Config` while a service runs on the file, naming it and `key`, where it was given.
pub fn alone(url: &DatabaseUrl, key: &str) -> Result<Option<ServiceLock>, WiringError> {
    let DatabaseKind::Sqlite(path) = url.kind() else { return Ok(None) };
    ServiceLock::take(Path::new(path)).map(Some).map_err(|fault| match fault {
        held @ ServiceLockError::Held { .. } => WiringError::Config(format!("{key}: {held}")),
        other => part(other),
    })
}

/// A service that is started again waits for the one before it to be gone: so often, so long each time.
const LOOKS: usize = 150;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The only service on an embedded database, for as long as the answer is kept; nothing where several may share one.
///
/// # Errors
/// `Config` while another service runs on the file.
pub async fn serve_alone(config: &DatabaseConfig) -> Result<Option<ServiceLock>, WiringError> {
    let DatabaseKind::Sqlite(path) = config.url.kind() else { return Ok(None) };
    let mut taken = ServiceLock::take(Path::new(path));
    for _ in 1..LOOKS {
        let Err(ServiceLockError::Held { .. }) = taken else { break };
        tokio::time::sleep(BETWEEN_LOOKS).await;
        taken = ServiceLock::take(Path::new(path));
    }
    match taken {
        Ok(lock) => Ok(Some(lock)),
        Err(held @ ServiceLockError::Held { .. }) => Err(WiringError::Config(format!("database.url: {held}"))),
        Err(other) => Err(part(other)),
    }
}

/// The first and the longest wait for a database server that is away.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Waits for a database server that is away, as the running service does: machines come up in any order.
///
/// # Errors
/// What no waiting mends: a wrong password, a database that does not exist or is not in UTF-8.
pub async fn await_server(config: &Config) -> Result<(), WiringError> {
    if !matches!(config.database.url.kind(), DatabaseKind::Postgres | DatabaseKind::Ydb) {
        return Ok(());
    }
    let (mut wait, mut told) = (FIRST_WAIT, false);
    loop {
        let opened = open(config, Opening::MayCreate)?;
        let health = opened.engine.health().await;
        opened.engine.close().await;
        match health {
            Err(fault @ StoreError::Unavailable(_)) => {
                let database = place(&config.database.url);
                tracing::warn!(%fault, database, again_in = ?wait, "the database is away: trying until it is there");
                told = true;
            }
            Ok(()) if told => {
                tracing::info!("the database is there");
                return Ok(());
            }
            other => return other.map_err(part),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn sqlite(location: SqliteLocation, config: &DatabaseConfig, create: bool) -> Result<Opened, WiringError> {
    let options = SqliteOptions { acquire_timeout: config.acquire_timeout.0, create, ..SqliteOptions::at(location) };
    let engine = Arc::new(SqliteEngine::open(&options).map_err(part)?);
    Ok(Opened { engine: engine.clone(), sqlite: Some(engine) })
}

#[cfg(not(feature = "ydb"))]
fn ydb(_: &DatabaseConfig) -> Result<Opened, String> {
    Err(NO_YDB.to_owned())
}

#[cfg(feature = "ydb")]
fn ydb(config: &DatabaseConfig) -> Result<Opened, String> {
    use userd_storage_ydb::{YdbEngine, YdbOptions};
    let options = YdbOptions {
        max_sessions: config.pool_size as usize,
        acquire_timeout: config.acquire_timeout.0,
        idle_life: config.idle_timeout.0,
        ca_file: config.ca_file.0.as_ref().map(|file| file.0.clone()),
        ..YdbOptions::at(config.url.expose())
    };
    let engine = YdbEngine::new(options).map_err(said)?;
    Ok(Opened { engine: Arc::new(engine), sqlite: None })
}

fn postgres_options(config: &DatabaseConfig) -> PostgresOptions {
    let file = |file: &crate::config::Optional<crate::config::InputFile>| file.0.as_ref().map(|file| file.0.clone());
    PostgresOptions {
        max_connections: config.pool_size as usize,
        acquire_timeout: config.acquire_timeout.0,
        idle_life: config.idle_timeout.0,
        statement_cache: config.statement_cache,
        ca_file: file(&config.ca_file),
        client_cert_file: file(&config.client_certificate_file),
        client_key_file: file(&config.client_key_file),
        ..PostgresOptions::at(config.url.expose())
    }
}
