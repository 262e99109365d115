//! Whose the files of the service are. What a command makes as root, beside a service that is somebody else, is given to
//! whoever owns the folder: a file of root's would stop the service at its next start, or at its next line. Deliberately
//! absent: files that the operator names at the command, such as a backup; they stay root's.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::geteuid};

use super::engine;
use crate::terminal::notice;

/// User and group.
type Owner = (u32, u32);

/// Whose files are to be, as it was before anything was made; nothing for whoever is not root.
pub struct Owners(Vec<Place>);

/// A file of the service, with those that are named after it: a log of a date, a database's lock.
struct Place {
    file: PathBuf,
    /// The innermost folder around it that was there.
    around: PathBuf,
    owner: Owner,
}

impl Owners {
    /// Looks whose they are.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        if !geteuid().is_root() {
            return Self(Vec::new());
        }
        let files: Vec<PathBuf> = files.into_iter().map(|file| engine::whole(&file)).collect();
        Self(files.iter().filter_map(|file| Place::of(file, &files)).collect())
    }

    /// Gives what is root's away. Never while the database is open: with a file that is closed the process loses its locks
    /// on it.
    pub fn give(&self) {
        for place in &self.0 {
            if let Err(error) = place.give() {
                let file = place.file.display();
                notice(&format!("{file}: not all there could be given to the owner of the folder: {error}"));
            }
        }
    }
}

/// The same at once, for a file that was just opened and that a service which runs may want now.
pub(super) fn give_at_once(file: &File, path: &Path) -> io::Result<()> {
    match path.parent().filter(|_| geteuid().is_root()).and_then(|folder| owner([folder, path])) {
        Some(owner) => hand_over(file, owner),
        None => Ok(()),
    }
}

impl Place {
    fn of(file: &Path, files: &[PathBuf]) -> Option<Self> {
        let around = file.ancestors().skip(1).find(|folder| folder.is_dir())?;
        let beside = files.iter().filter(|other| other.parent() == file.parent());
        let owner = owner([around, file].into_iter().chain(beside.map(PathBuf::as_path)))?;
        Some(Self { file: file.to_owned(), around: around.to_owned(), owner })
    }

    fn give(&self) -> io::Result<()> {
        let (Some(folder), Some(name)) = (self.file.parent(), self.file.file_name()) else { return Ok(()) };
        for made in folder.ancestors().take_while(|around| *around != self.around) {
            give_one(made, self.owner)?;
        }
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for entry in entries.flatten().filter(|entry| is_named_after(&entry.file_name(), name)) {
            give_one(&entry.path(), self.owner)?;
        }
        Ok(())
    }
}

/// The folder's; where that is root's, and others may write in it, the file's own or that of one beside it.
fn owner<'a>(folder_and_files: impl IntoIterator<Item = &'a Path>) -> Option<Owner> {
    let found = folder_and_files.into_iter().filter_map(|path| fs::metadata(path).ok());
    found.map(|about| (about.uid(), about.gid())).find(|(user, _)| *user != 0)
}

fn is_named_after(found: &OsStr, name: &OsStr) -> bool {
    let rest = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'.' | b'-')))
}

fn give_one(path: &Path, owner: Owner) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return Ok(());
    }
    // The folder is somebody else's, who may put a link in the way of what was looked at.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => hand_over(&file, owner),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A file with a second name may be one of root's from elsewhere.
fn hand_over(file: &File, (user, group): Owner) -> io::Result<()> {
    let about = file.metadata()?;
    let may_go = about.is_dir() || about.is_file() && about.nlink() == 1;
    if about.uid() == 0 && may_go { fchown(file, Some(user), Some(group)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_after_a_file_is_told_from_its_neighbours() {
        for (found, is_one) in [
            ("userd.db", true),
            ("userd.db-wal", true),
            ("userd.db.lock", true),
            ("userd.dbx", false),
            ("userd", false),
            ("old-userd.db", false),
        ] {
            assert_eq!(is_named_after(OsStr::new(found), OsStr::new("userd.db")), is_one, "{found}");
        }
    }
}
