//! The log file: `<file>.<date>` by rotation, the oldest removed, `<file>` itself a link to the newest.
//!
//! A file is taken for one of the log by its whole name, a date behind the log's own: a database or a key beside it whose
//! name begins alike is nobody's to remove. Only the service removes; a command adds its lines and ends.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::config::LogRotation;

/// What lines are written to.
pub(super) struct LogFile {
    file: File,
    dated: Option<Dated>,
}

/// The files of a rotation.
struct Dated {
    directory: PathBuf,
    /// Of the link, and of each file before its date.
    name: String,
    format: &'static str,
    /// How many stay, the one that is written included; nothing: none is removed.
    keep: Option<usize>,
    /// The date of the file that is written.
    date: String,
    /// One that could not be begun, and was told.
    failed: String,
}

/// Opens the file at `path`. `keep` says how many of a rotation stay; without it none is removed.
pub(super) fn open(path: &Path, rotation: LogRotation, keep: Option<u32>) -> Result<LogFile, String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err("not the name of a file".to_owned());
    };
    if path.is_dir() {
        return Err("it is a directory".to_owned());
    }
    fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    let format = match rotation {
        LogRotation::Never => {
            let file = append_to(&path).map_err(|error| error.to_string())?;
            return Ok(LogFile { file, dated: None });
        }
        LogRotation::Daily => "%Y-%m-%d",
        LogRotation::Hourly => "%Y-%m-%d-%H",
    };
    let dated = Dated {
        directory: directory.to_owned(),
        name: name.to_owned(),
        format,
        keep: keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX)),
        date: now(format),
        failed: String::new(),
    };
    out_of_the_way(&path).map_err(|error| error.to_string())?;
    let file = dated.begin(&dated.date).map_err(|error| error.to_string())?;
    dated.remove_oldest();
    Ok(LogFile { file, dated: Some(dated) })
}

impl io::Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(next) = self.dated.as_mut().and_then(|dated| dated.next(now(dated.format))) {
            self.file = next;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Dated {
    /// The next file, where its time has come. One that cannot be begun leaves lines to the one before; a clock that goes
    /// back begins none again.
    fn next(&mut self, date: String) -> Option<File> {
        if date <= self.date {
            return None;
        }
        match self.begin(&date) {
            Ok(file) => {
                self.date = date;
                self.remove_oldest();
                Some(file)
            }
            Err(error) => {
                if self.failed != date {
                    tracing::error!(%error, date, "the next log file cannot be begun: lines go to the one before");
                    self.failed = date;
                }
                None
            }
        }
    }

    fn begin(&self, date: &str) -> io::Result<File> {
        let path = self.at(date);
        let file = append_to(&path)?;
        let link = self.directory.join(&self.name);
        if fs::read_link(&link).is_ok_and(|linked| linked == path) {
            return Ok(file);
        }
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match symlink(&path, &link) {
            // Another process was first, with the same file.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(file),
        }
    }

    /// Tells what cannot be removed; the log goes on.
    fn remove_oldest(&self) {
        let Some(keep) = self.keep else { return };
        let removed = self.others().and_then(|mut others| {
            others.sort_unstable();
            let too_many = (others.len() + 1).saturating_sub(keep);
            others.iter().take(too_many).try_for_each(|date| fs::remove_file(self.at(date)))
        });
        if let Err(error) = removed {
            tracing::warn!(%error, "old log files cannot be removed");
        }
    }

    /// The dates of the other files.
    fn others(&self) -> io::Result<Vec<String>> {
        let mut dates = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let end = name.to_str().and_then(|name| name.strip_prefix(&self.name)?.strip_prefix('.'));
            if let Some(date) = end.filter(|end| is_date(end) && *end != self.date)
                && entry.file_type()?.is_file()
            {
                dates.push(date.to_owned());
            }
        }
        Ok(dates)
    }

    fn at(&self, date: &str) -> PathBuf {
        self.directory.join(format!("{}.{date}", self.name))
    }
}

fn now(format: &str) -> String {
    jiff::Timestamp::now().strftime(format).to_string()
}

/// Whether this is a date as a rotation writes it, by the day or by the hour.
fn is_date(text: &str) -> bool {
    let has_form = |form: &str| {
        let fits = |(byte, wanted): (u8, u8)| if wanted == b'-' { byte == b'-' } else { byte.is_ascii_digit() };
        text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
    };
    has_form("yyyy-mm-dd") || has_form("yyyy-mm-dd-hh")
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// A plain file from the time before rotation would be in the way of the link. Nothing is written over for it, and it is
/// not removed with the others.
fn out_of_the_way(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
        return Ok(());
    }
    let aside = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(".before-rotation");
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let free = (1..).map(aside).find(|aside| fs::symlink_metadata(aside).is_err());
    free.map_or(Ok(()), |free| fs::rename(path, free))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_whole_names_with_a_date_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let others = [
            "userd.db",
            "userd.db-wal",
            "userd.key",
            "userd.purged.jsonl",
            "userd.before-rotation",
            "userd.2020-01-01.gz",
            "userd.2020-01-1x",
            "userd.2020-01-01-copy",
            "userd-2020-01-01",
        ];
        for name in others.iter().chain(&["userd.2020-01-01", "userd.2020-01-02", "userd.2020-01-02-07"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let file = open(&folder.path().join("userd"), LogRotation::Daily, Some(2)).unwrap();
        let today = format!("userd.{}", file.dated.unwrap().date);
        let mut left: Vec<_> =
            others.iter().copied().chain(["userd", "userd.2020-01-02-07", today.as_str()]).map(str::to_owned).collect();
        left.sort();
        assert_eq!(names(folder.path()), left);
    }

    #[test]
    fn the_file_that_is_written_stays_and_the_next_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("userd.log");
        let mut log = open(&path, LogRotation::Daily, Some(1)).unwrap();
        let dated = log.dated.as_mut().unwrap();
        dated.date = "2020-01-01".to_owned();
        log.file = dated.begin("2020-01-01").unwrap();
        // What a later clock left behind counts, and what is written stays.
        dated.remove_oldest();
        assert_eq!(names(folder.path()), ["userd.log", "userd.log.2020-01-01"]);
        log.write_all(b"a line\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
        assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
        assert!(!folder.path().join("userd.log.2020-01-01").exists());
        assert!(log.dated.as_mut().unwrap().next("2019-01-01".to_owned()).is_none(), "a clock that went back");
    }

    #[test]
    fn a_file_that_cannot_be_begun_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("userd.log");
        let mut log = open(&path, LogRotation::Daily, Some(1)).unwrap();
        fs::create_dir(folder.path().join("userd.log.9999-01-01")).unwrap();
        assert!(log.dated.as_mut().unwrap().next("9999-01-01".to_owned()).is_none());
        log.write_all(b"a line\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
    }

    #[test]
    fn a_plain_file_from_before_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("userd.log");
        for content in ["first", "second"] {
            let _gone = fs::remove_file(&path);
            fs::write(&path, content).unwrap();
            drop(open(&path, LogRotation::Hourly, None).unwrap());
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("userd.log.before-rotation"), "first");
        assert_eq!(read("userd.log.before-rotation-2"), "second");
    }
}
