//! The log file: `<file>.<date>` by rotation, the oldest removed, `<file>` itself a link to the newest.

use std::{fs, io, path::Path};

use tracing_appender::rolling::{RollingFileAppender, Rotation};

use crate::config::LogRotation;

pub(super) fn open(path: &Path, rotation: LogRotation, keep: u32) -> Result<RollingFileAppender, String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err("not the name of a file".to_owned());
    };
    if path.is_dir() {
        return Err("it is a directory".to_owned());
    }
    let builder = RollingFileAppender::builder().filename_prefix(name);
    let builder = match rotation {
        LogRotation::Never => builder.rotation(Rotation::NEVER),
        LogRotation::Daily => rotated(builder.rotation(Rotation::DAILY), &path, name, keep)?,
        LogRotation::Hourly => rotated(builder.rotation(Rotation::HOURLY), &path, name, keep)?,
    };
    builder.build(directory).map_err(|error| chain(&error))
}

fn rotated(
    builder: tracing_appender::rolling::Builder,
    path: &Path,
    name: &str,
    keep: u32,
) -> Result<tracing_appender::rolling::Builder, String> {
    out_of_the_way(path).map_err(|error| error.to_string())?;
    Ok(builder.latest_symlink(name).max_log_files(usize::try_from(keep).unwrap_or(usize::MAX)))
}

/// A plain file from the time before rotation would be deleted for the link; it becomes the oldest of the kept ones.
fn out_of_the_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".before-rotation");
            fs::rename(path, aside)
        }
        _ => Ok(()),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
