//! Who else may read the files that hold secrets. Deliberately absent: what is in them.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use crate::config::{Config, Loaded, MasterKeySource};

/// A sentence for each secret file that others may read or write, with what to do.
#[must_use]
pub fn exposed(loaded: &Loaded) -> Vec<String> {
    let others = loaded.secret_files.iter().map(|(key, path)| (key.as_str(), path.as_path()));
    keys(&loaded.config).into_iter().chain(others).filter_map(|(key, path)| sentence(key, path)).collect()
}

/// As [`exposed`], for the master keys alone.
#[must_use]
pub fn exposed_master_keys(config: &Config) -> Vec<String> {
    master_keys(config).into_iter().filter_map(|(key, path)| sentence(key, path)).collect()
}

fn keys(config: &Config) -> Vec<(&'static str, &Path)> {
    let tls = config.http.tls.key_file.as_ref().map(|file| ("http.tls.key_file", file.0.as_path()));
    let client = config.database.client_key_file.as_ref().map(|file| ("database.client_key_file", file.0.as_path()));
    master_keys(config).into_iter().chain(tls).chain(client).collect()
}

fn master_keys(config: &Config) -> Vec<(&'static str, &Path)> {
    let mut files = Vec::new();
    if let MasterKeySource::File(path) = config.crypto.master_key_source() {
        files.push(("crypto.master_key_file", path));
    }
    let previous = config.crypto.previous_master_key_files.iter();
    files.extend(previous.map(|file| ("crypto.previous_master_key_files", file.0.as_path())));
    files
}

fn sentence(key: &str, path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mode = about.permissions().mode() & 0o777;
    let is_exposed = is_exposed(mode, about.uid() == rustix::process::geteuid().as_raw());
    let path = path.display();
    is_exposed
        .then(|| format!("{key}: {path} has mode {mode:04o}, so that others than the service may read it: chmod 600"))
}

/// A file of somebody else's that we read by group is how systemd and Kubernetes hand over a secret.
const fn is_exposed(mode: u32, is_ours: bool) -> bool {
    if is_ours { mode & 0o077 != 0 } else { mode & 0o027 != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_or_was_handed_over_through_a_group() {
        for (mode, is_ours, expected) in [
            (0o600, true, false),
            (0o400, true, false),
            (0o640, true, true),
            (0o604, true, true),
            (0o620, true, true),
            (0o644, true, true),
            (0o440, false, false),
            (0o640, false, false),
            (0o444, false, true),
            (0o660, false, true),
        ] {
            assert_eq!(is_exposed(mode, is_ours), expected, "{mode:o}, ours: {is_ours}");
        }
    }
}
