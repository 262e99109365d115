//! The files of the repository, by path from its root. Deliberately absent: git; what is on the disk counts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The repository.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
}

/// A text file of the repository.
#[derive(Debug)]
pub struct Source {
    /// From the root, with `/`.
    pub path: String,
    /// The whole file.
    pub text: String,
}

/// Folders that hold what others made.
const FOREIGN: &[&str] = &["target", "node_modules", "data"];

impl Tree {
    /// The workspace that this program was built from.
    #[must_use]
    pub fn of_this_workspace() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: here.parent().unwrap_or(here).to_path_buf() }
    }

    /// Another folder, for tests.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// One file's text.
    ///
    /// # Errors
    /// The path and why it cannot be read.
    pub fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Every file whose name ends in `.<extension>`, below any of `folders`, ordered by path.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub fn sources(&self, folders: &[&str], extension: &str) -> Result<Vec<Source>, String> {
        let mut found = Vec::new();
        for folder in folders {
            self.collect(&self.root.join(folder), extension, &mut found)
                .map_err(|error| format!("{folder}: {error}"))?;
        }
        found.sort();
        found.into_iter().map(|path| self.source(&path)).collect()
    }

    fn source(&self, path: &Path) -> Result<Source, String> {
        let path = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        Ok(Source { text: self.read(&path)?, path })
    }

    fn collect(&self, folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.is_dir() && !name.starts_with('.') && !FOREIGN.contains(&name.as_ref()) {
                self.collect(&path, extension, found)?;
            } else if kind.is_file() && path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
        Ok(())
    }
}
