//! Reads the files that the configuration names, and says in a person's words why one cannot be read. Deliberately absent:
//! what is in them.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

const LARGEST_SECRET: u64 = 64 * 1024;

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

/// The text of a secret file, without its last line break.
pub(super) fn secret_in(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = read_at_most(path, LARGEST_SECRET)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    // Editors and `echo` end a file with a line break that belongs to nobody's password.
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() { Err("the file is empty".to_owned()) } else { Ok(Zeroizing::new(text.to_owned())) }
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
