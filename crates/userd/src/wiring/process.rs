//! Settings of the process, made before it serves: how a panic is logged, how many files may be open, and who may
//! read those that are made.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getrlimit, setrlimit, umask},
};

/// Logs only where a panic happened: its message can contain what a caller sent.
pub fn log_panics_without_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: this is a fault of the program, please report it");
    }));
}

/// Files that are made from now on are not for everybody: log, database, backups. What was stricter stays.
pub fn keep_files_from_others() {
    let others = Mode::WGRP | Mode::RWXO;
    let before = umask(others);
    umask(before | others);
}

/// With fewer files nothing starts; the runtime would end in a panic where it gets none.
const FEWEST_FILES: u64 = 32;

/// Whether files enough may be open to begin at all.
///
/// # Errors
/// How many may, and what to raise.
pub fn enough_files() -> Result<(), String> {
    match raise_file_limit() {
        Some(limit) if limit < FEWEST_FILES => Err(format!(
            "only {limit} files may be open at a time, and at least {FEWEST_FILES} are needed: raise the limit (LimitNOFILE, \
             ulimit -n)"
        )),
        _ => Ok(()),
    }
}

/// Raises the limit of open files, of which every connection is one, to what the system allows. Answers the limit.
pub fn raise_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    getrlimit(Resource::Nofile).current
}
