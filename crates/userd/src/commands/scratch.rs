//! A folder beside a file, in which a copy of it is looked at or prepared. Deliberately absent: what is done there.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use userd_model::Random as _;

use crate::{
    terminal::notice,
    wiring::{WiringError, engine, outside::OsRandom, part},
};

/// What a folder's name says between that of the file and a number that no other has. A process id would come again, in a
/// container at each start.
const MARK: &str = ".userd-copy-";
/// In each folder, locked by its process for as long as that lives.
const HELD: &str = "held";

/// A folder of its own, gone with what is in it. A process that is killed leaves it behind with a whole copy of the
/// database; whoever needs one for the same file next removes it.
pub(super) struct Scratch {
    folder: PathBuf,
    _held: fs::File,
}

impl Scratch {
    pub(super) fn new(beside: &Path) -> Result<Self, WiringError> {
        let beside = engine::whole(beside);
        remove_left_behind(&beside);
        let number: String = OsRandom.id_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = with_end(&beside, &format!("{MARK}{number}"));
        let failed = |error: io::Error| part(format!("{}: {error}", folder.display()));
        fs::create_dir(&folder).map_err(failed)?;
        let held = fs::File::create_new(folder.join(HELD)).map_err(failed)?;
        // Where the file system has no locks nobody finds this one free either, and it is not removed.
        let _unlocked = held.try_lock();
        Ok(Self { folder, _held: held })
    }

    /// A file in it.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// Removes folders of processes that are gone: those whose lock is free.
fn remove_left_behind(beside: &Path) {
    let (Some(parent), Some(name)) = (beside.parent(), beside.file_name().and_then(|name| name.to_str())) else {
        return;
    };
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name();
        let number = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix(MARK));
        let is_one =
            number.is_some_and(|number| number.len() == 32 && number.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(held) = is_one.then(|| fs::File::open(entry.path().join(HELD)).ok()).flatten() else { continue };
        if held.try_lock().is_err() {
            continue;
        }
        let folder = entry.path();
        match fs::remove_dir_all(&folder) {
            Ok(()) => notice(&format!("{} was left behind by a command that was killed: removed", folder.display())),
            Err(error) => notice(&format!("{} was left behind and cannot be removed: {error}", folder.display())),
        }
    }
}

/// The path with more at the end of its name.
pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("userd.db");
        let living = Scratch::new(&file).unwrap();
        fs::write(living.at("copy.db"), "at work").unwrap();
        let dead = with_end(&file, &format!("{MARK}{:032x}", 7));
        let theirs = [with_end(&file, ".1234"), with_end(&file, &format!("{MARK}notes"))];
        for path in theirs.iter().chain([&dead]) {
            fs::create_dir(path).unwrap();
            fs::write(path.join(HELD), "").unwrap();
        }
        let second = Scratch::new(&file).unwrap();
        assert!(living.at("copy.db").exists() && second.folder != living.folder);
        assert!(!dead.exists() && theirs.iter().all(|path| path.exists()));
        let gone = [living.folder.clone(), second.folder.clone()];
        drop((living, second));
        assert!(gone.iter().all(|path| !path.exists()));
    }
}
