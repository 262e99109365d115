//! Folders and names that a power cut does not take: a name is on the disk when the folder around it is.

use std::{fs, io, path::Path};

/// Makes a folder and those around it, as far as they are missing, for the owner only.
///
/// # Errors
/// What the file system says.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(around) = folder.parent() {
        make_folders(around)?;
    }
    let mut new = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut new, 0o700);
    match new.create(folder) {
        // Somebody else made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync_name(folder)
}

/// Answers when the name of a file or folder is on the disk.
///
/// # Errors
/// What the file system says.
pub fn sync_name(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened, and its names are kept with it.
    if cfg!(unix) {
        let around = path.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(around)?.sync_all()?;
    }
    Ok(())
}
