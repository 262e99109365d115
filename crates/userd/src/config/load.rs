//! From sources to a checked configuration: the order of things, nothing else.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    Config, ConfigErrors, Origin, Origins, overlay,
    report::{self, Findings},
    rules, schema, shape,
    tree::Node,
    twins, yaml,
};

/// The largest configuration file.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Where the configuration comes from; later ones win.
#[derive(Default)]
pub struct Sources {
    /// `--config`. Else the variable `USERD_CONFIG`, else `default_file` if it exists, else the development defaults.
    pub file: Option<PathBuf>,
    /// The file that is taken when nobody names one and it exists; the wiring says `config.yaml`.
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

/// A configuration that passed every check.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it came from; `None`: there is none.
    pub file: Option<PathBuf>,
    /// What is lawful but probably not meant, for the log.
    pub warnings: Vec<String>,
    /// Where each key was given, for whoever finds out later that it is wrong.
    pub origins: Origins,
}

pub(super) fn load(sources: Sources) -> Result<Loaded, ConfigErrors> {
    let mut findings = Findings::default();
    let file = chosen_file(&sources);
    let mut root = match &file {
        Some(path) => {
            let place: Arc<Path> = path.as_path().into();
            let text = read_file(path).map_err(|why| report::only(whole_file(&place), why))?;
            let locate = |line, column| Origin::File { path: Arc::clone(&place), line, column };
            match yaml::compose(&text, "", &locate, &mut findings) {
                Some(root) => root,
                None => return Err(findings.into_errors()),
            }
        }
        None => Node::map(Origin::Default),
    };
    overlay::variables(&mut root, sources.variables, &mut findings);
    overlay::flags(&mut root, sources.flags, &mut findings);
    twins::settle(&mut root, schema::schema(), "", &mut findings);
    shape::check(&mut root, schema::schema(), "", &mut findings);
    // What was wrong has been taken out of the tree, so that the rules can be asked about the rest.
    let config = read(&mut root, &mut findings);
    let warnings = config.as_ref().map(|config| rules::check(config, &root, &mut findings)).unwrap_or_default();
    match config {
        Some(config) if findings.is_empty() => Ok(Loaded { config, file, warnings, origins: Origins::of(&root) }),
        _ => Err(findings.into_errors()),
    }
}

/// Fills the structs; a value that its own parser refuses is reported and taken out, and the rest tried again.
fn read(root: &mut Node, findings: &mut Findings) -> Option<Config> {
    loop {
        let misfit = match Config::deserialize(&*root) {
            Ok(config) => return Some(config),
            Err(misfit) => misfit,
        };
        let path = misfit.origin.as_ref().and_then(|origin| root.path_of(origin)).filter(|path| !path.is_empty());
        let origin = misfit.origin.clone().unwrap_or_else(|| root.origin.clone());
        findings.add(&origin, path.as_deref().unwrap_or_default(), misfit.message);
        if !path.is_some_and(|path| root.take_out(&path)) {
            return None;
        }
    }
}

fn chosen_file(sources: &Sources) -> Option<PathBuf> {
    let named = || {
        let value = sources.variables.iter().find(|(name, _)| name == "USERD_CONFIG").map(|(_, value)| value)?;
        if value.is_empty() { None } else { Some(PathBuf::from(value)) }
    };
    let default = || sources.default_file.clone().filter(|path| path.exists());
    sources.file.clone().or_else(named).or_else(default)
}

fn whole_file(path: &Arc<Path>) -> Origin {
    Origin::File { path: Arc::clone(path), line: 1, column: 1 }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = read_at_most(path, LARGEST_FILE)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err("not UTF-8".to_owned());
    };
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads a file of at most `limit` bytes; a pipe will do too.
pub(super) fn read_at_most(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let read = || -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| cannot_read(error.kind()))?;
    if bytes.len() as u64 > limit { Err(format!("larger than {} KiB", limit / 1024)) } else { Ok(bytes) }
}

pub(super) fn cannot_read(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "cannot be read: no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "cannot be read: permission denied for the user that runs the service".to_owned()
        }
        io::ErrorKind::IsADirectory => "cannot be read: it is a directory".to_owned(),
        other => format!("cannot be read: {other}"),
    }
}
