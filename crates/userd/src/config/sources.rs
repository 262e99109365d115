//! Where the configuration comes from: a file, the environment, flags. Deliberately absent: what they say.

use std::{ffi::OsString, path::PathBuf};

/// Where the configuration comes from; later ones win.
#[derive(Default)]
pub struct Sources {
    /// `--config`. Else the variable `USERD_CONFIG`, else `default_file` if it exists, else the development defaults.
    pub file: Option<PathBuf>,
    /// The file that is taken when nobody names one and it exists; the command line says `config.yaml`.
    pub default_file: Option<PathBuf>,
    /// The process environment; only `USERD_CONFIG` and `USERD__…` are looked at.
    pub variables: Vec<(OsString, OsString)>,
    /// Flags: the flag as written, the key's path, the value. `--set http.listen=…` is one; `--listen …` another.
    pub flags: Vec<Flag>,
}

/// A value from the command line.
pub struct Flag {
    /// The flag, for messages: `--set`.
    pub name: String,
    /// The key's path: `http.listen`.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Sources {
    pub(super) fn chosen_file(&self) -> Option<PathBuf> {
        let named = || {
            let value = self.variables.iter().find(|(name, _)| name == "USERD_CONFIG").map(|(_, value)| value)?;
            if value.is_empty() { None } else { Some(PathBuf::from(value)) }
        };
        let default = || self.default_file.clone().filter(|path| path.exists());
        self.file.clone().or_else(named).or_else(default)
    }
}
