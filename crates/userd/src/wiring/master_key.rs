//! The master key: read from where the configuration says, or made on the first development start.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use userd_crypto::{MasterKeys, Zeroizing};

use super::outside::OsRandom;
use crate::config::{CryptoConfig, MasterKeySource};

/// The master keys, and whether the current one was made just now.
pub struct Found {
    /// The keys.
    pub keys: MasterKeys,
    /// The file that was made, if so.
    pub made: Option<PathBuf>,
}

/// What is wrong with the master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key file {0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// What was read is no key.
    #[error("{0} does not hold a master key: 32 bytes in base64, e.g. from `openssl rand -base64 32`")]
    Malformed(String),
    /// The command failed.
    #[error("crypto.master_key_command failed: {0}")]
    Command(String),
}

/// Finds the master keys. Only a missing file at a path that nobody configured, or whose folder holds no database,
/// is made; a database without its key must not get another one.
pub fn find(config: &CryptoConfig, may_make: bool) -> Result<Found, MasterKeyError> {
    let (current, made) = match config.master_key_source() {
        MasterKeySource::Given(secret) => (parse(secret.expose(), "crypto.master_key")?, None),
        MasterKeySource::Command(command) => (parse(&run(command)?, "crypto.master_key_command")?, None),
        MasterKeySource::File(path) => match fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => (parse(&text, &path.display().to_string())?, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => {
                (make(path)?, Some(path.to_owned()))
            }
            Err(error) => return Err(MasterKeyError::File(path.to_owned(), error)),
        },
    };
    let mut previous = Vec::new();
    for file in &config.previous_master_key_files {
        let path: &Path = &file.0;
        let text = fs::read_to_string(path).map_err(|error| MasterKeyError::File(path.to_owned(), error))?;
        previous.push(*parse(&Zeroizing::new(text), &path.display().to_string())?);
    }
    Ok(Found { keys: MasterKeys::new(*current, previous), made })
}

fn parse(text: &str, place: &str) -> Result<Zeroizing<[u8; 32]>, MasterKeyError> {
    MasterKeys::parse_key(text.trim()).map_err(|_| MasterKeyError::Malformed(place.to_owned()))
}

fn make(path: &Path) -> Result<Zeroizing<[u8; 32]>, MasterKeyError> {
    let text = MasterKeys::generate(&OsRandom).current_text();
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{}", text.as_str())?;
        file.sync_all()
    };
    write().map_err(|error| MasterKeyError::File(path.to_owned(), error))?;
    parse(&text, &path.display().to_string())
}

fn run(command: &[String]) -> Result<Zeroizing<String>, MasterKeyError> {
    let failed = |reason: String| MasterKeyError::Command(reason);
    let (program, arguments) = command.split_first().ok_or_else(|| failed("it is empty".to_owned()))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("{program}: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("{program} ended with {}", output.status)));
    }
    String::from_utf8(output.stdout).map(Zeroizing::new).map_err(|_| failed("its output is not text".to_owned()))
}
