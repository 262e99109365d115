//! Which engine a database URL means.

use std::{path::PathBuf, sync::Arc};

use userd_storage::{
    Engine,
    engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions},
};

use super::{WiringError, part};
use crate::config::{Config, DatabaseConfig, DatabaseKind};

/// An opened engine.
pub struct Opened {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// The same, where it is the embedded one.
    pub sqlite: Option<Arc<SqliteEngine>>,
}

/// Opens the configured engine.
///
/// # Errors
/// The file cannot be opened, or the options contradict each other.
pub fn open(config: &Config) -> Result<Opened, WiringError> {
    match config.database.url.kind() {
        DatabaseKind::SqliteMemory => sqlite(SqliteLocation::Memory, &config.database),
        DatabaseKind::Sqlite(path) => sqlite(SqliteLocation::File(PathBuf::from(path)), &config.database),
        DatabaseKind::Postgres => {
            let engine = PostgresEngine::new(&postgres_options(&config.database)).map_err(part)?;
            Ok(Opened { engine: Arc::new(engine), sqlite: None })
        }
        _ => Err(WiringError::Config(
            "database.url: the YDB engine is not part of this version; use sqlite:// or postgres://".to_owned(),
        )),
    }
}

fn sqlite(location: SqliteLocation, config: &DatabaseConfig) -> Result<Opened, WiringError> {
    let options = SqliteOptions { acquire_timeout: config.acquire_timeout.0, ..SqliteOptions::at(location) };
    let engine = Arc::new(SqliteEngine::open(&options).map_err(part)?);
    Ok(Opened { engine: engine.clone(), sqlite: Some(engine) })
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
