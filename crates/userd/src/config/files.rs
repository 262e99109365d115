//! Reads the files that the configuration names, and says in a person's words why one cannot be read. Deliberately absent:
//! what is in them.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

const LARGEST_SECRET: u64 = 64 * 1024;

/// So often a pipe is looked into, so long each time: two seconds.
const LOOKS: usize = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Opens a file, and waits for nobody: a pipe that has no writer would hold a start, and every reload, for ever.
pub(super) fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// Reads what a pipe holds too, if somebody writes to it soon. At most one byte more than `limit`.
fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = open(path)?;
    let is_pipe = file.metadata()?.file_type().is_fifo();
    let (mut file, mut bytes) = (file.take(limit + 1), Zeroizing::new(Vec::new()));
    for _ in 0..LOOKS {
        match file.read_to_end(&mut bytes) {
            // The writer has not come yet, or not written everything.
            Ok(_) if is_pipe && bytes.is_empty() => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.map(|_| bytes),
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Reads a file of at most `limit` bytes; a pipe will do too.
pub(super) fn read_at_most(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let bytes = read(path, limit).map_err(|error| cannot_read(error.kind()))?;
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

/// The same as it is, for a file that is read by whoever needs it.
///
/// # Errors
/// What the system says, as `NotFound`; nobody writes to a pipe; it is no text.
pub(crate) fn text_of(path: &Path) -> io::Result<Zeroizing<String>> {
    let bytes = read(path, LARGEST_SECRET)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

pub(super) fn cannot_read(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "cannot be read: no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "cannot be read: permission denied for the user that runs the service".to_owned()
        }
        io::ErrorKind::IsADirectory => "cannot be read: it is a directory".to_owned(),
        io::ErrorKind::TimedOut => "cannot be read: it is a pipe, and nobody wrote to it".to_owned(),
        other => format!("cannot be read: {other}"),
    }
}
