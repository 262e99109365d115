//! What is to be looked at in a browser: a file that only whoever started the command can read, and the program of their
//! desktop that opens it. No shell is between: the path is one argument, whatever is in it.
//!
//! Deliberately absent: what is shown.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, IsTerminal, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{terminal::Terminal, wiring::WiringError};

/// Opens things with whatever the desktop has for them.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
/// Folders of before that may lie in the way.
const TRIES: u32 = 1_000;

/// Writes a page to a file and says where; opens it too where somebody sits at a terminal, unless only the path is wanted.
///
/// # Errors
/// The file cannot be written.
pub fn show(terminal: Terminal, html: &str, only_path: bool) -> Result<(), WiringError> {
    let path = write(&std::env::temp_dir(), html)
        .map_err(|fault| WiringError::Part(format!("the page cannot be written to a file: {fault}")))?;
    let opened = !only_path && !terminal.json && io::stdout().is_terminal() && open(OPENER, &path).is_ok();
    let answer = serde_json::json!({ "path": path, "opened": opened });
    terminal.answer(&answer, || path.display().to_string());
    Ok(())
}

/// A new file in a new folder of its own: nobody else can have put either there, and nobody else reads them.
fn write(parent: &Path, html: &str) -> io::Result<PathBuf> {
    let name = |nth: u32| format!("userd-{}-{nth}", std::process::id());
    let mut folders = (0..TRIES).map(|nth| parent.join(name(nth)));
    let folder = folders.find_map(|folder| match DirBuilder::new().mode(0o700).create(&folder) {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => None,
        made => Some(made.map(|()| folder)),
    });
    let path = folder.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))??.join("page.html");
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(html.as_bytes())?;
    Ok(path)
}

/// Started and left alone: a browser may outlive the command.
fn open(program: &str, path: &Path) -> io::Result<()> {
    let quiet = Stdio::null;
    Command::new(program).arg(path).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_page_lies_where_only_its_reader_finds_it() {
        let parent = tempfile::tempdir().unwrap();
        // Somebody knew the name, and left something there that leads elsewhere.
        let guessed = parent.path().join(format!("userd-{}-0", std::process::id()));
        std::os::unix::fs::symlink("/etc", &guessed).unwrap();
        let path = write(parent.path(), "<p>Привет</p>").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "<p>Привет</p>");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        assert_ne!(path.parent().unwrap(), guessed);
        assert_ne!(write(parent.path(), "").unwrap(), path, "each its own");
    }

    /// The path is one argument: nothing in it is read by a shell.
    #[test]
    fn a_program_is_started_with_the_path_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let (odd, seen) = (parent.path().join("a $(touch x);'\" b"), parent.path().join("seen"));
        let program = parent.path().join("opener");
        let script = format!("#!/bin/sh\nprintf '%s' \"$#:$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", seen.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        open(program.to_str().unwrap(), &odd).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !seen.exists() && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        assert_eq!(fs::read_to_string(&seen).unwrap(), format!("1:{}", odd.display()));
        assert!(!parent.path().join("x").exists());
        assert!(open("no-such-program-of-userd", &odd).is_err());
    }
}
