//! The master key: read from where the configuration says, or made on the first development start.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use userd_crypto::{MasterKeys, Zeroizing};
use userd_storage::engines::sqlite::{make_folders, sync_name};

use super::outside::OsRandom;
use crate::config::{CryptoConfig, MasterKeySource, text_of};

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
    // First: a key is not made for a start that cannot be.
    let mut previous = Vec::new();
    for file in &config.previous_master_key_files {
        let path: &Path = &file.0;
        let text = text_of(path).map_err(|error| MasterKeyError::File(path.to_owned(), error))?;
        previous.push(*parse(&text, &path.display().to_string())?);
    }
    let (current, made) = match config.master_key_source() {
        MasterKeySource::Given(secret) => (parse(secret.expose(), "crypto.master_key")?, None),
        MasterKeySource::Command(command) => (parse(&run(command)?, "crypto.master_key_command")?, None),
        MasterKeySource::File(path) => match text_of(path) {
            Ok(text) => (parse(&text, &path.display().to_string())?, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => make(path)?,
            Err(error) => return Err(MasterKeyError::File(path.to_owned(), error)),
        },
    };
    Ok(Found { keys: MasterKeys::new(*current, previous), made })
}

fn parse(text: &str, place: &str) -> Result<Zeroizing<[u8; 32]>, MasterKeyError> {
    MasterKeys::parse_key(text.trim()).map_err(|_| MasterKeyError::Malformed(place.to_owned()))
}

/// Makes the key file: written and on the disk under another name before it has its own, so that no crash leaves half a
/// key, and never over one that somebody else made meanwhile: that one is read.
fn make(path: &Path) -> Result<(Zeroizing<[u8; 32]>, Option<PathBuf>), MasterKeyError> {
    let failed = |error: io::Error| MasterKeyError::File(path.to_owned(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = path.display().to_string();
    make_folders(folder).map_err(failed)?;
    let text = MasterKeys::generate(&OsRandom).current_text();
    let partial = folder.join(format!(".master.key.{}", std::process::id()));
    let named = write_whole(&partial, &text).and_then(|()| name_new(&partial, path));
    let made = match named {
        Ok(()) => (parse(&text, &place)?, Some(path.to_owned())),
        Err(error) => {
            let _ = fs::remove_file(&partial);
            if error.kind() != io::ErrorKind::AlreadyExists || !path.exists() {
                return Err(failed(error));
            }
            let text = text_of(path).map_err(failed)?;
            (parse(&text, &place)?, None)
        }
    };
    sync_name(path).map_err(failed)?;
    Ok(made)
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // What a crashed start with this process id left behind.
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// Renames, unless there is something of that name.
fn name_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot; there is nothing at the name as far as we know.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !to.exists() => fs::rename(from, to),
        done => done.map_err(io::Error::from),
    }
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
