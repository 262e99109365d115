//! Where addresses are, from a file in MaxMind's format. Deliberately absent: where such files come from; none is shipped, and
//! none is fetched.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use maxminddb::{MaxMindDbError, Reader, geoip2};
use userd_model::texts::Language;
use userd_services::places::Places;

use super::{WiringError, part};
use crate::config::Config;

/// The file as it was read last.
pub struct PlacesFile {
    path: PathBuf,
    reader: RwLock<Reader<Vec<u8>>>,
}

/// The file that is configured.
pub(super) fn of(config: &Config) -> Result<Option<Arc<PlacesFile>>, WiringError> {
    config.sessions.places_file.as_ref().map(|file| PlacesFile::open(file).map(Arc::new).map_err(part)).transpose()
}

/// What is wrong with it.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let Some(file) = config.sessions.places_file.as_ref() else { return Ok(()) };
    read(file).map(drop).map_err(|why| format!("no file of places in MaxMind's format (.mmdb): {why}"))
}

fn read(path: &Path) -> Result<Reader<Vec<u8>>, MaxMindDbError> {
    Reader::open_readfile(path)
}

impl PlacesFile {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn open(path: &Path) -> Result<Self, MaxMindDbError> {
        Ok(Self { path: path.to_owned(), reader: RwLock::new(read(path)?) })
    }

    /// Reads it again, whatever has become of it; what cannot be read changes nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reload(&self) -> Result<(), MaxMindDbError> {
        let new = read(&self.path)?;
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

impl Places for PlacesFile {
    fn place(&self, address: IpAddr, language: Language) -> Option<String> {
        let reader = self.reader.read().unwrap_or_else(PoisonError::into_inner);
        let found: geoip2::City<'_> = reader.lookup(address).ok()?.decode().ok()??;
        let name = |names: &geoip2::Names<'_>| match language {
            Language::English => names.english.map(str::to_owned),
            Language::Russian => names.russian.or(names.english).map(str::to_owned),
        };
        let parts: Vec<String> = [name(&found.city.names), name(&found.country.names)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
